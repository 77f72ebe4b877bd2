/* reseal_copy.h - makes a sealed log of another one: the same records under the same sequences
 * and times, and what they say of persons sealed, with new keys. */
#ifndef DBK_TOOLS_RESEAL_COPY_H
#define DBK_TOOLS_RESEAL_COPY_H

#include "reseal_origin.h"
#include "reseal_source.h"
#include "staged_ring.h"
#include "store/watch.h"

struct reseal_how {
    bool keep_deleted; /* do not destroy the keys of deleted persons */
    bool by_month;     /* what events say is sealed with their month's key, too */
};

struct resealed {
    uint64_t records;
    uint64_t persons; /* deleted ones, whose keys are destroyed */
    uint64_t unread;  /* records of a sealed log that nobody could read before either */
    uint64_t forgotten; /* events that were expired, and could be read still */
};

/* Fill the directory dir, which must not be there, with the records of source that origin counts,
 * and with the one that says so, by a new ring, which is opened. Of an empty log nothing is said.
 *
 * What nobody can read any more in a sealed log, for its key is destroyed, is as long as it was,
 * and random: so no older copy of the old ring opens it, either. What is in dir is of no use
 * where it fails.
 *
 * DBK_DAMAGED      a record of the log is, or contradicts those before it; or its key is
 * DBK_KEYS_AWAY    the ring of the log was taken away
 * DBK_CONFLICT     somebody is erased from the log meanwhile
 * DBK_INTERRUPTED  the watch said stop
 * and as dbk_log_builder_add, staged_ring_open and dbk_keys_ahead
 */
enum dbk_code reseal_copy(const struct reseal_source *source,
                          const struct reseal_origin *origin, const char *dir,
                          struct staged_ring *ring, const struct reseal_how *how,
                          const struct dbk_watch *watch, struct resealed *out,
                          struct dbk_error *err);

#endif
