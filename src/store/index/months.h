/* months.h - which month's key the events of a sealed log are sealed with, besides their
 * person's: what is forgotten by age is forgotten by these.
 *
 * Private to the store. Follows from the log, and is made again from it. `meta` has "months":
 * for each run of events, in the log's order, 24 bytes: the sequence of the first event, u64;
 * the beginning of the month (UTC) in which that was recorded, i64, microseconds; the number of
 * the month's key, u64, or 0: these have none. A run ends where the next begins, and one begins
 * where the key is another, or, of those without, the month. Before the first run no event has
 * such a key; without any there is nothing in `meta`. And "expired": the sequence up to which
 * all events are. Runs up to there are taken out.
 */
#ifndef DBK_STORE_MONTHS_H
#define DBK_STORE_MONTHS_H

#include "environment.h"

struct month {
    uint64_t first;     /* 0: there is none */
    dbk_timestamp from; /* the month's beginning */
    uint64_t number;
};

/* How many months later the second begins. */
int64_t months_between(dbk_timestamp from, dbk_timestamp to);

/* The last run; zeros where there is none. An LMDB code, as all here. */
int months_last(MDB_txn *txn, const struct environment *environment, struct month *out);

/* Another run behind it. */
int months_add(MDB_txn *txn, const struct environment *environment,
               const struct month *month);

/* An event at this sequence was recorded, with the month's key of that number or none: begin a
 * run where it does. */
int months_note(MDB_txn *txn, const struct environment *environment, uint64_t sequence,
                dbk_timestamp recorded_at, uint64_t number);

/* Which runs are due: those at the front that were recorded before `before`, a month's
 * beginning. One of a month that is not yet, as of now, was recorded while the clock was wrong,
 * and is due where a later one is. */
struct months_due {
    size_t count; /* keys; 0: nothing is due */
    uint64_t numbers[DBK_KEYS_MAX / sizeof(uint64_t)];
    uint64_t through; /* the last record of what is due */
};
int months_due(MDB_txn *txn, const struct environment *environment,
               dbk_timestamp before, dbk_timestamp now, uint64_t head,
               struct months_due *out);

/* What there is to know of it before it is done. */
struct months_look {
    struct months_due due;
    dbk_timestamp
        oldest; /* the earliest month whose key would go; `before`: there is none */
    bool
        silent; /* no event was recorded in one of the two months before that of now: */
    dbk_timestamp silent_month;
};
int months_look(MDB_txn *txn, const struct environment *environment,
                dbk_timestamp before, dbk_timestamp now, uint64_t head,
                struct months_look *out);

/* All events up to `through` are expired. */
int months_expire(MDB_txn *txn, const struct environment *environment,
                  uint64_t through);
/* Up to which sequence they are; 0: none is. */
int months_expired(MDB_txn *txn, const struct environment *environment,
                   uint64_t *through);

/* Nothing is known of any. */
int months_clear(MDB_txn *txn, const struct environment *environment);

#endif
