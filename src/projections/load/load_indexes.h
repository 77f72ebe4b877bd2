/* load_indexes.h - takes the indexes, constraints and triggers off the tables that are
 * loaded, and makes them again afterwards, as the catalog says they were: whatever the
 * migrations have made. CHECK and NOT NULL stay, for they cost nothing to speak of. A
 * trigger would not, disabled either: PostgreSQL keeps all rows of a COPY for it. */
#ifndef DBK_PROJECTIONS_LOAD_INDEXES_H
#define DBK_PROJECTIONS_LOAD_INDEXES_H

#include "pg.h"
#include "store/watch.h"

struct load_indexes {
    struct pg_result *rows; /* private */
};

/* Read what the tables of tables[] and statistics[] have, and drop it. Errors as pg.h. */
enum dbk_code load_indexes_drop(struct load_indexes *indexes, struct pg *pg,
                                struct dbk_error *err);

/* Make them again, several at once: one on each of the connections, which are idle. *at
 * receives the connection that a failure is about. DBK_INTERRUPTED: some are under way
 * still, so close the connections; else as pg.h. */
enum dbk_code load_indexes_create(const struct load_indexes *indexes,
                                  struct pg *const *pgs, size_t count,
                                  const struct dbk_watch *watch, size_t *at,
                                  struct dbk_error *err);

void load_indexes_finish(struct load_indexes *indexes); /* a zeroed one is fine */

#endif
