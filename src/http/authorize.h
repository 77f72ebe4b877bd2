/* authorize.h - whether a request may do what it asks, by the token that it brings. */
#ifndef DBK_HTTP_AUTHORIZE_H
#define DBK_HTTP_AUTHORIZE_H

#include "request.h"

/* Check Authorization against the scope of the route (routes.h), where tokens are
 * required; the name of the token becomes rq->actor. Returns 0, or the status to refuse
 * with: 401, 403, 429 or 503, and err says why. */
int authorize(struct request *rq, unsigned scope, struct dbk_error *err);

#endif
