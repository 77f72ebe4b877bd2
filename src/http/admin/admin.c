#include "admin.h"

#include "access.h"
#include "fresh.h"
#include "worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "http://localhost:8080" is the origin of what Host calls "localhost:8080"; a proxy in
 * front may speak TLS. */
static bool is_own(const struct request *rq, const char *origin)
{
    bool safe = strncmp(origin, "https://", 8) == 0;

    if (!rq->host || (!safe && strncmp(origin, "http://", 7) != 0))
        return false;
    return strcasecmp(origin + (safe ? 8 : 7), rq->host) == 0;
}

static bool is_let(const struct request *rq, const char *origin)
{
    const char *const *list = rq->service->options.cors_origins;

    for (; list && *list; list++) {
        if (strcmp(*list, origin) == 0)
            return true;
    }
    return false;
}

/* Browsers say so of each request, also of one without an Origin; programs say nothing.
 * Source: https://www.w3.org/TR/fetch-metadata/. */
static bool is_of_own_page(const struct request *rq)
{
    const char *site = request_header(rq, "Sec-Fetch-Site");

    return !site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

enum dbk_code admin_check_page(struct request *rq, struct dbk_error *err)
{
    const char *origin = request_header(rq, "Origin");
    const char *named = "Origin";

    if (access_required(rq->service->access) || (origin && is_let(rq, origin)))
        return DBK_OK;
    if (!origin || is_own(rq, origin)) {
        if (is_of_own_page(rq))
            return DBK_OK;
        named = "Sec-Fetch-Site";
    }
    rq->failure = 403;
    return dbk_fail(err, DBK_INVALID,
                    "The header %s names a page of another site, which may not do "
                    "this; where that is wanted, make a token (daybook token create), "
                    "or name its origin in CORS_ORIGINS",
                    named);
}

enum dbk_code admin_reach(struct request *rq, struct dbk_error *err)
{
    int64_t hangs = rq->service->model ? dbk_read_model_hangs(rq->service->model) : 0;

    if (!rq->service->options.database) {
        rq->unavailable = "This server has no read tables";
        return dbk_fail(err, DBK_UNAVAILABLE, "there is no database");
    }
    if (hangs > 0) {
        dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL has not answered for %lld ms",
                 (long long)hangs);
        return admin_tell(rq, err);
    }
    return fresh_enter(rq, true, err);
}

enum dbk_code admin_tell(struct request *rq, struct dbk_error *err)
{
    /* No tables yet, or such as were changed: nothing is wrong with the request. */
    if (err->code == DBK_NOT_FOUND || err->code == DBK_INVALID ||
        err->code == DBK_TIMEOUT)
        err->code = DBK_UNAVAILABLE;
    if (err->code != DBK_UNAVAILABLE)
        return err->code;
    snprintf(rq->worker->unavailable, sizeof rq->worker->unavailable,
             "The read tables cannot be asked now%s%.400s",
             rq->service->options.show_error_details ? "" : ": ",
             rq->service->options.show_error_details ? "" : err->text);
    rq->unavailable = rq->worker->unavailable;
    return err->code;
}

void admin_who(const struct request *rq, char out[ADMIN_WHO_TEXT])
{
    char client[CLIENT_ADDRESS_TEXT];

    if (*rq->actor) {
        snprintf(out, ADMIN_WHO_TEXT, "%s", rq->actor);
        return;
    }
    request_client(rq, client);
    snprintf(out, ADMIN_WHO_TEXT, "a client without a token, %s", client);
}

void admin_note(const struct request *rq, const char *format, ...)
{
    const struct dbk_server_options *options = &rq->service->options;
    char what[256], who[ADMIN_WHO_TEXT], line[sizeof what + sizeof who + 8];
    va_list args;

    if (!options->notice)
        return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    admin_who(rq, who);
    snprintf(line, sizeof line, "%s by %s", what, who);
    options->notice(options->report_context, line);
}
