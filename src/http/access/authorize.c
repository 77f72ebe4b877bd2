#include "authorize.h"

#include "access.h"
#include "client_address.h"
#include "host.h"
#include "limiter.h"
#include "store/clock.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define REALM "Bearer realm=\"daybook\""

/* What follows "Bearer ", without blanks around it. False: it is no bearer token, so
 * none was brought. */
static bool take_bearer(const char *header, struct dbk_slice *secret)
{
    static const char scheme[] = "Bearer";
    size_t length = sizeof scheme - 1;

    if (!header || strncasecmp(header, scheme, length) != 0 ||
        (header[length] != ' ' && header[length] != '\0'))
        return false;
    header += length;
    header += strspn(header, " ");
    length = strlen(header);
    while (length > 0 && (header[length - 1] == ' ' || header[length - 1] == '\t'))
        length--;
    *secret = (struct dbk_slice){header, length};
    return true;
}

/* Parts of the query whose name is key, and the value of the last. What is percent-encoded
 * is none: no token needs that. */
static unsigned take_key(const char *query, struct dbk_slice *secret)
{
    unsigned count = 0;

    while (*query) {
        size_t length = strcspn(query, "&");
        if (length > 4 && strncmp(query, "key=", 4) == 0) {
            *secret = (struct dbk_slice){query + 4, length - 4};
            count++;
        }
        query += length + (query[length] == '&');
    }
    return count;
}

static uint32_t address_of(const struct request *rq)
{
    char client[CLIENT_ADDRESS_TEXT];

    request_client(rq, client);
    return client_address_key(client);
}

static int refuse_missing(struct request *rq, struct dbk_error *err)
{
    rq->challenge = REALM;
    dbk_fail(err, DBK_INVALID,
             "This needs an access token, sent as Authorization: Bearer TOKEN");
    return 401;
}

static int refuse_wrong(struct request *rq, struct dbk_error *err)
{
    unsigned wait = limiter_fail(rq->service->limiter, address_of(rq), dbk_clock_ms());

    if (wait > 0) {
        rq->retry_after = wait;
        dbk_fail(err, DBK_INVALID,
                 "Too many wrong access tokens came from this address");
        return 429;
    }
    rq->challenge = REALM ", error=\"invalid_token\"";
    dbk_fail(err, DBK_INVALID, "The access token is not known; it may be revoked");
    return 401;
}

/* Whether the query has this part; what is percent-encoded is none. */
static bool asks(const char *query, const char *part)
{
    size_t length = strlen(part);

    while (*query) {
        size_t here = strcspn(query, "&");
        if (here == length && memcmp(query, part, length) == 0)
            return true;
        query += here + (query[here] == '&');
    }
    return false;
}

/* What to ask for, of what the route takes. */
static unsigned scope_to_name(const struct request *rq, unsigned scope)
{
    /* That of who may do more is the one to name. */
    scope &= ~(unsigned)DBK_SCOPE_INGEST;
    /* The query tells which of them a DELETE needs. */
    if (scope == (DBK_SCOPE_WRITE | DBK_SCOPE_ERASE))
        scope = asks(rq->query, "erase=true") ? DBK_SCOPE_ERASE : DBK_SCOPE_WRITE;
    return scope;
}

static int refuse_scope(struct request *rq, unsigned scope, struct dbk_error *err)
{
    char name[DBK_SCOPES_TEXT];

    scope = scope_to_name(rq, scope);
    dbk_scopes_format(scope, name);
    rq->challenge = REALM ", error=\"insufficient_scope\"";
    dbk_fail(err, DBK_INVALID, "The access token \"%s\" lacks %s %s", rq->actor,
             scope & (scope - 1) ? "all of the scopes" : "the scope", name);
    return 403;
}

/* Where a page sends a beacon it can set no header. *in_query tells that it stands there.
 * Returns 0, or the status to refuse with. */
static int take_secret(struct request *rq, unsigned scope, struct dbk_slice *secret,
                       bool *in_query, struct dbk_error *err)
{
    unsigned count, keys = 0;
    const char *header = head_field(rq->head, "Authorization", &count);
    bool bearer;

    if (count > 1) { /* a proxy may have looked at the other */
        dbk_fail(err, DBK_INVALID, "The header Authorization comes more than once");
        return 400;
    }
    if (scope & DBK_SCOPE_INGEST)
        keys = take_key(rq->query, secret);
    *in_query = keys > 0;
    bearer = take_bearer(header, secret);
    if (keys + bearer > 1) {
        dbk_fail(err, DBK_INVALID,
                 "An access token comes more than once; send one, as Authorization: "
                 "Bearer TOKEN or in the query as key=TOKEN");
        return 400;
    }
    return keys + bearer == 0 ? refuse_missing(rq, err) : 0;
}

