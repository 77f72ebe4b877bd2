/* scrub.h - takes out of PostgreSQL what deleted rows have left there.
 *
 * A row that is deleted stays readable: in the pages of its table after a VACUUM, in the
 * statistics that ANALYZE made of it, in tables that were kept beside the live ones, and in
 * the write-ahead log, whose files are used again with what was in them. So the tables are
 * made anew from the log, what lies beside them is dropped, and then the statistics are
 * written anew, every file of the write-ahead log is replaced, and the server's shared memory is
 * overwritten. Reads and writes go on.
 *
 * What it does not reach: copies made outside (dumps, base backups, archived WAL, standbys),
 * tables and views of somebody else's, and the blocks that the disk has not used again.
 */
#ifndef DBK_PROJECTIONS_SCRUB_H
#define DBK_PROJECTIONS_SCRUB_H

#include "projections/rebuild.h"

struct dbk_scrub_options {
    /* It is the private cluster: all of it is ours, with the statistics and the write-ahead
     * log. Else only the schemas of this log are, and the rest is for the administrator:
     * dbk_scrub_by_hand. */
    bool private_cluster;
    struct dbk_watch watch;
};

struct dbk_scrub_result {
    struct dbk_rebuild_result rebuilt;
    unsigned dropped;  /* kept tables, replays and what was left behind, by schemas */
    unsigned segments; /* files of the write-ahead log that are gone; 0: not ours */
};

/* Everything up to the log's head as it was at the call. Replays, and what `rebuild
 * --keep-old` has kept, are dropped: those of this log only, where the server is not the
 * private cluster. Killed at any point, it can be called again. Any thread; it blocks.
 *
 * DBK_BUSY  somebody reads what is to be dropped, or follows a replay, or the write-ahead
 *           log cannot be replaced now; err says what, and the rest was done
 * Else errors as dbk_rebuild. */
enum dbk_code dbk_scrub(struct dbk_log *log, const struct dbk_database *database,
                        const struct dbk_scrub_options *options,
                        struct dbk_scrub_result *result, struct dbk_error *err);

/* What the administrator of a server that is not ours runs, with psql, behind dbk_scrub:
 * SQL with comments that say why. Static. */
const char *dbk_scrub_by_hand(void);

#endif
