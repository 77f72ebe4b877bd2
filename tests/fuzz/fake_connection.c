#include "fake_connection.h"

#include "fuzz.h"
#include "tap.h"

#include <civetweb.h>
#include <stdio.h>

#define ANSWER_MAX ((size_t)8 << 20)
#define AUTO "auto"

struct guard;

static struct {
    struct mg_request_info info; /* who asks */
    char *head;                  /* of the request, with a NUL behind it */
    size_t head_length;
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
enum tap_head __wrap_tap_head(char **text, size_t *length);
ssize_t __wrap_tap_read(char *out, size_t size, int ms);
int __wrap_mg_write(struct mg_connection *of, const void *bytes, size_t length);
bool __wrap_guard_full(const struct guard *guard);
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

bool __wrap_guard_full(const struct guard *guard)
{
    (void)guard;
    return false;
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

/* As the tap ends a head at what belongs in none. */
static bool is_whole(void)
{
    const char *text = fake.head;

    for (size_t i = 0; i < fake.head_length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n'
                ? i == 0 || text[i - 1] != '\r'
                : byte == 0x7f || (byte < ' ' && byte != '\t' && byte != '\r') ||
                      (i > 0 && text[i - 1] == '\r'))
            return false;
    }
    return true;
}

enum tap_head __wrap_tap_head(char **text, size_t *length)
{
    *text = fake.head;
    *length = fake.head_length;
    if (fake.head_length > TAP_HEAD_MAX)
        return TAP_TOO_LONG;
    return is_whole() ? TAP_WHOLE : TAP_BROKEN;
}

/* The end of the body is the end of the connection. */
ssize_t __wrap_tap_read(char *out, size_t size, int ms)
{
    size_t got = size < fake.body_left ? size : fake.body_left;

    (void)ms;
    if (got == 0)
        return -1;
    memcpy(out, fake.body, got);
    fake.body += got;
    fake.body_left -= got;
    return (ssize_t)got;
}

int __wrap_mg_write(struct mg_connection *of, const void *bytes, size_t length)
{
    require(of == connection && length <= ANSWER_MAX - fake.answered);
    memcpy(answer + fake.answered, bytes, length);
    fake.answered += length;
    answer[fake.answered] = '\0';
    return (int)length;
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

static void add(const char *text, size_t length)
{
    memcpy(fake.head + fake.head_length, text, length);
    fake.head_length += length;
}

/* A line without its end. The first may lack its version, and a length be told as "auto". */
static void add_line(const char *line, size_t length, bool first)
{
    static const char version[] = " HTTP/1.1", value[] = ": " AUTO;
    size_t ends = length < sizeof value - 1 ? 0 : length - (sizeof value - 1);
    char number[32];

    if (!first && ends > 0 && memcmp(line + ends, value, sizeof value - 1) == 0) {
        add(line, ends + 2);
        add(number, (size_t)snprintf(number, sizeof number, "%zu", fake.body_left));
    } else {
        add(line, length);
    }
    if (first && !memmem(line, length, " HTTP/", 6))
        add(version, sizeof version - 1);
    add("\r\n", 2);
}

struct mg_connection *fake_connection(const char *text, size_t size)
{
    size_t head = head_length(text, size), at = 0;

    fake_connection_finish();
    fake.head = calloc(1, 8 * head + 64); /* a line of nothing but its end doubles */
    require(fake.head != NULL);
    answer[0] = '\0';
    fake.body = text + head;
    fake.body_left = size - head;
    strcpy(fake.info.remote_addr, "127.0.0.1");
    while (at < head) {
        const char *end = memchr(text + at, '\n', head - at);
        size_t length = end ? (size_t)(end - text) - at : head - at;
        size_t shown =
            length > 0 && text[at + length - 1] == '\r' ? length - 1 : length;
        add_line(text + at, shown, at == 0);
        at += length + 1;
    }
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
