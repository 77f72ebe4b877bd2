/* person_known.h - whether a person that is sent again is the one in the log. */
#ifndef DBK_HTTP_PERSON_KNOWN_H
#define DBK_HTTP_PERSON_KNOWN_H

#include "request.h"

#define PERSON_UNTOLD                                                                  \
    "A person has this id, and is as it was sent no more; only PostgreSQL can tell "   \
    "whether it was, and does not answer: send it again"
#include "store/command.h"

/* Compare a person.created, as dbk_body_person reads it, with the person that has its id:
 * fields, properties as JSON values, and that its anonymous id is that person's. *person is
 * who has the id. Uses the worker's batch.
 *
 * DBK_OK         it is this one
 * DBK_EXISTS     it is another; err names it
 * DBK_NOT_FOUND  there is none any more
 */
enum dbk_code person_known(const struct request *rq, const struct dbk_record *brought,
                           struct dbk_person_state *person, struct dbk_error *err);

/* The same with the person as it was first, whatever has become of it since. Where
 * something has, PostgreSQL is asked, if it may be: DBK_UNAVAILABLE where it does not answer. DBK_EXISTS: it was another, too, or is not
 * posted yet. */
enum dbk_code person_known_first(const struct request *rq,
                                 const struct dbk_record *brought,
                                 const struct dbk_person_state *person, bool ask);

#endif
