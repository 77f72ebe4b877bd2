/* staging.h - a log that is made beside its place, in DATA_DIR/log.tmp, and put there
 * whole: killed at any moment, DATA_DIR/log is as it was, or complete.
 *
 * For import of an export, reseal and restore.
 */
#ifndef DBK_TOOLS_STAGING_H
#define DBK_TOOLS_STAGING_H

#include "config.h"
#include "store/error.h"

#include <limits.h>
#include <stdbool.h>

#define STAGING_PATH (PATH_MAX + 32)

struct staging {
    char data_dir[PATH_MAX];
    char log[STAGING_PATH]; /* where it goes */
    char tmp[STAGING_PATH]; /* where it is made; does not exist after staging_begin */
    /* The caller's, after staging_begin; may be NULL: takes away what was put beside the log,
     * where the log itself cannot be put there. Servers are kept out still. */
    void (*take_back)(void *context);
    void *context;
    int lock; /* private, as what follows */
    bool made_dir;
};

/* Keep servers out of the data directory (made where it is missing), see that it has no
 * log, or an empty one, and remove what a killed run left. Opens and closes that log: no
 * thread is left behind. End with staging_place or staging_abandon.
 *
 * DBK_CONFLICT  a server runs on it
 * DBK_EXISTS    it has a log with records, or one that cannot be opened
 * DBK_IO, DBK_NO_ROOM
 */
enum dbk_code staging_begin(const struct config *config, struct staging *staging,
                            struct dbk_error *err);

/* Put the finished log in its place, durably, and let servers in. On failure what is in
 * tmp is removed. DBK_EXISTS: records have come to be there meanwhile. DBK_IO,
 * DBK_NO_ROOM. */
enum dbk_code staging_place(struct staging *staging, struct dbk_error *err);

/* Remove what was made; the data directory too, where it was not there before. */
void staging_abandon(struct staging *staging);

/* What must be done before the tables show this log: a sentence for the operator. */
const char *staging_next(const struct staging *staging);

#endif
