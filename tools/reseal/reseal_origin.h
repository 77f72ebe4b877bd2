/* reseal_origin.h - what the log is that another one is made of: how many records it has, the
 * root of their tree, and the newest checkpoint that was signed of it. The new log says so in
 * its last record: by that whoever has kept a checkpoint finds it again. */
#ifndef DBK_TOOLS_RESEAL_ORIGIN_H
#define DBK_TOOLS_RESEAL_ORIGIN_H

#include "store/log.h"
#include "store/proof/checkpoint.h"
#include "store/watch.h"

struct reseal_origin {
    struct dbk_uuid store_id;
    uint64_t size;
    struct dbk_hash root;
    char *checkpoint; /* the note, owned; NULL: none was signed */
    size_t length;
    struct dbk_log_checkpoint is; /* what it says */
};

/* Hash the records 1 to size of log, and hold them against the checkpoint: of the data directory
 * `given` what it signed last, of a backup the one that it carries. bare: none is looked for.
 * Finish it either way.
 *
 * DBK_DAMAGED      they are not those that were signed, or fewer; or a record, or what should be
 *                  the checkpoint, is damaged; err says what to do
 * DBK_INTERRUPTED  the watch said stop
 * DBK_IO, DBK_NO_MEMORY, and as dbk_tree_grow
 */
enum dbk_code reseal_origin_find(struct dbk_log *log, uint64_t size, const char *given,
                                 bool bare, const struct dbk_watch *watch,
                                 struct reseal_origin *out, struct dbk_error *err);
void reseal_origin_finish(struct reseal_origin *origin); /* zeroed is fine */

/* The log.resealed that says it; its slices point into origin. size must not be 0. */
struct dbk_record reseal_origin_record(const struct reseal_origin *origin,
                                       dbk_timestamp at);

#endif
