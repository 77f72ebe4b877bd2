/* log_state.h - what an open log is. Private to the store.
 *
 * Who touches what: `gate` guards the environment: readers hold it shared, and only
 * reopening after a failed commit, by whoever has the turn (writer.h), holds it alone.
 * `mutex` guards everything below it. Locks are taken in the order gate, mutex; never the
 * other way.
 */
#ifndef DBK_STORE_LOG_STATE_H
#define DBK_STORE_LOG_STATE_H

#include "environment.h"
#include "log_health.h"
#include "log_room.h"
#include "shipment_body.h"
#include "store/clock.h"
#include "store/log.h"
#include "store/replicated.h"
#include "wake.h"

#include <pthread.h>

struct writer_group; /* one submission, see writer.h */
struct held_batch;   /* submissions in doubt, see held.h */

struct dbk_log {
    char *dir;                      /* from open on, never changes */
    struct dbk_log_options options; /* the same */
    struct dbk_uuid store_id;       /* the same */
    bool sealed;                    /* the same */
    bool owns_keys;                 /* the ring of the options is closed with it */
    pthread_t writer;

    pthread_rwlock_t gate;
    struct environment environment;
    _Atomic size_t touched; /* bytes of the file that were mapped by reading, about */

    /* Of whoever has the turn to write. */
    bool usable; /* false: reopening failed; the next turn tries again */
    _Atomic bool
        settled; /* what is visible is known to be on disk; others may read it */
    dbk_deadline check_at; /* when to look after dead readers */
    bool unsettled; /* the ring may not be bound to it, or have keys that it destroys */
    uint64_t erased_through; /* all that records up to here say is destroyed is */
    uint8_t sweep_place[32]; /* how far idempotency keys have been looked through */

    /* The same, of a log that is one of several copies; the role is read by everybody. */
    _Atomic int role; /* enum dbk_log_role */
    struct dbk_shipper shipper;
    struct shipment_body body; /* what the transaction appends, where it is shipped */

    struct log_health health;
    struct log_room room;

    /* The head as of a transaction, to be had without beginning one; see dbk_log_head. The
     * two are read without a lock, and written under `mutex`, the head first. */
    _Atomic uint64_t head_known;
    _Atomic size_t head_txn; /* 0: not known */

    /* Submitters sleep here: those of one transaction on one of them, those who come
     * meanwhile on the other, so that all of the first are woken by one call. */
    struct wake decided[2];

    pthread_mutex_t mutex;
    pthread_cond_t submitted;           /* the writer waits here */
    pthread_cond_t appended;            /* followers wait here */
    struct writer_group *first, **last; /* the queue */
    size_t queued_bytes, queued;        /* in it, queued: commands */
    bool writing;                       /* somebody has the turn */
    size_t awaited; /* commands that the next is to have, see gather.h */
    dbk_deadline awaited_until, awaited_last;
    pthread_cond_t turn;     /* who wants it, and is no writer, waits here */
    size_t turns_wanted;     /* so many do; they go before the queue */
    pthread_cond_t unheld;   /* whose submissions are held wait here */
    struct held_batch *held; /* such transactions */
    size_t holding;          /* submitters of theirs */
    bool settling; /* somebody finds out what became of those that were in the list */
    unsigned lane; /* of those who are queued now */
    uint64_t appends;    /* counts commits and interrupts, so that none is missed */
    uint64_t interrupts; /* counts interrupts */
    bool closing;
};

/* With its locks, and the defaults of options (may be NULL); the environment is not open
 * yet. NULL: no memory. Free with log_destroy, which closes the environment. */
struct dbk_log *log_create(const char *dir, const struct dbk_log_options *options);
void log_destroy(struct dbk_log *log);

/* Whether somebody holds the lock, as one who says that it is held does. For asserts. */
static inline bool log_is_locked(struct dbk_log *log)
{
    return pthread_mutex_trylock(&log->mutex) != 0;
}

/* The same of the gate, and of the gate by one who lets no reader in. */
static inline bool log_gate_is_held(struct dbk_log *log)
{
    return pthread_rwlock_trywrlock(&log->gate) != 0;
}
static inline bool log_gate_is_shut(struct dbk_log *log)
{
    return pthread_rwlock_tryrdlock(&log->gate) != 0;
}

/* Tell options.report one line. */
void log_report(const struct dbk_log *log, const char *line);

#endif
