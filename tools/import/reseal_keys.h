/* reseal_keys.h - which key each record of a log gets that is not sealed yet.
 *
 * A person's records have the person's, those of an anonymous id that id's, which gets another
 * one when the person is deleted whose it was: as in a log that was sealed from the first. The
 * log is walked twice. The first walk finds out who is deleted in the end: their keys, and
 * those of the anonymous ids that went with them, are destroyed before anything is sealed. The
 * second one asks for each record. Some 100 bytes of memory for each person and anonymous id.
 */
#ifndef DBK_TOOLS_RESEAL_KEYS_H
#define DBK_TOOLS_RESEAL_KEYS_H

#include "store/error.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each 16 bytes one entry. Private. */
struct reseal_table {
    struct reseal_entry *entries;
    size_t size, count; /* size: a power of two, or 0 */
};

struct reseal_keys {
    bool keep_deleted; /* the caller's */
    uint64_t gone;     /* so many are to be destroyed: the numbers from 1 on */
    uint64_t persons;  /* of deleted persons, among these */
    uint64_t secret;   /* private, as what follows */
    struct reseal_table known, anonymous, doomed;
    uint64_t next_gone, highest;
};

void reseal_keys_init(struct reseal_keys *keys, bool keep_deleted);
void reseal_keys_finish(struct reseal_keys *keys); /* zeroed is fine */

/* The first walk: each record, in order; then the end. DBK_DAMAGED: it contradicts those before.
 * DBK_NO_MEMORY. */
enum dbk_code reseal_keys_look(struct reseal_keys *keys,
                               const struct dbk_record *record, struct dbk_error *err);
enum dbk_code reseal_keys_looked(struct reseal_keys *keys, struct dbk_error *err);

/* Before the second walk: the first number that is free, beyond those that are destroyed. */
void reseal_keys_begin(struct reseal_keys *keys, uint64_t free);

/* The second walk: each record, in order. *number is 0 where its type is not sealed; *gone says
 * that its key is destroyed. Errors as above. */
enum dbk_code reseal_keys_of(struct reseal_keys *keys, const struct dbk_record *record,
                             uint64_t *number, bool *gone, struct dbk_error *err);

#endif
