/* problem.h - what kind of failure an answer is, by a name that programs can go by: the
 * type and title of RFC 9457. Each is told in docs/errors.md, which the type leads to. */
#ifndef DBK_HTTP_PROBLEM_H
#define DBK_HTTP_PROBLEM_H

#include "store/error.h"

#include <stddef.h>

#define PROBLEM_TYPE "/docs/errors.md#" /* and the name */
#define PROBLEM_MEDIA "application/problem+json"

struct problem {
    int status;
    enum dbk_code code; /* DBK_OK: any other */
    const char *name, *title;
};

/* All there are; of one status those with a code come first. */
extern const struct problem problems[];
extern const size_t problems_count;

/* That of an answer with this status, 400 or more, or 307, for a failure with this code. */
const struct problem *problem_of(int status, enum dbk_code code);

/* That of this name, which must be there. */
const struct problem *problem_named(const char *name);

#endif
