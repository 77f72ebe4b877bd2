#include "head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int refuse(struct dbk_error *err, int status, const char *details)
{
    dbk_fail(err, DBK_INVALID, "%s", details);
    return status;
}

static size_t token_length(const char *text)
{
    return strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "!#$%&'*+-.^_`|~");
}

static bool is_visible(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    }
    return true;
}

/* Cut off the first word, which a single space ends; *rest receives what is behind it. */
static bool cut_word(char *text, char **rest)
{
    char *space = strchr(text, ' ');

    if (!space || space == text)
        return false;
    *space = '\0';
    *rest = space + 1;
    return true;
}

static int read_version(const char *text, struct head *head, struct dbk_error *err)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !isdigit((unsigned char)text[5]) ||
        text[6] != '.' || !isdigit((unsigned char)text[7]) || text[8] != '\0')
        return refuse(err, 400,
                      "The first line of the request does not end with HTTP/1.1");
    if (text[5] != '1')
        return refuse(err, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->version = text[7] == '0' ? "1.0" : "1.1";
    return 0;
}

/* "http://host/path": the host moves to the front, over a slash, to make room for a NUL. */
static bool take_absolute(char *target, char **path, struct head *head)
{
    char *host = strstr(target, "://");
    size_t length;

    if (!host || (strncasecmp(target, "http://", 7) != 0 &&
                  strncasecmp(target, "https://", 8) != 0))
        return false;
    host += 3;
    length = strcspn(host, "/?");
    if (length == 0 || memchr(host, '@', length))
        return false;
    *path = host + length;
    memmove(host - 1, host, length);
    host[length - 1] = '\0';
    head->host = host - 1;
    return true;
}

static int read_target(char *target, struct head *head, struct dbk_error *err)
{
    char *path = target, *query;
    bool options = strcmp(head->method, "OPTIONS") == 0;

    if (!is_visible(target) ||
        (*target != '/' && strcmp(target, "*") != 0 &&
         strcmp(head->method, "CONNECT") != 0 && !take_absolute(target, &path, head)))
        return refuse(
            err, 400,
            "The target of the request is neither a path nor an http address");
    query = strchr(path, '?');
    head->query = query ? query + 1 : "";
    if (query)
        *query = '\0';
    if (*path != '\0')
        head->path = path;
    else /* an address without a path */
        head->path = options && !query ? "*" : "/";
    if (strcmp(head->path, "*") == 0 && !options)
        return refuse(err, 400, "Only OPTIONS can ask for *");
    return 0;
}

static int read_first_line(char *line, struct head *head, struct dbk_error *err)
{
    char *target, *version;
    size_t length = token_length(line);

    if (length == 0 || line[length] != ' ' || !cut_word(line, &target) ||
        !cut_word(target, &version))
        return refuse(
            err, 400,
            "The request does not begin with a method, a target and HTTP/1.1");
    head->method = line;
    int status = read_version(version, head, err);
    return status ? status : read_target(target, head, err);
}

/* Source: RFC 9112, sections 5.1 and 5.2: what stands between a name and its colon, and a
 * line that goes on with a blank, others may have read otherwise. */
static int read_field(char *line, struct head *head, struct dbk_error *err)
{
    struct head_field *field = &head->fields[head->count];
    size_t name = token_length(line);
    char *value = line + name, *end;

    if (name == 0 || *value != ':')
        return refuse(err, 400,
                      "A header line does not begin with its name and a colon");
    if (head->count == HEAD_FIELDS_MAX)
        return refuse(err, 431,
                      "The request has too many headers; at most 63 are read");
    *value++ = '\0';
    value += strspn(value, " \t");
    end = value + strlen(value);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    *field = (struct head_field){line, value};
    head->count++;
    return 0;
}

/* End the line with a NUL for its CR, and return the next. */
static char *end_line(char *line, const char *end)
{
    char *cr = memchr(line, '\r', (size_t)(end - line));

    if (!cr)
        return NULL;
    *cr = '\0';
    return cr + 2;
}

int head_read(char *text, size_t length, struct head *head, struct dbk_error *err)
{
    const char *end = text + length;
    char *line = text, *next = end_line(text, end);
    int status;

    head->method = head->host = NULL;
    head->path = head->query = "";
    head->version = "1.1";
    head->count = 0;
    if (!next)
        return refuse(err, 400, "The request has no first line");
    status = read_first_line(line, head, err);
    for (line = next; status == 0 && line < end; line = next) {
        next = end_line(line, end);
        if (!next)
            return refuse(err, 400, "A header line has no end");
        if (*line == '\0')
            return 0;
        status = read_field(line, head, err);
    }
    return status ? status : refuse(err, 400, "The headers have no end");
}

/* Many names are asked for in each request, and few of them are there: most are told
 * apart by their first letter. */
static bool is_named(const struct head_field *field, const char *name)
{
    return ((field->name[0] ^ name[0]) & ~0x20) == 0 &&
           strcasecmp(field->name, name) == 0;
}

const char *head_field(const struct head *head, const char *name, unsigned *count)
{
    const char *value = NULL;

    *count = 0;
    for (size_t i = 0; i < head->count; i++) {
        if (is_named(&head->fields[i], name) && (*count)++ == 0)
            value = head->fields[i].value;
    }
    return value;
}

/* The end of a member: a comma that stands in no quotes, or the end of the text. */
static const char *member_end(const char *at)
{
    bool quoted = false;

    for (; *at && (quoted || *at != ','); at++) {
        if (quoted && at[0] == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return at;
}

const char *head_list_next(const struct head *head, const char *name, size_t *field,
                           const char **at, size_t *length)
{
    for (;;) {
        while (!*at) {
            if (*field == head->count)
                return NULL;
            if (is_named(&head->fields[(*field)++], name))
                *at = head->fields[*field - 1].value;
        }
        *at += strspn(*at, ", \t");
        const char *member = *at, *end = member_end(member);
        *at = *end ? end : NULL;
        while (end > member && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        *length = (size_t)(end - member);
        if (*length > 0)
            return member;
    }
}

bool head_lists(const struct head *head, const char *name, const char *token)
{
    size_t field = 0, length;
    const char *at = NULL, *member;

    while ((member = head_list_next(head, name, &field, &at, &length))) {
        if (length == strlen(token) && strncasecmp(member, token, length) == 0)
            return true;
    }
    return false;
}
