/* erasure.h - what is known of a person who was erased for good: the facts of the receipt.
 *
 * All of it follows from the log and its ring of keys, and is found again at any time: nothing
 * of it is kept anywhere else.
 */
#ifndef DBK_STORE_ERASURE_H
#define DBK_STORE_ERASURE_H

#include "store/history.h"
#include "store/log.h"

struct dbk_erasure {
    struct dbk_uuid person;
    uint64_t sequence;      /* of the person.erased */
    struct dbk_slice bytes; /* of it, as the log has them */
    dbk_timestamp erased_at;
    uint64_t keys; /* that it destroyed: the person's, and those of anonymous ids */
    /* How many records became unreadable; counted is false where there may be more. */
    bool counted;
    uint64_t records;
    /* The log is open with its ring, which says the rest: */
    bool has_ring;
    bool destroyed; /* the keys are overwritten */
    bool
        complete; /* and a rotation since has made older copies of the ring worthless */
    struct dbk_keys_state ring;
    struct dbk_batch batch; /* private */
};

/* Fill it in for the person; finish it either way. records are counted by history, which is
 * of that log, or NULL: then, and as far as it does not go, by a walk over the log; looking
 * at look_max records, about (0: any number). Where that was not enough, and history is not
 * NULL, the next call for one of the last few persons goes on from there. Thread-safe.
 *
 * DBK_NOT_FOUND  there is no person with this id, and was none
 * DBK_CONFLICT   there is, or was, and was not erased; or the log was put back to before
 *                that, and no record says so; err says which
 * DBK_DAMAGED    the person.erased cannot be read
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY
 */
enum dbk_code dbk_erasure_find(struct dbk_log *log, struct dbk_history *history,
                               const struct dbk_uuid *person, uint64_t look_max,
                               struct dbk_erasure *out, struct dbk_error *err);
void dbk_erasure_finish(struct dbk_erasure *erasure);

#endif
