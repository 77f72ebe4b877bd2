/* live.h - a real server on a real log, and raw sockets to talk to it. */
#ifndef DBK_TESTS_HTTP_LIVE_H
#define DBK_TESTS_HTTP_LIVE_H

#include "check.h"

#include "http/server.h"
#include "scratch_dir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 60000 /* until what must happen has not happened */

struct live {
    char dir[SCRATCH_DIR_MAX];
    struct dbk_log *log;
    struct dbk_server *server;
    atomic_uint accesses;
    atomic_int last_status;
    atomic_uint_least64_t last_sequence;
};

static inline void live_access(void *context, const struct dbk_access *entry)
{
    struct live *live = context;

    atomic_store(&live->last_status, entry->status);
    atomic_store(&live->last_sequence, entry->sequence);
    atomic_fetch_add(&live->accesses, 1);
}

static inline struct dbk_server_options live_options(struct live *live)
{
    return (struct dbk_server_options){
        .address = "127.0.0.1",
        .threads = 8,
        .body_max = 1 << 20,
        .batch_body_max = 4 << 20,
        .batch_items_max = 1000,
        .bodies_max = 64 << 20,
        .read_wait_ms = 100,
        .request_timeout_ms = 10000,
        .idempotency_keep_us = INT64_C(3600) * 1000000,
        .access = live_access,
        .access_context = live,
    };
}

/* A server on a new log, in a directory of its own. */
static inline void live_open(struct live *live,
                             const struct dbk_server_options *options,
                             struct dbk_projector *projector,
                             struct dbk_read_model *model)
{
    struct dbk_error err = {0};

    scratch_dir_make(live->dir);
    if (dbk_log_open(live->dir, NULL, &live->log, &err) != DBK_OK ||
        dbk_server_start(live->log, projector, model, options, &live->server, &err) !=
            DBK_OK)
        fail_msg("%s", err.text);
}

/* Start with a new log; projector and model may be NULL. */
static inline struct live *live_start(const struct dbk_server_options *given,
                                      struct dbk_projector *projector,
                                      struct dbk_read_model *model)
{
    struct live *live = calloc(1, sizeof *live);
    struct dbk_server_options options;

    assert_non_null(live);
    options = given ? *given : live_options(live);
    options.access = live_access;
    options.access_context = live;
    live_open(live, &options, projector, model);
    return live;
}

static inline void live_stop(struct live *live)
{
    dbk_server_stop(live->server, 2000);
    dbk_log_close(live->log);
    scratch_dir_remove(live->dir);
    free(live);
}

static inline int live_connect(const struct live *live)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)dbk_server_port(live->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* False once the server has closed. */
static inline bool live_send(int fd, const char *bytes, size_t length)
{
    return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* An answer, cut into head and body; text is NUL-terminated, and to be freed. */
struct heard {
    char *text;
    size_t size;
    const char *body;
    size_t length;  /* of all */
    long announced; /* Content-Length, or -1 */
    int status;     /* 0: nothing came before the connection ended */
    bool ended;     /* the connection has ended */
};

static inline void heard_free(struct heard *heard)
{
    free(heard->text);
    memset(heard, 0, sizeof *heard);
}

/* Cut off the head, once it is there, and read from it how long the body is. */
static inline void heard_head(struct heard *heard)
{
    char *end = heard->body ? NULL : strstr(heard->text, "\r\n\r\n");
    const char *at;

    if (!end)
        return;
    *end = '\0';
    at = strcasestr(heard->text, "\r\nContent-Length: ");
    *end = '\r';
    heard->announced = at ? atol(at + 18) : -1;
    heard->body = end + 4;
    heard->status = atoi(heard->text + 9);
}

static inline bool heard_whole(const struct heard *heard, bool head_only)
{
    size_t have;

    if (!heard->body)
        return false;
    have = heard->length - (size_t)(heard->body - heard->text);
    if (heard->status == 304 || heard->status == 204 || head_only)
        return true;
    if (heard->announced >= 0)
        return have >= (size_t)heard->announced;
    return have >= 5 && memcmp(heard->text + heard->length - 5, "0\r\n\r\n", 5) == 0;
}

/* Doubling, for answers may be long; the body moves along. */
static inline void heard_room(struct heard *heard, size_t more)
{
    size_t body = heard->body ? (size_t)(heard->body - heard->text) : 0;

    if (heard->length + more < heard->size)
        return;
    heard->size = 2 * (heard->size + more) + 1;
    heard->text = realloc(heard->text, heard->size);
    assert_non_null(heard->text);
    heard->body = body ? heard->text + body : NULL;
}

/* Read one answer, or until the connection ends. */
static inline struct heard live_hear(int fd, bool head_only)
{
    struct heard heard = {.text = calloc(1, 1)};

    while (!heard_whole(&heard, head_only) && !heard.ended) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        char part[65536];
        ssize_t got;
        if (poll(&ready, 1, PATIENCE_MS) <= 0)
            fail_msg("no answer");
        got = recv(fd, part, sizeof part, 0);
        heard.ended = got <= 0;
        if (got <= 0)
            break;
        heard_room(&heard, (size_t)got);
        memcpy(heard.text + heard.length, part, (size_t)got);
        heard.length += (size_t)got;
        heard.text[heard.length] = '\0';
        heard_head(&heard);
    }
    return heard;
}

/* Whether the server ends the connection without another byte. */
static inline bool live_ends(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;

    return poll(&ready, 1, PATIENCE_MS) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

/* Send raw bytes on a new connection and hear one answer. */
static inline struct heard live_raw(const struct live *live, const char *bytes,
                                    size_t length)
{
    int fd = live_connect(live);
    struct heard heard;

    live_send(fd, bytes, length);
    heard = live_hear(fd, false);
    close(fd);
    return heard;
}

/* A whole request; headers may be "" or lines with CRLF. body NULL: none. */
static inline struct heard live_ask(const struct live *live, const char *method,
                                    const char *path, const char *headers,
                                    const char *body)
{
    size_t size = strlen(path) + strlen(headers) + (body ? strlen(body) : 0) + 256;
    char *text = malloc(size), length[64] = "";
    int fd = live_connect(live);
    struct heard heard;

    assert_non_null(text);
    if (body)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    snprintf(text, size, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n%s", method,
             path, headers, length,
             body && !strcasestr(headers, "Content-Type")
                 ? "Content-Type: application/json\r\n"
                 : "",
             body ? body : "");
    live_send(fd, text, strlen(text));
    heard = live_hear(fd, strcmp(method, "HEAD") == 0);
    close(fd);
    free(text);
    return heard;
}

/* The value of a header, in out; "" where it is not there. */
static inline const char *heard_header(const struct heard *heard, const char *name,
                                       char out[256])
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\r\n%s: ", name);
    at = strcasestr(heard->text, key);
    out[0] = '\0';
    if (at && (!heard->body || at < heard->body))
        snprintf(out, 256, "%.*s", (int)strcspn(at + strlen(key), "\r"),
                 at + strlen(key));
    return out;
}

static inline void assert_heard(const struct heard *heard, int status,
                                const char *saying)
{
    if (heard->status != status || (saying && !strstr(heard->text, saying)))
        fail_msg("not %d saying \"%s\" but:\n%s", status, saying ? saying : "",
                 heard->text);
}

/* A person to record events of. */
static inline void live_add_person(const struct live *live, const char *id)
{
    struct heard heard;
    char body[300];

    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\","
             "\"last_name\":\"Pryde\"}",
             id);
    heard = live_ask(live, "POST", "/persons", "", body);
    assert_heard(&heard, 201, id);
    heard_free(&heard);
}

#endif
