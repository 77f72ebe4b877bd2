/* ceiling_http - the fastest server that could be made of the same parts: civetweb and
 * jansson, and LMDB with one database. What it leaves out is the product.
 *
 *   ceiling_http THREADS constant     GET and POST get a constant JSON
 *   ceiling_http THREADS memory FILE  GET gets the bytes of FILE
 *   ceiling_http THREADS group DIR    POST of an event is appended by group commit
 *   ceiling_http THREADS naive DIR    the same, with a transaction of its own
 *
 * Prints the port that it listens on, serves until its standard input ends, and then
 * prints how many records it holds.
 */
#include "civetweb_settings.h"
#include "event.h"
#include "group.h"

#include <civetweb.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX 8192
#define ANSWER_MAX 16384

struct ceiling {
    char *answer; /* a whole one, where it is always the same */
    size_t answer_length;
    struct group *group; /* or NULL */
};

static const char *date(void)
{
    static _Thread_local char text[64];
    static _Thread_local time_t at;
    time_t now = time(NULL);
    struct tm utc;

    if (now != at) {
        gmtime_r(&now, &utc);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        at = now;
    }
    return text;
}

static size_t read_body(struct mg_connection *connection, char *body)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    size_t length = 0, wanted = (size_t)info->content_length;

    if (info->content_length < 0 || wanted > BODY_MAX)
        return 0;
    while (length < wanted) {
        int n = mg_read(connection, body + length, wanted - length);

        if (n <= 0)
            return 0;
        length += (size_t)n;
    }
    return length;
}

/* The head that the product sends, and the body, in one write. */
static int answer_created(struct mg_connection *connection, const struct event *event,
                          const struct append *append)
{
    char body[ANSWER_MAX / 2], answer[ANSWER_MAX], id[DBK_UUID_TEXT + 1];
    int length = event_render(event, append->at, body, sizeof body);
    int total;

    dbk_uuid_format(&event->record.subject, id);
    total = snprintf(answer, sizeof answer,
                     "HTTP/1.1 201 Created\r\nDate: %s\r\nConnection: keep-alive\r\n"
                     "Content-Length: %d\r\nX-Content-Type-Options: nosniff\r\n"
                     "X-Request-Id: %s\r\nContent-Type: application/json\r\n"
                     "Daybook-Sequence: %" PRIu64 "\r\nLocation: /events/%s\r\n"
                     "ETag: \"%" PRIu64 "\"\r\n\r\n%.*s",
                     date(), length, event->request_id, append->sequence, id,
                     append->sequence, length, body);
    mg_write(connection, answer, (size_t)total);
    return 201;
}

static int refuse(struct mg_connection *connection, int status)
{
    char answer[128];
    int total = snprintf(
        answer, sizeof answer,
        "HTTP/1.1 %d No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);

    mg_disable_connection_keep_alive(connection);
    mg_write(connection, answer, (size_t)total);
    return status;
}

static int record(struct ceiling *ceiling, struct mg_connection *connection)
{
    char body[BODY_MAX], bytes[BODY_MAX + 1024];
    size_t length = read_body(connection, body);
    struct append append = {.bytes = bytes};
    struct dbk_error err;
    struct event event;
    int status;

    if (!event_read(&event, body, length) ||
        dbk_record_encode(&event.record, bytes, sizeof bytes, &append.length, &err) !=
            DBK_OK) {
        status = refuse(connection, 400);
    } else {
        group_append(ceiling->group, &append);
        status = append.rc == 0 ? answer_created(connection, &event, &append)
                                : refuse(connection, 503);
    }
    event_finish(&event);
    return status;
}

static int on_request(struct mg_connection *connection)
{
    struct ceiling *ceiling = mg_get_user_data(mg_get_context(connection));
    char body[BODY_MAX];

    if (ceiling->group)
        return record(ceiling, connection);
    read_body(connection, body);
    mg_write(connection, ceiling->answer, ceiling->answer_length);
    return 200;
}

static void keep_answer(struct ceiling *ceiling, const char *body, size_t length)
{
    ceiling->answer = malloc(length + 256);
    if (!ceiling->answer)
        exit(1);
    ceiling->answer_length =
        (size_t)sprintf(ceiling->answer,
                        "HTTP/1.1 200 OK\r\nDate: %s\r\nConnection: keep-alive\r\n"
                        "Content-Length: %zu\r\nContent-Type: application/json\r\n\r\n",
                        date(), length);
    memcpy(ceiling->answer + ceiling->answer_length, body, length);
    ceiling->answer_length += length;
}

static void keep_file(struct ceiling *ceiling, const char *path)
{
    static char bytes[32 << 20];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;

    if (!file || !feof(file)) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    keep_answer(ceiling, bytes, length);
}

static void usage(void)
{
    fputs(
        "usage: ceiling_http THREADS constant | memory FILE | group DIR | naive DIR\n",
        stderr);
    exit(2);
}

static void prepare(struct ceiling *ceiling, const char *mode, const char *operand)
{
    static const char hello[] =
        "{\"data\":null,\"response\":{\"details\":\"The request was successful\","
        "\"message\":\"Ok\",\"status\":200}}";

    if (!strcmp(mode, "constant"))
        keep_answer(ceiling, hello, sizeof hello - 1);
    else if (!operand)
        usage();
    else if (!strcmp(mode, "memory"))
        keep_file(ceiling, operand);
    else if (!strcmp(mode, "group") || !strcmp(mode, "naive"))
        ceiling->group = group_open(operand, !strcmp(mode, "group"));
    else
        usage();
}

static struct mg_context *serve(struct ceiling *ceiling, const char *threads)
{
    const struct mg_callbacks callbacks = {.begin_request = on_request};
    const struct dbk_server_options options = {
        .address = "127.0.0.1",
        .threads = (unsigned)strtoul(threads, NULL, 10),
        .request_timeout_ms = 30000,
    };
    struct civetweb_settings settings;
    struct mg_context *context;
    struct mg_server_port port;

    civetweb_settings_fill(&settings, &options);
    context = mg_start(&callbacks, ceiling, settings.list);
    if (!context || mg_get_server_ports(context, 1, &port) != 1) {
        fputs("civetweb does not start\n", stderr);
        exit(1);
    }
    printf("%d\n", port.port);
    fflush(stdout);
    return context;
}

int main(int argc, char **argv)
{
    struct ceiling ceiling = {0};
    struct mg_context *context;
    char byte;

    if (argc < 3)
        usage();
    prepare(&ceiling, argv[2], argc > 3 ? argv[3] : NULL);
    context = serve(&ceiling, argv[1]);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    mg_stop(context);
    printf("%zu\n", ceiling.group ? group_close(ceiling.group) : 0);
    free(ceiling.answer);
    return 0;
}
