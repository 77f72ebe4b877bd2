#include "fake_connection.h"

#include "fuzz.h"

#include <civetweb.h>
#include <stdio.h>

#define ANSWER_MAX ((size_t)8 << 20)
#define AUTO "auto"

struct guard;

static struct {
    struct mg_request_info info;
    char *head; /* cut with NULs, as civetweb does */
    char length[32];
    const char *body; /* what of it was not read yet */
    size_t body_left;
    size_t answered;
    bool ends;
} fake;

/* Apart, for it is large and need not be cleared. */
static char answer[ANSWER_MAX + 1];

/* civetweb's own type, which nothing of ours looks into. */
static struct mg_connection *const connection = (struct mg_connection *)&fake;

const struct mg_request_info *
__wrap_mg_get_request_info(const struct mg_connection *of);
void *__wrap_mg_get_user_connection_data(const struct mg_connection *of);
void __wrap_mg_set_user_connection_data(struct mg_connection *of, void *data);
void __wrap_mg_disable_connection_keep_alive(struct mg_connection *of);
int __wrap_mg_read(struct mg_connection *of, void *out, size_t size);
int __wrap_mg_write(struct mg_connection *of, const void *bytes, size_t length);
struct guarded *__wrap_guard_begin(struct guard *guard, const char *remote,
                                   int remote_port, int own_port);

const struct mg_request_info *__wrap_mg_get_request_info(const struct mg_connection *of)
{
    require(of == connection);
    return &fake.info;
}

void *__wrap_mg_get_user_connection_data(const struct mg_connection *of)
{
    require(of == connection);
    return NULL;
}

void __wrap_mg_set_user_connection_data(struct mg_connection *of, void *data)
{
    require(of == connection && data == NULL);
}

/* It lives without a guard, as where its socket is not found. */
struct guarded *__wrap_guard_begin(struct guard *guard, const char *remote,
                                   int remote_port, int own_port)
{
    (void)guard, (void)remote, (void)remote_port, (void)own_port;
    return NULL;
}

void __wrap_mg_disable_connection_keep_alive(struct mg_connection *of)
{
    require(of == connection);
    fake.ends = true;
}

int __wrap_mg_read(struct mg_connection *of, void *out, size_t size)
{
    size_t got = size < fake.body_left ? size : fake.body_left;

    require(of == connection);
    if (got > 0)
        memcpy(out, fake.body, got);
    fake.body += got;
    fake.body_left -= got;
    return (int)got;
}

int __wrap_mg_write(struct mg_connection *of, const void *bytes, size_t length)
{
    require(of == connection && length <= ANSWER_MAX - fake.answered);
    memcpy(answer + fake.answered, bytes, length);
    fake.answered += length;
    answer[fake.answered] = '\0';
    return (int)length;
}

/* End the line at `at` with NULs for its CR and LF, and return the next one's place. */
static char *end_line(char *at)
{
    at += strcspn(at, "\r\n");
    if (*at == '\r')
        *at++ = '\0';
    if (*at == '\n')
        *at++ = '\0';
    return at;
}

/* "METHOD TARGET[ HTTP/1.0]", in place. */
static bool take_request_line(char *line)
{
    struct mg_request_info *info = &fake.info;
    char *target = strchr(line, ' '), *version, *query;

    if (!target || target == line || target[1] != '/')
        return false;
    *target++ = '\0';
    version = strchr(target, ' ');
    if (version)
        *version++ = '\0';
    query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    info->request_method = line;
    info->local_uri_raw = target;
    info->query_string = query;
    info->http_version = version && strcmp(version, "HTTP/1.0") == 0 ? "1.0" : "1.1";
    return true;
}

static void take_header(char *line)
{
    struct mg_header *header = &fake.info.http_headers[fake.info.num_headers++];
    char *end = line + strcspn(line, ":"), *value = end + 1;

    *end = '\0';
    header->name = line;
    header->value = value + strspn(value, " ");
    if (strcmp(header->value, AUTO) != 0)
        return;
    snprintf(fake.length, sizeof fake.length, "%zu%c\r\n", fake.body_left, '\0');
    header->value = fake.length;
}

/* As civetweb: up to a line without a name, or the last it has room for. */
static void take_headers(char *at)
{
    while (fake.info.num_headers < MG_MAX_HEADERS) {
        size_t name = 0;
        char *line = at;
        while (at[name] > ' ' && at[name] < 0x7f && at[name] != ':')
            name++;
        if (name == 0 || at[name] != ':')
            return;
        at = end_line(at);
        take_header(line);
    }
}

/* Where the body begins; the end where there is no empty line. */
static size_t head_length(const char *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (text[i] == '\n' && text[i + 1] == '\n')
            return i + 2;
        if (text[i] == '\n' && text[i + 1] == '\r' && i + 2 < size &&
            text[i + 2] == '\n')
            return i + 3;
    }
    return size;
}

struct mg_connection *fake_connection(const char *text, size_t size)
{
    size_t head = head_length(text, size);

    fake_connection_finish();
    fake.head = calloc(1, head + sizeof "\r\n\r\n");
    require(fake.head != NULL);
    memcpy(fake.head, text, head);
    memcpy(fake.head + strlen(fake.head), "\r\n\r\n", 4); /* a NUL ends it, too */
    answer[0] = '\0';
    fake.body = text + head;
    fake.body_left = size - head;
    strcpy(fake.info.remote_addr, "127.0.0.1");
    char *headers = end_line(fake.head);
    if (!take_request_line(fake.head))
        return NULL;
    take_headers(headers);
    return connection;
}

const char *fake_answer(size_t *length)
{
    *length = fake.answered;
    return answer;
}

bool fake_ends(void)
{
    return fake.ends;
}

void fake_connection_finish(void)
{
    free(fake.head);
    memset(&fake, 0, sizeof fake);
}
