/* reseal_keys.h - which key each record of a log gets when it is sealed anew.
 *
 * A person's records have the person's, those of an anonymous id that id's, which gets another
 * one when the person is deleted whose it was: as in a log that was sealed from the first. Of a
 * log that is sealed already, the records that have a key have one again.
 *
 * The log is walked twice. The first walk finds out who is deleted in the end: their keys, and
 * those of the anonymous ids that went with them, are destroyed before anything is sealed; and so
 * are those that the old ring has destroyed, or its log says to be. The second one asks for each
 * record. Some 100 bytes of memory for each person and anonymous id.
 */
#ifndef DBK_TOOLS_RESEAL_KEYS_H
#define DBK_TOOLS_RESEAL_KEYS_H

#include "reseal_numbers.h"
#include "reseal_table.h"
#include "store/record.h"

struct reseal_keys {
    bool keep_deleted; /* the caller's */
    bool sealed;       /* the log is already; the caller's */
    uint64_t
        persons; /* deleted ones, whose keys are destroyed, and who were not erased */
    struct reseal_numbers *numbers; /* private, as what follows */
    struct reseal_table known, anonymous, doomed;
};

/* numbers is borrowed: of a sealed log it knows the old ring's. */
void reseal_keys_init(struct reseal_keys *keys, struct reseal_numbers *numbers,
                      bool sealed, bool keep_deleted);
void reseal_keys_finish(struct reseal_keys *keys); /* zeroed is fine */

/* The first walk: each record, in order, opened where it can be; then the end. Counts, in numbers,
 * what is to be destroyed. DBK_DAMAGED: it contradicts those before, or the ring. DBK_NO_MEMORY. */
enum dbk_code reseal_keys_look(struct reseal_keys *keys,
                               const struct dbk_record *record, struct dbk_error *err);
enum dbk_code reseal_keys_looked(struct reseal_keys *keys, struct dbk_error *err);

/* The second walk: each record, in order. The number is 0 where its type is not sealed. Errors
 * as above. */
enum dbk_code reseal_keys_of(struct reseal_keys *keys, const struct dbk_record *record,
                             struct reseal_number *out, struct dbk_error *err);

#endif
