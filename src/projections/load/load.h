/* load.h - fills the tables of a schema from the log, at the speed of COPY.
 *
 * Two walks over the log: load_fold.h, load_rows.h. Nobody else may use the schema yet.
 * Of a log of 1,000,000 events it takes 10 MB of memory, and some 80 MB of resident size
 * with the pages of the log's mapping, which are given back as it goes.
 */
#ifndef DBK_PROJECTIONS_LOAD_H
#define DBK_PROJECTIONS_LOAD_H

#include "load_scan.h"
#include "projections/database.h"

/* Rows loaded. */
struct load_count {
    uint64_t persons, events;
    uint64_t erased_persons, erased_events, expired_events; /* left out (load_rows.h) */
};

/* Bring the schema of `database`, which is there and holds nothing, up to date with the
 * migrations, and its tables to source->to, with indexes, statistics and checkpoint.
 *
 * *refused: a record cannot be read, contradicts others, or PostgreSQL does not take it;
 *           err says which or why. The schema is of no use then: the records have to be
 *           posted one batch after the other, so that the one is found and set aside.
 *
 * DBK_INTERRUPTED, DBK_UNAVAILABLE, and as load_scan, dbk_migrate_up
 */
enum dbk_code load_tables(const struct load_source *source,
                          const struct dbk_database *database, struct load_count *count,
                          bool *refused, struct dbk_error *err);

#endif
