/* replica_private.h - a replica, as its threads share it.
 *
 * dbk-tail reads the stream, applies it, and is who opens, leads and lets go: all of `role` is
 * its own. dbk-election is in the group of those who may lead, and tells the others of this
 * node. Whoever appends to the log ships by ship.c.
 */
#ifndef DBK_REPLICA_PRIVATE_H
#define DBK_REPLICA_PRIVATE_H

#include "conf.h"
#include "message.h"
#include "producer.h"
#include "refusal.h"
#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>

/* How dbk-tail stands to leading. */
enum role_phase {
    ROLE_FOLLOWS,
    ROLE_SENDS,  /* its opening is on its way */
    ROLE_OPENED, /* its opening is in the stream, and not read yet */
    ROLE_LEADS,  /* the log leads */
    ROLE_WAITS,  /* its opening is the latest, but its own stream is to be read first */
    ROLE_HANDS,  /* another is to open */
};

struct role {
    enum role_phase phase;
    struct producer *producer; /* but for ROLE_FOLLOWS */
    int64_t from;          /* the place when its opening was sent: it comes behind */
    int64_t epoch;         /* the offset of its opening, once that is known */
    bool insists;          /* it led, or is to: it opens whether elected or not */
    dbk_deadline next_try; /* not before, of opening */
    unsigned elections;    /* ... unless it was elected anew since these */
    dbk_deadline until;    /* ROLE_HANDS: then it opens again */
};

/* What was shipped and is not known to be in the stream, or is there and not in the log. */
struct doubt {
    bool open;
    int64_t epoch; /* under which it was sent */
    int64_t
        next; /* the log has it, or what came of it, from this place on; -1: not known */
};

struct dbk_replica {
    /* Set at the start. */
    struct dbk_log *log;
    struct dbk_replica_options options;
    struct dbk_uuid store_id;
    rd_kafka_t *consumer; /* dbk-tail's */
    /* Of all: a connection on which nobody fetches, for brokers answer in order, and a fetch
     * waits for what comes. */
    rd_kafka_t *asker;
    struct refusal refusal; /* its, for dbk-election, which polls it */
    rd_kafka_topic_t *stream;
    rd_kafka_queue_t *queue;
    pthread_t tail, elector;
    bool tails, elects; /* they run */

    atomic_bool stopping;
    atomic_int session_ms; /* as the brokers take it */
    /* Of a leader: behind what it shipped last. Messages before are nothing to look at. */
    _Atomic int64_t shipped_next;

    bool answered;           /* dbk-election's: the group has told what is assigned */
    struct role role;        /* dbk-tail's */
    bool reading;            /* dbk-tail's: it has begun where the log is */
    dbk_deadline busy_until; /* dbk-tail's: messages came a moment ago */
    int failures;            /* dbk-tail's: in a row, of beginning there */
    bool alarmed;         /* dbk-tail's: the others were told what the brokers lost */
    dbk_deadline look_at; /* dbk-tail's: when a halted one looks whether it may go on */

    pthread_mutex_t mutex;
    pthread_cond_t changed;           /* of what follows, which the mutex guards */
    struct dbk_replica_status status; /* end_age_ms is not kept there */
    int64_t end_at_ms;                /* when the end was seen; 0: never */
    char trouble[512];                /* of the brokers; "" */
    bool assigned;                    /* by the group of who may lead */
    unsigned elections;               /* how often it was */
    bool caught_up;                   /* the log had all there was, at some time */
    bool failing;                     /* the log cannot take what the stream has */
    bool barred;               /* another is to lead: not before the next opening */
    dbk_deadline barred_until; /* ... and a session */
    int64_t seen_next, seen_opening; /* of the stream, before it is applied */
    int64_t kept_next; /* behind tokens that shipping kept, to be told of; -1: none */
    bool lost, reopen; /* what shipping asks of dbk-tail */
    bool went_back;    /* so, too: the brokers lost what was acknowledged */
    struct doubt doubt;
    char hand_to[DBK_REPLICA_NAME_MAX + 1]; /* who is to lead, or "" */
    unsigned asks; /* of the end: who asks now, how often was asked */
    bool asking;
    int64_t asked_end;
    enum dbk_code asked_code;
    struct dbk_error asked_err;
    unsigned callers; /* of functions that wait */
};

/* Tell options->report. */
void replica_say(struct dbk_replica *replica, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Any thread: what brokers fail with; NULL: they answer. Said when it changes. */
void replica_trouble(struct dbk_replica *replica, const char *why);

bool replica_halted(struct dbk_replica *replica);
struct dbk_place replica_place(struct dbk_replica *replica);

const char *replica_state_name(enum dbk_replica_state state);

/* The name and URL that this node sends. */
struct message replica_message(const struct dbk_replica *replica,
                               enum message_type type);

#endif
