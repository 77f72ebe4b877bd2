/* reseal_copy.h - makes a sealed log of one that is not: the same records under the same
 * sequences and times, and what they say of persons sealed. */
#ifndef DBK_TOOLS_RESEAL_COPY_H
#define DBK_TOOLS_RESEAL_COPY_H

#include "import_ring.h"
#include "reseal_origin.h"
#include "store/log.h"
#include "store/watch.h"

struct resealed {
    uint64_t records;
    uint64_t persons; /* deleted ones, whose keys are destroyed */
};

/* Fill the directory dir, which must not be there, with the records of log that origin counts, and
 * with the one that says so, by a new ring, which is opened. Of an empty log nothing is said.
 * What is in dir is of no use where it fails.
 *
 * DBK_DAMAGED      a record of log is, or contradicts those before it
 * DBK_INTERRUPTED  the watch said stop
 * and as dbk_log_builder_add, import_ring_open and dbk_keys_ahead
 */
enum dbk_code reseal_copy(struct dbk_log *log, const struct reseal_origin *origin,
                          const char *dir, struct import_ring *ring, bool keep_deleted,
                          const struct dbk_watch *watch, struct resealed *out,
                          struct dbk_error *err);

#endif
