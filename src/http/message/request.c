#include "request.h"

#include "cloud_event.h"
#include "framing.h"
#include "guard.h"
#include "lent.h"
#include "log_page.h"
#include "sse.h"
#include "tap.h"
#include "worker.h"

#include <civetweb.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *request_header(const struct request *rq, const char *name)
{
    unsigned count;

    return head_field(rq->head, name, &count);
}

struct accept request_accept(const struct request *rq, const char *type)
{
    return accept_of(rq->head, type);
}

/* What paths answer with that do not answer with JSON alone. */
static const struct {
    const char *path;
    const char *types[5]; /* none: what is there */
} others[] = {
    {"/", {"text/html", "application/json"}},
    {"/console", {"text/html"}},
    {"/console/{file}", {NULL}},
    {"/docs", {"text/html"}},
    {"/docs/{file}", {NULL}},
    {"/metrics", {NULL}},
    {"/log", {"application/json", "application/x-ndjson", CLOUD_EVENT_BATCH_MEDIA}},
    {"/log/stream", {SSE_MEDIA, CLOUD_EVENT_MEDIA}},
    {"/log/{sequence}",
     {"application/json", "application/x-ndjson", CLOUD_EVENT_MEDIA, RECORD_MEDIA}},
    {"/log/{sequence}/proof", {NULL}},
    {"/checkpoint", {NULL}},
    {"/tile/{level}/{index}", {NULL}},
    {"/tile/{level}/{index}.p/{width}", {NULL}},
    {"/persons/{id}/history", {"application/json", "application/x-ndjson"}},
};

static const char *const json_alone[] = {"application/json", NULL};

static const char *const *types_of(const struct request *rq)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(others[i].path, rq->match.route->path) == 0)
            return others[i].types;
    }
    return json_alone;
}

int request_acceptable(const struct request *rq, struct dbk_error *err)
{
    const char *const *types = types_of(rq);
    bool excluded = false;

    for (; *types; types++) {
        excluded = accept_excludes(request_accept(rq, *types));
        if (!excluded)
            return 0;
    }
    if (!excluded)
        return 0;
    dbk_fail(err, DBK_INVALID, "Accept excludes all that %s answers with, as %s",
             rq->match.route->path, types[-1]);
    return 406;
}

/* An id of the client's is taken only where it is safe to write anywhere. */
static bool take_id(struct request *rq, const char *id)
{
    size_t length = id ? strlen(id) : 0;

    if (length == 0 || length > REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)id[i]) && !strchr("._-", id[i]))
            return false;
    }
    memcpy(rq->id, id, length + 1);
    return true;
}

/* civetweb tells it while a request is its own. */
static const char *peer_of(const struct request *rq)
{
    return rq->lent ? guarded_peer(rq->guarded)
                    : mg_get_request_info(rq->connection)->remote_addr;
}

/* Proxies replace the header, add to it, or add a line: theirs is the last one. */
void request_client(const struct request *rq, char out[CLIENT_ADDRESS_TEXT])
{
    const char *forwarded = NULL;

    for (size_t i = 0; i < rq->head->count; i++) {
        if (!strcasecmp(rq->head->fields[i].name, "X-Forwarded-For"))
            forwarded = rq->head->fields[i].value;
    }
    client_address(peer_of(rq), rq->service->options.trusted_proxy, forwarded, out);
}

bool request_may_read(const struct request *rq)
{
    return rq->scopes & (DBK_SCOPE_READ | DBK_SCOPE_ADMIN);
}

bool request_only_ingests(const struct request *rq)
{
    return rq->scopes == DBK_SCOPE_INGEST;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

uint64_t request_share(const struct request *rq)
{
    char address[CLIENT_ADDRESS_TEXT];

    if (*rq->actor)
        return hash_name(rq->actor) | 1ull << 63;
    request_client(rq, address);
    return client_address_key(address) | 1ull << 32;
}

static void new_id(struct request *rq)
{
    struct dbk_uuid id = dbk_uuid_new();

    dbk_uuid_format(&id, rq->id);
}

static void copy_query(struct request *rq, const char *query)
{
    size_t length = strnlen(query, sizeof rq->worker->query - 1);

    memcpy(rq->worker->query, query, length);
    rq->worker->query[length] = '\0';
}

/* civetweb says who is there with the first request of a connection. */
static void be_guarded(struct request *rq)
{
    const struct mg_request_info *info;

    if (rq->lent) {
        rq->guarded = rq->lent->guarded;
        return;
    }
    rq->guarded = mg_get_user_connection_data(rq->connection);
    if (rq->guarded)
        return;
    info = mg_get_request_info(rq->connection);
    rq->guarded = guard_begin(rq->service->guard, info->remote_addr, info->remote_port,
                              info->server_port);
    mg_set_user_connection_data(rq->connection, rq->guarded);
}

static int refuse(struct dbk_error *err, int status, const char *details)
{
    dbk_fail(err, DBK_INVALID, "%s", details);
    return status;
}

static int read_head(struct head *head, struct dbk_error *err)
{
    char *text;
    size_t length;

    *head = (struct head){.path = "-", .query = "", .version = "1.1"};
    switch (tap_head(&text, &length)) {
    case TAP_WHOLE:
        return head_read(text, length, head, err);
    case TAP_TOO_LONG:
        if (!memchr(text, '\r', length))
            return refuse(err, 414,
                          "The first line of the request is longer than 16,384 bytes");
        return refuse(err, 431, "The head of the request is longer than 16,384 bytes");
    case TAP_BROKEN:
        return refuse(err, 400,
                      "The head of the request has a control character, or a line that "
                      "does not end with CR and LF");
    case TAP_LATE:
        return refuse(err, 408, "The request did not arrive in time");
    case TAP_CUT:
        return refuse(err, 400, "The connection ended before the head of the request");
    case TAP_NONE:
        break;
    }
    dbk_fail(err, DBK_INTERNAL, "civetweb does not read through this program (tap.h)");
    return 500;
}

static void take_head(struct request *rq)
{
    const struct head *head = rq->head;

    rq->method = head->method ? head->method : "-";
    rq->path = head->path;
    rq->query = head->query;
    rq->version = head->version;
    rq->match.head = strcmp(rq->method, "HEAD") == 0;
    if (!take_id(rq, request_header(rq, "X-Request-Id")))
        new_id(rq);
    traceparent_read(head, rq->traceparent);
    copy_query(rq, rq->query);
}

int request_open(struct request *rq, struct mg_connection *connection,
                 struct dbk_error *err)
{
    struct framing framing = {0};
    int status;

    rq->connection = connection;
    be_guarded(rq);
    status = read_head(rq->head, err);
    take_head(rq);
    if (status == 0)
        status = framing_read(rq->head, &framing, err);
    rq->host = framing.host;
    rq->chunked = framing.chunked;
    rq->has_length = framing.has_length;
    rq->length = framing.length;
    rq->body_taken = status == 0 && !rq->chunked && rq->length == 0;
    return status;
}
