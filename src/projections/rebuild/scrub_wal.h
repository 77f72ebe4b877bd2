/* scrub_wal.h - the statistics and the write-ahead log of the private cluster, without what
 * was deleted. */
#ifndef DBK_PROJECTIONS_SCRUB_WAL_H
#define DBK_PROJECTIONS_SCRUB_WAL_H

#include "projections/database.h"
#include "store/watch.h"

#include <stdbool.h>

struct pg;

/* As a superuser. *segments receives how many files of the log were replaced. The settings
 * are put back, whatever fails: on another connection where this one does; err says where
 * that could not be done, either. Then, and where this process is killed, they are by the next
 * call, or when the cluster is next started (scrub_wal_put_back). One that runs already is waited
 * for.
 *
 * DBK_BUSY  there are files left that were there before, or something keeps them
 * Else as pg.h; DBK_INTERRUPTED. */
enum dbk_code scrub_wal(const struct dbk_database *database,
                        const struct dbk_watch *watch, unsigned *segments,
                        struct dbk_error *err);

/* Put back the settings that a killed call has left; *found tells whether there were any. One that
 * runs is let alone, and none begins until the connection is closed. It waits seconds at most.
 * Errors as pg.h. */
enum dbk_code scrub_wal_put_back(struct pg *pg, bool *found, struct dbk_error *err);

#endif