static int refuse_in_query(struct request *rq, struct dbk_error *err)
{
    rq->challenge = REALM ", error=\"invalid_request\"";
    dbk_fail(err, DBK_INVALID,
             "The access token \"%s\" may do more than ingest, so it is not taken from "
             "the query, which others may keep: send it as Authorization: Bearer TOKEN",
             rq->actor);
    return 403;
}

static int refuse_origin(const struct request *rq, struct dbk_error *err)
{
    dbk_fail(
        err, DBK_INVALID,
        "Pages of this origin may not send with the access token \"%s\"; which may "
        "is said where it is made (daybook token create --origin)",
        rq->actor);
    return 403;
}

/* Whether what was found may do it, from there. */
static int check_bearer(struct request *rq, const struct access_bearer *bearer,
                        unsigned scope, bool in_query, struct dbk_error *err)
{
    if (!(bearer->scopes & (scope | DBK_SCOPE_ADMIN)))
        return refuse_scope(rq, scope, err);
    if (in_query && !request_only_ingests(rq))
        return refuse_in_query(rq, err);
    if (!bearer->origin_let)
        return refuse_origin(rq, err);
    rq->origin_let = request_only_ingests(rq);
    return 0;
}

/* Returns 0, or 429. */
static int take(struct request *rq, uint64_t events, uint64_t bytes,
                struct dbk_error *err)
{
    const char *why;
    unsigned wait = quota_take(rq->service->quota, &rq->use, events, bytes,
                               dbk_clock_ms(), time(NULL), &why);

    if (wait == 0)
        return 0;
    rq->retry_after = wait;
    dbk_fail(err, DBK_INVALID,
             "The access token \"%s\" has used up its %s; come again in %u second%s",
             rq->actor, why, wait, wait == 1 ? "" : "s");
    return 429;
}

/* What is left stands in every answer, also to what is refused and takes nothing. */
static void look_at_use(struct request *rq)
{
    const char *why;

    quota_take(rq->service->quota, &rq->use, 0, 0, dbk_clock_ms(), time(NULL), &why);
}

int authorize_bytes(struct request *rq, uint64_t bytes, struct dbk_error *err)
{
    return bytes == 0 ? 0 : take(rq, 0, bytes, err);
}

enum dbk_code authorize_scope(struct request *rq, unsigned scope, struct dbk_error *err)
{
    if (rq->scopes & (scope | DBK_SCOPE_ADMIN))
        return DBK_OK;
    rq->failure = refuse_scope(rq, scope, err);
    return err->code;
}

enum dbk_code authorize_events(struct request *rq, uint64_t events,
                               struct dbk_error *err)
{
    rq->failure = events == 0 ? 0 : take(rq, events, 0, err);
    return rq->failure == 0 ? DBK_OK : err->code;
}

int authorize(struct request *rq, unsigned scope, struct dbk_error *err)
{
    struct access *access = rq->service->access;
    struct access_bearer bearer;
    struct dbk_slice secret;
    enum dbk_code code;
    bool in_query;
    int status;

    rq->scopes = access_required(access) ? 0 : DBK_SCOPE_ADMIN;
    if (!access_required(access) || scope == 0)
        return 0;
    status = take_secret(rq, scope, &secret, &in_query, err);
    if (status != 0)
        return status;
    code = access_find(access, secret, request_header(rq, "Origin"), address_of(rq),
                       &bearer, err);
    if (code == DBK_UNAVAILABLE) {
        rq->unavailable = "The access tokens cannot be read; the server's log has the "
                          "reason";
        return 503;
    }
    if (code != DBK_OK)
        return refuse_wrong(rq, err);
    memcpy(rq->actor, bearer.name, sizeof rq->actor);
    rq->scopes = bearer.scopes;
    rq->use = bearer.use;
    status = check_bearer(rq, &bearer, scope, in_query, err);
    if (status == 0)
        return take(rq, 1, 0, err);
    look_at_use(rq);
    return status;
}

int authorize_host(const struct request *rq, struct dbk_error *err)
{
    if (!rq->host || access_required(rq->service->access) || host_is_loopback(rq->host))
        return 0;
    dbk_fail(err, DBK_INVALID,
             "The header Host names another machine. Without access tokens only "
             "localhost and 127.0.0.1 are served; to serve under another name, make a "
             "token (daybook token create)");
    return 421;
}
