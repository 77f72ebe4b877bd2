/* keys_used.h - a sealed log's ring: what it uses of it, what of that is to be destroyed by age,
 * and who closes it. */
#ifndef DBK_STORE_KEYS_USED_H
#define DBK_STORE_KEYS_USED_H

#include "store/log.h"

struct dbk_keys_used {
    uint64_t highest; /* number of a key that a record names; 0: none does */
    uint64_t
        erased; /* sequence of the last person.erased or events.expired; 0: there is none */
};

/* As of now, from the file. Needs no ring. DBK_IO, DBK_UNAVAILABLE. */
enum dbk_code dbk_log_keys_used(struct dbk_log *log, struct dbk_keys_used *out,
                                struct dbk_error *err);

/* What dbk_log_expire would forget now, and whether that is more than goes by in ordinary life.
 * Nothing is changed. Who does it by the clock alone, as `serve` does, is to leave to an operator
 * what is doubted: what a wrong clock destroys does not come back. Ordinary is that of what is
 * due the oldest month became so no more than two months ago, and that an event was recorded
 * in each of the two months before that of the clock. A clock that runs ahead by years has
 * neither, also where records have its time already.
 *
 * DBK_INVALID, as dbk_log_expire; DBK_IO, DBK_UNAVAILABLE */
struct dbk_log_due {
    uint64_t months; /* whose keys would go; 0: nothing is due, and what follows is 0 */
    dbk_timestamp oldest; /* the beginning of the first of them, by their own time, */
    dbk_timestamp before; /* and of the first that would be kept; UTC */
    uint64_t through;     /* the last record of what would go */
    char why[128];        /* it is doubted: half a sentence; "": it is not */
};
enum dbk_code dbk_log_due(struct dbk_log *log, dbk_timestamp before,
                          struct dbk_log_due *out, struct dbk_error *err);

/* From now on the ring that the log was opened with, if any, is the log's: closed with it. */
void dbk_log_take_keys(struct dbk_log *log);

/* Hold a ring against a sealed log, which may be open without it.
 *
 * DBK_CONFLICT   it is another log's, or does not open this one
 * DBK_KEYS_AWAY  it ends before the keys that the log names, or cannot be read
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY */
struct dbk_keys;
enum dbk_code dbk_log_keys_fit(struct dbk_log *log, struct dbk_keys *keys,
                               struct dbk_error *err);

#endif
