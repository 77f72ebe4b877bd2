/* staged_ring.h - the ring of a log that is made beside its place (staging.h): a new one, which is
 * put into its place with the log; or, of a sealed export, the one in the data directory.
 *
 * A new one for an export has none of its keys: nobody in the log is known any more, and it goes
 * on: its records, proofs and counts are the same. For import and reseal.
 */
#ifndef DBK_TOOLS_STAGED_RING_H
#define DBK_TOOLS_STAGED_RING_H

#include "command.h"
#include "store/keys.h"

#include <limits.h>

struct staged_ring {
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
void staged_ring_begin(struct staged_ring *ring, const struct tool *tool);

/* Whether a new one can be put there: the folder is not there, or empty. DBK_EXISTS: it is not;
 * err says what to do. */
enum dbk_code staged_ring_check(const struct config *config, struct dbk_error *err);

/* Open it, for an export that turns out to be sealed.
 *
 * DBK_NOT_FOUND  there is none; err says what to do
 * DBK_EXISTS     there is one, or a file of one, and a new one was asked for; or it is what a run that was killed
 *                left, of no log, and with keys destroyed
 * and as dbk_keys_open, dbk_keys_make
 */
enum dbk_code staged_ring_open(struct staged_ring *ring, struct dbk_error *err);

/* Of a new one: destroy the key of that number before a record names it. As dbk_keys_ahead and
 * dbk_keys_erase. */
enum dbk_code staged_ring_forget(struct staged_ring *ring, uint64_t number,
                                 struct dbk_error *err);

/* Put a new one into its place, before the log is put there. DBK_EXISTS, DBK_IO. */
enum dbk_code staged_ring_place(struct staged_ring *ring, struct dbk_error *err);

/* The log could not be put there: take a new one out of its place again, and remove it, for it is
 * of no log. ring is a struct staged_ring. While servers are kept out. */
void staged_ring_take_back(void *ring);

/* Close it, and remove a new one that was not put into its place. */
void staged_ring_end(struct staged_ring *ring);

#endif
