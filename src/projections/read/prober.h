/* prober.h - finds out that PostgreSQL hangs, so that not every reader has to.
 *
 * A server that hangs (stopped, no longer reached, all its tables locked) refuses nothing:
 * each statement, and each new connection, waits to its deadline. So one thread asks, with
 * one statement on one connection, and while that is not answered nobody else does. The
 * statement goes on waiting, so that its answer tells at once when the server goes on.
 * That PostgreSQL refuses, or is not there, is an answer: whoever asks hears it quickly.
 */
#ifndef DBK_PROJECTIONS_PROBER_H
#define DBK_PROJECTIONS_PROBER_H

#include "pg.h"
#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>

/* Safe to share between threads. */
struct prober {
    struct dbk_database database;
    _Atomic int64_t
        asks_at; /* clock.h: when what is under way was asked; 0: nothing is */
    _Atomic int64_t asked_at; /* the same of the statement that hangs; 0: none does */
    atomic_uint hangs;        /* how often it was found to hang */
    _Atomic int64_t connected_at;  /* clock.h; 0: it is not */
    void (*beside)(void *context); /* done once a question was answered; or NULL */
    void *beside_context;

    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool stopping, suspected;

    struct pg *pg; /* the thread's own */
};

/* Asks nothing yet, and finds nothing. database is borrowed. */
void prober_init(struct prober *prober, const struct dbk_database *database);
/* Ends the thread, if there is one. */
void prober_finish(struct prober *prober);

/* DBK_NO_MEMORY, DBK_IO (no thread) */
enum dbk_code prober_start(struct prober *prober, struct dbk_error *err);

/* Have the thread do this, too, while PostgreSQL answers; it takes a second at most. Before
 * prober_start. */
void prober_beside(struct prober *prober, void (*beside)(void *context), void *context);

/* Since when (clock.h) it has a connection; 0: it has none. */
int64_t prober_connected_at(const struct prober *prober);

/* A statement was not answered in time: ask now. */
void prober_suspect(struct prober *prober);

/* For how many milliseconds PostgreSQL has not answered, where it hangs; else 0. */
int64_t prober_hangs(const struct prober *prober);
/* For how many milliseconds a statement is under way; 0: none is. */
int64_t prober_waits(const struct prober *prober);
/* How often it was found to hang: connections that were there before may have been lost
 * without a word. */
unsigned prober_hang_count(const struct prober *prober);
/* DBK_UNAVAILABLE, and for how long. */
enum dbk_code prober_refuse(const struct prober *prober, struct dbk_error *err);

#endif
