/* scrub_memory.h - takes out of PostgreSQL's shared memory what dropped tables left there. */
#ifndef DBK_PROJECTIONS_SCRUB_MEMORY_H
#define DBK_PROJECTIONS_SCRUB_MEMORY_H

#include "projections/database.h"
#include "store/error.h"

/* Needs as much room on its disk for a moment as it has shared memory. What its processes
 * have of their own goes with their connections. Errors as pg.h. */
enum dbk_code scrub_memory(const struct dbk_database *database, struct dbk_error *err);

#endif
