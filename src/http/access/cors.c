#include "cors.h"

#include <string.h>

#define KEPT "600" /* seconds that a browser need not ask again */

/* What else than the safe ones a script may send, and see. */
#define SENT                                                                           \
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, "  \
    "X-Request-Id"
#define SEEN                                                                           \
    "Allow, Daybook-Projected-Sequence, Daybook-Sequence, ETag, Link, Location, "      \
    "Idempotency-Replayed, Preference-Applied, Retry-After, WWW-Authenticate, "        \
    "X-Request-Id"

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

void cors_render(const struct request *rq, struct dbk_render *out)
{
    const char *origin = request_header(rq, "Origin");

    dbk_render_text(out, "Vary: Origin\r\n");
    if (!origin || !is_let(rq->service->options.cors_origins, origin))
        return;
    dbk_render_text(out, "Access-Control-Allow-Origin: ");
    dbk_render_text(out, origin);
    if (asks_first(rq)) {
        dbk_render_text(out, "\r\nAccess-Control-Allow-Methods: ");
        dbk_render_text(out, rq->match.allow);
        dbk_render_text(out, "\r\nAccess-Control-Allow-Headers: " SENT
                             "\r\nAccess-Control-Max-Age: " KEPT "\r\n");
    } else {
        dbk_render_text(out, "\r\nAccess-Control-Expose-Headers: " SEEN "\r\n");
    }
}
