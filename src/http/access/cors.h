/* cors.h - which other sites' pages may call the API from a browser, for a browser asks
 * first: those whose origins are configured; those of a token that only ingests, where it
 * may; and else none.
 *
 * A token comes in a header of the script's own, so browsers are not told to send cookies
 * or the like with a request. But a beacon (navigator.sendBeacon) is always sent with
 * them, whatever there are, and is not sent where that is not allowed: so it is, for what
 * ingests, and none of it is looked at. */
#ifndef DBK_HTTP_CORS_H
#define DBK_HTTP_CORS_H

#include "request.h"
#include "store/render.h"

/* Render what a browser must be told with this answer, as header lines: nothing where no
 * origins are configured, and none of a token's are asked for. */
void cors_render(const struct request *rq, struct dbk_render *out);

#endif
