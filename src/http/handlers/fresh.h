/* fresh.h - reads that see what was written before them.
 *
 * A read waits, bounded, until the projection has reached the head of the log as it was
 * when the read came: so a client sees its own writes, and everyone else's acknowledged
 * ones.
 */
#ifndef DBK_HTTP_FRESH_H
#define DBK_HTTP_FRESH_H

#include "request.h"
#include "response.h"

/* What a read waited for. */
struct fresh {
    uint64_t wanted;    /* the sequence to be seen */
    uint64_t projected; /* the sequence that is seen, at least */
};

#define FRESH_WAIT_MAX 60 /* seconds */

/* Whether the client prefers wait=N (prefer.h); *seconds then receives N, at most
 * FRESH_WAIT_MAX. */
bool fresh_prefer_wait(const struct head *head, int *seconds);

/* Take a thread's place among those that wait for the read tables (readers.h), until the
 * request is answered; fresh_wait does so by itself for a look-up. DBK_UNAVAILABLE: there is
 * none, and rq says how that is told. */
enum dbk_code fresh_enter(struct request *rq, bool lists, struct dbk_error *err);

/* Wait for `wanted`; 0: for the head of the log, or the Daybook-Sequence that the client
 * names (members.h). Adds Daybook-Projected-Sequence and,
 * where Prefer set the bound, Preference-Applied. That the bound passed is no failure:
 * fresh then says how far it is.
 *
 * DBK_UNAVAILABLE  there are no read tables now, PostgreSQL hangs, or as fresh_enter; err
 *                  says which
 */
enum dbk_code fresh_wait(struct request *rq, struct response *rs, uint64_t wanted,
                         struct fresh *fresh, struct dbk_error *err);

/* What a person that the read tables do not have means: DBK_NOT_FOUND where it is so,
 * DBK_UNAVAILABLE where the log knows it and the tables do not yet, for "there is none"
 * would be a lie. */
enum dbk_code fresh_no_person(struct request *rq, const struct dbk_uuid *id,
                              const struct fresh *fresh, struct dbk_error *err);

#endif
