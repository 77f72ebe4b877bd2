/* import_ring.h - the ring by which a sealed export becomes a log: the one in the data directory;
 * or, where it is lost and that was asked for, a new one that has none of its keys. Then nobody
 * in the log is known any more, and it goes on: its records, proofs and counts are the same.
 */
#ifndef DBK_TOOLS_IMPORT_RING_H
#define DBK_TOOLS_IMPORT_RING_H

#include "command.h"
#include "store/keys.h"

#include <limits.h>

struct import_ring {
    const struct tool *tool;
    bool anew;             /* it was asked for */
    bool used;             /* it was opened: the export is sealed */
    struct dbk_keys *keys; /* NULL: not opened, or closed */
    bool placed;           /* a new one is where it belongs */
    uint64_t gone;         /* of a new one: the numbers up to here are destroyed */
    char tmp[PATH_MAX + 16],
        dir[PATH_MAX + 16]; /* where it is made, and goes; "": not */
};

/* Take --without-keys. Nothing is opened. */
void import_ring_begin(struct import_ring *ring, const struct tool *tool);

/* Whether a new one can be put there: the folder is not there, or empty. DBK_EXISTS: it is not;
 * err says what to do. */
enum dbk_code import_ring_check(const struct config *config, struct dbk_error *err);

/* Open it, for an export that turns out to be sealed.
 *
 * DBK_NOT_FOUND  there is none; err says what to do
 * DBK_EXISTS     there is one, or a file of one, and a new one was asked for; or it is what a run that was killed
 *                left, of no log, and with keys destroyed
 * and as dbk_keys_open, dbk_keys_make
 */
enum dbk_code import_ring_open(struct import_ring *ring, struct dbk_error *err);

/* Of a new one: destroy the key of that number before a record names it. As dbk_keys_ahead and
 * dbk_keys_erase. */
enum dbk_code import_ring_forget(struct import_ring *ring, uint64_t number,
                                 struct dbk_error *err);

/* Put a new one into its place, before the log is put there. DBK_EXISTS, DBK_IO. */
enum dbk_code import_ring_place(struct import_ring *ring, struct dbk_error *err);

/* The log could not be put there: take a new one out of its place again, and remove it, for it is
 * of no log. ring is a struct import_ring. While servers are kept out. */
void import_ring_take_back(void *ring);

/* Close it, and remove a new one that was not put into its place. */
void import_ring_end(struct import_ring *ring);

#endif
