/* restore.h - makes a log anew from another's, whole or up to a record, or on from it. */
#ifndef DBK_STORE_RESTORE_H
#define DBK_STORE_RESTORE_H

#include "store/keys.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_restore_options {
    uint64_t to; /* the last sequence to take; 0: all */
    /* A log, perhaps damaged, of the same history: what it has behind the source's last
     * record is taken from there, up to the first that cannot be read. NULL: none. */
    const char *continue_with;
    /* Stay the member of a cluster that the source is: the same id, and its place. Only of a
     * whole source: without `to` and continue_with. Else what is made is a log of its own. */
    bool member;
    /* The ring of the source's keys, where it is sealed; borrowed. */
    struct dbk_keys *keys;
    struct dbk_watch watch; /* told, too, where idempotency keys are left out */
};

struct dbk_restored {
    uint64_t head; /* the last sequence */
    uint64_t own;  /* the last that is from the source itself */
    /* Of continue_with: the first sequence that could not be read, 0 where it was taken to
     * its end; and how many that can be are behind it, and were not taken, for a log has
     * no holes. */
    uint64_t gap, behind_gap;
};

/* Fill directory dir, which must hold nothing or not exist, with the records of the log
 * in directory source, as store/log_builder.h does: same bytes, indexes made anew, a new
 * store id but for a member. Idempotency keys come along where all that they answer for does (and, with `to`,
 * where they can be read); not those of continue_with. What is behind options->to is not looked at, and may be
 * damaged. On failure what was begun in dir is removed. In a child process: for processes
 * that have no other threads that take locks.
 *
 * DBK_NOT_FOUND    source or continue_with holds no log
 * DBK_INVALID      there is no record `to`; or a member was asked for, with an end, with
 *                  another log's tail, or of a source that has no place in a cluster
 * DBK_DAMAGED      a record in source is damaged; err names it
 * DBK_CONFLICT     continue_with is of another history, where the backup's last record (or
 *                  the last that can be read of both) differs; or nothing in it tells, or can be
 *                  read. One that differs before one that does not was changed where it lay
 * DBK_EXISTS       dir holds records
 * DBK_INTERRUPTED  the watch said stop
 * DBK_UNSUPPORTED  also where source is sealed, and there are no keys
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_restore(const char *source, const char *dir,
                              const struct dbk_restore_options *options,
                              struct dbk_restored *out, struct dbk_error *err);

#endif
