#include "cors.h"

#include "access.h"

#include <string.h>

#define KEPT "600" /* seconds that a browser need not ask again */

/* What else than the safe ones a script may send, and see. */
#define SENT                                                                           \
    "Authorization, Content-Encoding, Content-Type, Daybook-Sequence, "                \
    "Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, traceparent, "   \
    "tracestate, X-Request-Id"
#define SEEN                                                                           \
    "Allow, Daybook-Leader, Daybook-Projected-Sequence, Daybook-Sequence, ETag, "      \
    "Link, Location, "                                                                 \
    "Idempotency-Replayed, Preference-Applied, Retry-After, WWW-Authenticate, "        \
    "X-Request-Id"

/* The same of what ingests. */
#define SENT_TO_INGEST                                                                 \
    "Authorization, Content-Encoding, Content-Type, Idempotency-Key, traceparent, "    \
    "tracestate, X-Request-Id"
#define SEEN_OF_INGEST "Retry-After, WWW-Authenticate, X-Request-Id"

static bool is_let(const char *const *origins, const char *origin)
{
    for (; *origins; origins++) {
        if (strcmp(*origins, origin) == 0)
            return true;
    }
    return false;
}

/* It asks whether it may, before it does. */
static bool asks_first(const struct request *rq)
{
    return rq->match.options && request_header(rq, "Access-Control-Request-Method");
}

/* The path takes what ingests, and there is a token for that. */
static bool is_for_ingest(const struct request *rq)
{
    const struct route *route = rq->match.route;
    bool takes = route ? (route->scope & DBK_SCOPE_INGEST) != 0 : rq->match.ingests;

    return takes && access_required(rq->service->access) &&
           access_ingests(rq->service->access);
}

/* Whose token it will be is not known when a browser asks first. */
static bool may_ingest(const struct request *rq, const char *origin)
{
    return asks_first(rq) ? access_origin_let(rq->service->access, origin)
                          : rq->origin_let;
}

static void render_first(const struct request *rq, bool all, struct dbk_render *out)
{
    dbk_render_text(out, "Access-Control-Allow-Methods: ");
    dbk_render_text(out, all ? rq->match.allow : "POST");
    dbk_render_text(out, "\r\nAccess-Control-Allow-Headers: ");
    dbk_render_text(out, all ? SENT : SENT_TO_INGEST);
    dbk_render_text(out, "\r\nAccess-Control-Max-Age: " KEPT "\r\n");
}

void cors_render(const struct request *rq, struct dbk_render *out)
{
    const char *const *origins = rq->service->options.cors_origins;
    bool ingests = is_for_ingest(rq), all, some;
    const char *origin;

    if (!origins && !ingests)
        return;
    dbk_render_text(out, "Vary: Origin\r\n");
    origin = request_header(rq, "Origin");
    all = origin && origins && is_let(origins, origin);
    some = origin && ingests && may_ingest(rq, origin);
    if (!all && !some)
        return;
    dbk_render_text(out, "Access-Control-Allow-Origin: ");
    dbk_render_text(out, origin);
    dbk_render_text(out, "\r\n");
    if (some)
        dbk_render_text(out, "Access-Control-Allow-Credentials: true\r\n");
    if (asks_first(rq)) {
        render_first(rq, all, out);
        return;
    }
    dbk_render_text(out, all ? "Access-Control-Expose-Headers: " SEEN
                             : "Access-Control-Expose-Headers: " SEEN_OF_INGEST);
    dbk_render_text(out,
                    rq->use.bounded ? ", RateLimit, RateLimit-Policy\r\n" : "\r\n");
}
