#include "authorize.h"

#include "access.h"
#include "client_address.h"
#include "host.h"
#include "limiter.h"
#include "store/clock.h"

#include <string.h>
#include <strings.h>

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

static int refuse_scope(struct request *rq, const struct access_bearer *bearer,
                        unsigned scope, struct dbk_error *err)
{
    char name[DBK_SCOPES_TEXT];

    dbk_scopes_format(scope, name);
    rq->challenge = REALM ", error=\"insufficient_scope\"";
    dbk_fail(err, DBK_INVALID, "The access token \"%s\" lacks the scope %s",
             bearer->name, name);
    return 403;
}

int authorize(struct request *rq, unsigned scope, struct dbk_error *err)
{
    struct access *access = rq->service->access;
    struct access_bearer bearer;
    struct dbk_slice secret;
    const char *header;
    enum dbk_code code;
    unsigned count;

    rq->scopes = access_required(access) ? 0 : DBK_SCOPE_ADMIN;
    if (!access_required(access) || scope == 0)
        return 0;
    header = head_field(rq->head, "Authorization", &count);
    if (count > 1) { /* a proxy may have looked at the other */
        dbk_fail(err, DBK_INVALID, "The header Authorization comes more than once");
        return 400;
    }
    if (!take_bearer(header, &secret))
        return refuse_missing(rq, err);
    code = access_find(access, secret, &bearer, err);
    if (code == DBK_UNAVAILABLE) {
        rq->unavailable = "The access tokens cannot be read; the server's log has the "
                          "reason";
        return 503;
    }
    if (code != DBK_OK)
        return refuse_wrong(rq, err);
    memcpy(rq->actor, bearer.name, sizeof rq->actor);
    rq->scopes = bearer.scopes;
    if (!(bearer.scopes & (scope | DBK_SCOPE_ADMIN)))
        return refuse_scope(rq, &bearer, scope, err);
    return 0;
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
