/* post_attempt.h - one attempt at a few in quarantine: everything they have in the
 * tables is thrown away and folded again from their first record, so that what comes out
 * depends on nothing but the log. */
#ifndef DBK_PROJECTIONS_POST_ATTEMPT_H
#define DBK_PROJECTIONS_POST_ATTEMPT_H

#include "post_scan.h"

/* Fold the persons of these rows again and take them out of quarantine, or change nothing.
 * The scan, which is done, has the records of them all. Errors as poster_step, and
 * DBK_UNAVAILABLE where the poster is to stop. */
enum dbk_code post_attempt(struct poster *poster, const struct post_scan *scan,
                           const struct post_row *rows, size_t count,
                           struct dbk_error *err);

#endif
