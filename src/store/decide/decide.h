/* decide.h - the rules: may this command be, and what does it append and index?
 *
 * Private to the store. Pure but for the transaction it is given; the writer calls it,
 * one command after the other.
 */
#ifndef DBK_STORE_DECIDE_H
#define DBK_STORE_DECIDE_H

#include "command_private.h"
#include "environment.h"
#include "months.h"
#include "shipment_body.h"

/* One write transaction's worth of deciding. */
struct decide_turn {
    const struct environment *environment;
    MDB_txn *txn;
    uint64_t head;     /* the last sequence so far; decide raises it */
    dbk_timestamp now; /* recorded_at of all that this turn appends */

    /* Where the last record and the last event were put: the next mostly goes beside
     * them. NULL before the first; LMDB closes them with the transaction. */
    MDB_cursor *log_cursor;
    MDB_cursor *event_cursor;

    unsigned appended[DBK_TYPE_COUNT]; /* records so far, by their type */
    unsigned format; /* the log is known to say that it has such records; 0: of none */
    struct shipment_body *body; /* what is appended is gathered there; NULL: nowhere */
    struct decide_scratch *scratch; /* NULL until something is made there */
    bool has_key;                   /* highest is known */
    uint64_t highest;               /* number of a key in a sealed log */
    uint8_t key[DBK_KEY_BYTES]; /* that was looked up last, of this number; 0: none */
    uint64_t key_number;
    bool by_month;      /* events are sealed with the month's key, too */
    bool has_month;     /* what follows is known */
    struct month month; /* that the events of the turn belong to; number 0: no key */
    uint8_t month_key[DBK_KEY_BYTES];
    bool first_kept; /* the first record that was sealed is with its command */
};

/* Where properties are merged, and the record with them is encoded; where records are sealed. */
struct decide_scratch {
    char properties[DBK_PROPERTIES_MAX];
    char record[DBK_RECORD_MAX];
    char opened[DBK_RECORD_MAX]; /* what was sealed of what a person has now */
    char sealed[DBK_RECORD_MAX];
    uint64_t numbers[DBK_KEYS_MAX / sizeof(uint64_t)];
    struct months_due due; /* of the events.expired that is decided */
};

/* False: no memory. */
bool decide_have_scratch(struct decide_turn *turn);

/* Free what the turn has besides its transaction. */
void decide_finish(struct decide_turn *turn);

/* Have turn->key be the one of this number. As sealed_key. */
int decide_find_key(struct decide_turn *turn, uint64_t number);

/* Give the command its verdict, and if it is accepted append its records and change the
 * indexes. Either all of it happens or nothing.
 *
 * Returns 0, or the LMDB code that spoiled the transaction: then it must be aborted.
 */
int decide_command(struct decide_turn *turn, struct dbk_command *command);

#endif
