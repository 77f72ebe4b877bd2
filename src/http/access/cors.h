/* cors.h - which other sites' pages may call the API from a browser: those whose origins
 * are configured, and else none, for a browser asks first.
 *
 * A token comes in a header of the script's own, so browsers are never told to send
 * cookies or the like with a request. */
#ifndef DBK_HTTP_CORS_H
#define DBK_HTTP_CORS_H

#include "request.h"
#include "store/render.h"

/* Render what a browser must be told with this answer, as header lines. Only where
 * origins are configured. */
void cors_render(const struct request *rq, struct dbk_render *out);

#endif
