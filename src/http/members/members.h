/* members.h - a server whose log is one of several copies (http/membership.h): what writes
 * is for the one that leads, and what reads sees what any of them has acknowledged.
 *
 * On one machine, without a membership, nothing of this happens, but that a read may name
 * the sequence that it wants to see.
 */
#ifndef DBK_HTTP_MEMBERS_H
#define DBK_HTTP_MEMBERS_H

#include "http/membership.h"
#include "request.h"
#include "response.h"

/* Whether a route appends to the log, or else is for the leader alone. */
bool members_writes(const struct route *route);

/* Whether a route reads what the log or the tables have, at some moment. */
bool members_reads(const struct route *route);

/* Before the body is read: whether the request is for another server, and the client is to
 * be told so. Returns 0, or the status to refuse it with (307 or 503), and err says why. */
int members_let(struct request *rq, struct dbk_error *err);

/* Let the route's handler answer, or the leader, or nobody. Failures: theirs, and
 *
 * DBK_NOT_LEADER   another server leads, or none: nothing was written
 * DBK_UNAVAILABLE  the leader cannot be reached, and nothing was written; or whether all
 *                  that was acknowledged is here cannot be told
 * DBK_IN_DOUBT     the leader was sent it, and did not answer
 */
enum dbk_code members_handle(struct request *rq, struct response *rs,
                             struct dbk_error *err);

/* The same of a write that was decided apart from its route's handler, with this code, where
 * there is no membership. */
enum dbk_code members_decided(struct request *rq, struct response *rs,
                              enum dbk_code code, struct dbk_error *err);

/* Header lines of an answer that says who leads; none where rq does not know. */
void members_render(const struct request *rq, struct response *rs);

/* Wait until this copy has what a read is to see: all that any copy has acknowledged, or
 * the Daybook-Sequence that the client names, as long as it may wait (fresh.h). That a named
 * one did not come in time is no failure. DBK_INVALID, DBK_TIMEOUT, DBK_UNAVAILABLE. */
enum dbk_code members_fresh(struct request *rq, struct dbk_error *err);

/* "leader" or "follower"; "single" where there is no membership. Static. */
const char *members_role(const struct service *service,
                         const struct dbk_membership_look *look);

/* Members of a JSON object, each with a comma before it: role and leader. */
void members_render_role(const struct service *service,
                         const struct dbk_membership_look *look,
                         struct dbk_render *out);

#endif
