/* checkpoint.h - a look at the tables by somebody who runs no projector. */
#ifndef DBK_PROJECTIONS_CHECKPOINT_H
#define DBK_PROJECTIONS_CHECKPOINT_H

#include "pg.h"
#include "projections/projector.h"

/* Connect, run the one statement, and hand over its result (NULL: not wanted).
 * DBK_UNAVAILABLE, DBK_NOT_FOUND (no tables yet), DBK_INVALID (they were changed by
 * hand; err says what mends it). */
enum dbk_code checkpoint_ask(const struct dbk_database *database, const char *sql,
                             const struct pg_param *params, int count,
                             struct pg_result **result, struct dbk_error *err);

#endif
