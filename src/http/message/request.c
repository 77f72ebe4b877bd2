#include "request.h"

#include "framing.h"
#include "guard.h"
#include "tap.h"
#include "worker.h"

#include <civetweb.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *request_header(const struct request *rq, const char *name)
{
    unsigned count;

    return framing_header(mg_get_request_info(rq->connection), name, &count);
}

struct accept request_accept(const struct request *rq, const char *type)
{
    return accept_of(mg_get_request_info(rq->connection), type);
}

/* What paths answer with that do not answer with JSON alone. */
static const struct {
    const char *path;
    const char *types[3]; /* none: what is there */
} others[] = {
    {"/", {"text/html", "application/json"}},
    {"/docs", {"text/html"}},
    {"/docs/{file}", {NULL}},
    {"/log", {"application/json", "application/x-ndjson"}},
    {"/log/{sequence}", {"application/json", "application/x-ndjson"}},
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

/* Proxies replace the header, add to it, or add a line: theirs is the last one. */
void request_client(const struct request *rq, char out[CLIENT_ADDRESS_TEXT])
{
    const struct mg_request_info *info = mg_get_request_info(rq->connection);
    const char *forwarded = NULL;

    for (int i = 0; i < info->num_headers; i++) {
        if (!strcasecmp(info->http_headers[i].name, "X-Forwarded-For"))
            forwarded = info->http_headers[i].value;
    }
    client_address(info->remote_addr, rq->service->options.trusted_proxy, forwarded,
                   out);
}

bool request_may_read(const struct request *rq)
{
    return rq->scopes & (DBK_SCOPE_READ | DBK_SCOPE_ADMIN);
}

void request_new_id(struct request *rq)
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
void request_guard(struct request *rq)
{
    const struct mg_request_info *info = mg_get_request_info(rq->connection);

    rq->guarded = mg_get_user_connection_data(rq->connection);
    if (rq->guarded)
        return;
    rq->guarded = guard_begin(rq->service->guard, info->remote_addr, info->remote_port,
                              info->server_port);
    mg_set_user_connection_data(rq->connection, rq->guarded);
}

/* Before it is looked at where civetweb has put its NULs: with lines that end with LF alone
 * that would be past the end of a head that fills its buffer. */
static int read_framing(const struct mg_request_info *info, struct framing *framing,
                        struct dbk_error *err)
{
    if (!tap_is_unclear())
        return framing_read(info, framing, err);
    dbk_fail(err, DBK_INVALID, "Each line of the head must end with CR and LF");
    return 400;
}

int request_open(struct request *rq, struct mg_connection *connection,
                 struct dbk_error *err)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *query = info->query_string ? info->query_string : "";
    struct framing framing = {0};
    int status;

    rq->connection = connection;
    request_guard(rq);
    rq->method = info->request_method;
    rq->path = info->local_uri_raw;
    rq->version = info->http_version;
    rq->query = query;
    if (!take_id(rq, request_header(rq, "X-Request-Id")))
        request_new_id(rq);
    copy_query(rq, query);
    status = read_framing(info, &framing, err);
    rq->host = framing.host;
    rq->chunked = framing.chunked;
    rq->has_length = framing.has_length;
    rq->length = framing.length;
    rq->body_taken = status == 0 && !rq->chunked && rq->length == 0;
    return status;
}
