/* repair.h - puts right records back where a log is damaged, from another copy of it.
 *
 * The copy (a backup, or a log made of an export) must be of the same history: each record
 * that both can read is the same in both. What is damaged is taken from it where it has
 * the record and this shows it to be the one: the checksum that the log has kept; or a
 * record behind it that both have; or, where there is none, what the log's indexes have at
 * the last of those that are missing. That the copy has the log's id shows nothing: so has
 * a clone, whose records are others. A record that is right is never changed.
 */
#ifndef DBK_STORE_REPAIR_H
#define DBK_STORE_REPAIR_H

#include "store/keys.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_repair_options {
    /* Where a new log is built if it must be: a directory that is not there, on the file
     * system of the log. */
    const char *beside;
    /* Told each damaged stretch: taken from the copy, or why not. text is borrowed for the
     * call, one line. */
    void (*told)(void *context, uint64_t from, uint64_t to, bool taken,
                 const char *text);
    void *context;
    /* The ring of the log's keys, where it is sealed, for a new log; borrowed. */
    struct dbk_keys *keys;
    struct dbk_watch watch;
};

struct dbk_repaired {
    uint64_t damaged; /* records that cannot be read */
    uint64_t taken;   /* of these, from the copy; put back, unless `refused` */
    uint64_t head;
    /* The file's structure is damaged, so a whole new log with the same id was built in
     * options->beside; the damaged one is as it was. Check it, then dbk_log_replace. */
    bool built;
    /* So it is, and not all that is missing can be had: nothing was changed. */
    bool refused;
};

/* Repair the log in dir from the one in directory copy, in one transaction; or build
 * another beside it. No server may use it. In child processes: for processes that have no
 * other threads that take locks.
 *
 * DBK_CONFLICT     they are not of one history; nothing was changed
 * DBK_DAMAGED      one of them is so damaged that it cannot be opened
 * DBK_INTERRUPTED  the watch said stop; nothing was changed
 * DBK_UNSUPPORTED  also where a new log must be built, it is sealed, and there are no keys
 * DBK_NOT_FOUND, DBK_NO_ROOM, DBK_NO_MEMORY, DBK_IO
 */
enum dbk_code dbk_log_repair_records(const char *dir, const char *copy,
                                     const struct dbk_repair_options *options,
                                     struct dbk_repaired *out, struct dbk_error *err);

/* Put the log in the directory beside in the place of the one in dir, which is kept in the
 * directory kept, to be made: at every moment dir has the one or the other. beside is
 * removed.
 *
 * DBK_EXISTS    kept is there already
 * DBK_CONFLICT  somebody has the log open
 * DBK_IO, DBK_NO_ROOM
 */
enum dbk_code dbk_log_replace(const char *dir, const char *beside, const char *kept,
                              struct dbk_error *err);

#endif
