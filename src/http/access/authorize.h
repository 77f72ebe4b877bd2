/* authorize.h - whether a request may do what it asks, by the token that it brings. */
#ifndef DBK_HTTP_AUTHORIZE_H
#define DBK_HTTP_AUTHORIZE_H

#include "request.h"

/* Check Authorization against the scope of the route (routes.h), where tokens are
 * required; the name of the token becomes rq->actor. Where the scope has DBK_SCOPE_INGEST,
 * a token that only ingests is also taken from the query: key=TOKEN. The request counts as
 * one event of the token's bounds (quota.h). Returns 0, or the status to refuse with: 400,
 * 401, 403, 429 or 503, and err says why. */
int authorize(struct request *rq, unsigned scope, struct dbk_error *err);

/* Whether its token has one of these scopes, where the route takes several; for handlers. Else
 * rq->failure is 403, and err says why. */
enum dbk_code authorize_scope(struct request *rq, unsigned scope,
                              struct dbk_error *err);

/* Count a body's bytes. Returns 0, or 429 (err says why). */
int authorize_bytes(struct request *rq, uint64_t bytes, struct dbk_error *err);

/* Count events beside the one that the request is. Where they are too many, rq->failure is
 * 429, and err says why; for handlers. */
enum dbk_code authorize_events(struct request *rq, uint64_t events,
                               struct dbk_error *err);

/* While no tokens are asked for, only a request that means this machine is taken
 * (host.h): else any page in a browser here could let its own name point here, and read
 * and write everything. Returns 0, or 421, and err says why. */
int authorize_host(const struct request *rq, struct dbk_error *err);

#endif
