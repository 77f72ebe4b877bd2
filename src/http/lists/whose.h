/* whose.h - of whom a list is, by what a person is known by. */
#ifndef DBK_HTTP_WHOSE_H
#define DBK_HTTP_WHOSE_H

#include "request.h"

enum whose {
    WHOSE_ANYBODY, /* nothing is asked */
    WHOSE_ONE,
    WHOSE_NOBODY, /* there is none, or what is asked does not fit together */
};

/* Look up who person_id=, email= and external_id= ask for, those of them that the route
 * has, in the log. All that are given must be of the same person. id receives who, and is
 * nil for nobody. A bad value adds to rq->fields. Errors as dbk_log_whose, but
 * DBK_NOT_FOUND. */
enum dbk_code whose_asked(struct request *rq, enum whose *whose, struct dbk_uuid *id,
                          struct dbk_error *err);

/* Narrow what whose_asked says to who has the anonymous_id= of the query now. Errors as
 * above. */
enum dbk_code whose_alias(struct request *rq, enum whose *whose, struct dbk_uuid *id,
                          struct dbk_error *err);

/* anonymous_id=, which is one that an event can have. False: it is not there, or bad. */
bool whose_anonymous_id(struct request *rq, struct dbk_slice *out);

#endif
