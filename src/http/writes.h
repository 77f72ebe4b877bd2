/* writes.h - events that came together on connections that are lent (reactor.h), decided by
 * the log in one submission, so that one thread writes and answers them all.
 *
 * They are POST /events in its plainest form, whose body came with its head. All else of a
 * write is its own thread's: a key, a proof that is waited for, a body that is still to come.
 */
#ifndef DBK_HTTP_WRITES_H
#define DBK_HTTP_WRITES_H

#include "event_write.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define WRITES_MAX 128 /* that are submitted together */

struct dbk_log;
struct reactor_seat;
struct worker;

/* One of them, between its two halves (dispatch.h). */
struct write_place {
    struct worker *worker; /* its memory; NULL: not needed yet */
    struct event_write write;
    char *head;  /* what its head points into, or will (tap.h); the same */
    size_t used; /* its bytes, once it waits */
    struct reactor_seat *seat;
    size_t place; /* the caller's */
};

struct write_batch {
    struct write_place list[WRITES_MAX];
    size_t count; /* that wait for the log */
    struct write_batch *next;
};

/* The memory of those who lead, to be used again. */
struct writes {
    pthread_mutex_t mutex; /* guards what follows */
    struct write_batch *idle;
    unsigned taken, most; /* one for each who may lead */
};
void writes_init(struct writes *writes);
void writes_finish(struct writes *writes); /* all are given back */
/* NULL: the disk is waited for with all there may be, or no memory. */
struct write_batch *writes_take(struct writes *writes);
void writes_give(struct writes *writes, struct write_batch *batch); /* NULL is fine */

/* Whether a whole head, with its empty line and so many bytes behind it, is of such a
 * write. */
bool write_is(const char *head, size_t length, size_t body);

/* Whether the request that the worker has just answered was one. */
bool write_was(const struct worker *worker);

/* The place of the next one; NULL: no memory. */
struct write_place *write_next(struct write_batch *batch);
/* It has one half behind it, and waits for the log: the head that this thread received, with its
 * body of so many bytes in all, stays its own until the batch is given back. */
void write_waits(struct write_batch *batch, struct write_place *place, size_t length);

#endif
