/* admin.h - what the routes below /admin have in common: who may ask from where, PostgreSQL
 * asked beside the read model, and what operators are told. */
#ifndef DBK_HTTP_ADMIN_H
#define DBK_HTTP_ADMIN_H

#include "request.h"

/* For what changes something. While no tokens are asked for any page in a browser of this
 * machine can send a request here without asking first, with some bodies or none; but the
 * browser says whose page it is. Taken are those of this server itself, and of
 * CORS_ORIGINS. A program says nothing, and is taken.
 * DBK_INVALID, to be answered 403: rq->failure says so. */
enum dbk_code admin_check_page(struct request *rq, struct dbk_error *err);

/* Before PostgreSQL is asked otherwise than by the read model: that there is one that
 * answers, and a thread's place for waiting (fresh.h). DBK_UNAVAILABLE: rq says how that
 * is told. */
enum dbk_code admin_reach(struct request *rq, struct dbk_error *err);

/* After a failure there: who may administer is told the reason, also where others are not
 * (SHOW_ERROR_DETAILS). Returns err's code. */
enum dbk_code admin_tell(struct request *rq, struct dbk_error *err);

/* Who asks: the name of the token, or the address of a client without one. */
#define ADMIN_WHO_TEXT 128
void admin_who(const struct request *rq, char out[ADMIN_WHO_TEXT]);

/* Tell operators what was done: "WHAT by WHO". */
void admin_note(const struct request *rq, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
