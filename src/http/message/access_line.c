#include "access_line.h"

#include "client_address.h"
#include "store/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_MAX 512 /* what is shown of path and query */
#define NAME_MAX_SHOWN 32

/* Where what is no path begins: a query that a client has encoded into it by mistake, once
 * or twice, a fragment, parameters of it as Java servers know them. */
static size_t path_length(const char *path)
{
    static const char *const marks[] = {"%3F", "%253F", ";", "#"};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = strcasestr(path, marks[i]);
        if (mark && (size_t)(mark - path) < length)
            length = (size_t)(mark - path);
    }
    return length;
}

/* A name as ours are, before its "=" and a value: whatever else stands there may be a
 * secret, also what ends with "=", as base64 does. */
static size_t name_length(const char *part)
{
    size_t length = strspn(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-.[]");

    return part[length] == '=' && part[length + 1] && !strchr("=&", part[length + 1]) &&
                   length <= NAME_MAX_SHOWN
               ? length
               : 0;
}

static void add(char *target, const char *text, size_t length)
{
    size_t used = strlen(target);

    if (length > TARGET_MAX - used)
        length = TARGET_MAX - used;
    memcpy(target + used, text, length);
    target[used + length] = '\0';
}

/* Where somebody has put an address in the place of an id, or made a path of one: where its
 * segment begins; else the path's end. */
static const char *before_address(const char *path, size_t length)
{
    const char *at = memchr(path, '@', length), *coded = memmem(path, length, "%40", 3);

    if (!at || (coded && coded < at))
        at = coded;
    if (!at)
        return path + length;
    while (at > path && at[-1] != '/')
        at--;
    return at;
}

/* How much of the path is before the first text that names somebody, as an external id does,
 * which may well be an address; all of it where there is none. */
static size_t before_text(const struct request *rq)
{
    const char *texts[] = {rq->match.value.data, rq->match.anonymous_id.data,
                           rq->match.name.data};
    const char *first = before_address(rq->path, path_length(rq->path));

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i] && texts[i] >= rq->path && texts[i] < first)
            first = texts[i];
    }
    return (size_t)(first - rq->path);
}

/* The path, and of the query the parameters' names: values may be secrets, and logs are
 * read by many and kept for long. */
static void put_target(const struct request *rq, char target[TARGET_MAX + 1])
{
    size_t path = path_length(rq->path), named = before_text(rq);
    const char *part = rq->query;

    target[0] = '\0';
    add(target, rq->path, named < path ? named : path);
    if (named < path)
        add(target, "*", 1);
    else if (rq->path[path])
        add(target, "?*", 2);
    for (size_t i = 0; *part; i++) {
        size_t name = name_length(part);
        add(target, i ? "&" : "?", 1);
        add(target, name ? part : "*", name ? name : 1);
        part += strcspn(part, "&");
        part += *part == '&';
    }
}

void access_line_tell(const struct request *rq, const struct response *rs,
                      int64_t took_us)
{
    const struct dbk_server_options *options = &rq->service->options;
    char target[TARGET_MAX + 1], client[CLIENT_ADDRESS_TEXT];
    char trace_id[TRACE_ID_TEXT + 1];
    struct dbk_access entry;

    if (!options->access || rq->taken_over)
        return;
    put_target(rq, target);
    request_client(rq, client);
    traceparent_trace_id(rq->traceparent, trace_id);
    entry = (struct dbk_access){
        .method = rq->method,
        .path = target,
        .remote = client,
        .request_id = rq->id,
        .trace_id = trace_id,
        .actor = rq->actor,
        .status = response_status(rs),
        .sequence = rs->sequence,
        .bytes = rs->bytes,
        .milliseconds = (double)took_us / 1e3,
        .error = rs->error,
    };
    options->access(options->access_context, &entry);
}

struct access_later {
    const struct dbk_server_options *options;
    int64_t began;
    int status;
    char method[16], target[TARGET_MAX + 1], client[CLIENT_ADDRESS_TEXT];
    char id[REQUEST_ID_MAX + 1], trace_id[TRACE_ID_TEXT + 1];
    char actor[DBK_TOKEN_NAME_MAX + 1];
};

struct access_later *access_later_keep(const struct request *rq, int status)
{
    const struct dbk_server_options *options = &rq->service->options;
    struct access_later *later = options->access ? calloc(1, sizeof *later) : NULL;

    if (!later)
        return NULL;
    later->options = options;
    later->began = rq->began;
    later->status = status;
    snprintf(later->method, sizeof later->method, "%s", rq->method);
    put_target(rq, later->target);
    request_client(rq, later->client);
    snprintf(later->id, sizeof later->id, "%s", rq->id);
    traceparent_trace_id(rq->traceparent, later->trace_id);
    snprintf(later->actor, sizeof later->actor, "%s", rq->actor);
    return later;
}

void access_later_tell(struct access_later *later, uint64_t bytes, const char *error)
{
    struct dbk_access entry;

    if (!later)
        return;
    entry = (struct dbk_access){
        .method = later->method,
        .path = later->target,
        .remote = later->client,
        .request_id = later->id,
        .trace_id = later->trace_id,
        .actor = later->actor,
        .status = later->status,
        .bytes = bytes,
        .milliseconds = (double)(dbk_clock_us() - later->began) / 1e3,
        .error = error,
    };
    later->options->access(later->options->access_context, &entry);
    free(later);
}

void access_later_drop(struct access_later *later)
{
    free(later);
}
