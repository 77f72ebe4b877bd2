/* keys_used.h - a sealed log's ring: what it uses of it, and who closes it. */
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
