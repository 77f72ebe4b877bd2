/* withheld.h - persons who are restricted (GDPR, article 18): what is held of them is kept, and
 * shown to nobody whose token has not the scope admin. Where no tokens are asked for everybody
 * is an admin. */
#ifndef DBK_HTTP_WITHHELD_H
#define DBK_HTTP_WITHHELD_H

#include "request.h"
#include "store/log.h"

/* Whether the request may be told of the person, whoever it is; for handlers. That there is such
 * a person is not kept from who knows the id: who took it for gone would make it again.
 *
 * DBK_INVALID  it may not: rq->failure is 403, and err says so
 * and as dbk_log_restricted
 */
enum dbk_code withheld_check(struct request *rq, const struct dbk_uuid *person,
                             struct dbk_error *err);

/* Refuse it so. Returns err->code. */
enum dbk_code withheld_refuse(struct request *rq, struct dbk_error *err);

/* Whether it may not; also where the log does not tell. */
bool withheld_is(const struct request *rq, const struct dbk_uuid *person);

/* All of whom it may not be told, as of now: nobody, where it may be told of everybody. They are
 * read anew only where the log has another record since. *out is the worker's, until this is
 * called again. Errors as dbk_log_restricted_all; nothing is to be shown then. */
enum dbk_code withheld_all(const struct request *rq, const struct dbk_restricted **out,
                           struct dbk_error *err);

#endif
