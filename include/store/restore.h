/* restore.h - makes a log anew from another's, whole or up to a record. */
#ifndef DBK_STORE_RESTORE_H
#define DBK_STORE_RESTORE_H

#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_restore_options {
    uint64_t to; /* the last sequence to take; 0: all */
    struct dbk_watch watch;
};

/* Fill directory dir, which must hold nothing or not exist, with the records of the log
 * in directory source, as store/log_builder.h does: same bytes, indexes made anew, a new
 * store id. Idempotency keys come along where all that they answer for does. *head
 * receives the last sequence. On failure what was begun in dir is removed.
 *
 * DBK_NOT_FOUND    source holds no log, or no record `to`
 * DBK_DAMAGED      a record in source is damaged; err names it
 * DBK_EXISTS       dir holds records
 * DBK_INTERRUPTED  the watch said stop
 * DBK_UNSUPPORTED, DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_restore(const char *source, const char *dir,
                              const struct dbk_restore_options *options, uint64_t *head,
                              struct dbk_error *err);

#endif
