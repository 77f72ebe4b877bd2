/* reactor.h - idle connections that few threads wait for, and answer.
 *
 * civetweb has a thread for each connection. Where a request takes less than to wake a
 * thread and to bring its memory into the processor's cache, most of it is that. So the
 * connection whose last request took no waiting is lent while it idles: its thread sleeps,
 * and a leader, one of those threads, waits for all of them at once (epoll) and answers what
 * comes, one after the other, with its own memory. What it cannot answer so, or not at once,
 * it leaves to the connection's own thread, which it wakes.
 *
 * There is a leader while anybody idles here, another one where several requests come
 * together, up to the number of processors, and another one where those there are hang.
 */
#ifndef DBK_HTTP_REACTOR_H
#define DBK_HTTP_REACTOR_H

#include "lent.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct reactor; /* safe to share between threads */

/* The connection of a thread, while that sleeps. */
struct reactor_seat {
    struct lent lent;
    char
        *received; /* what arrived, and is its own thread's to answer; owned, or NULL */
    size_t received_length;

    /* Private from here on. */
    struct reactor *reactor;
    void *thread;
    atomic_int state, ear;
    atomic_int_least64_t served_at; /* the coarse clock; 0: not since it sleeps */
    pthread_cond_t woken;
    bool ends;                         /* the client has sent its last */
    bool leads;                        /* guarded by the reactor's mutex, */
    struct reactor_seat *next, **link; /* as is its place among those that sleep */
};

#define REACTOR_BATCH_MAX 128

/* Something came on each of these: receive and answer it, with the memory of the thread that
 * calls, but wait for no client. left[i], which is false, becomes true where its own thread
 * is to look after the connection, and to answer what was received; seats[i] NULL where it
 * was told so already. */
typedef void reactor_serve(void *context, void *thread, struct reactor_seat **seats,
                           size_t count, bool *left);

/* While serving: the seat is its own thread's at once, for others are waited for. */
void reactor_leave(struct reactor_seat *seat);

/* For so many threads; at most `batch` are served at once. gathers: what comes while others are
 * served is to be served together, too, so another leads only where a batch is full, or where
 * many come and there are many processors. NULL: out of memory, or the system has no epoll
 * left. */
struct reactor *reactor_create(unsigned threads, size_t batch, bool gathers,
                               reactor_serve *serve, void *context);
void reactor_destroy(struct reactor *reactor); /* nobody sleeps; NULL is fine */

/* A seat for the calling thread, whose memory is `thread`; NULL: there is none left. */
struct reactor_seat *reactor_join(struct reactor *reactor, void *thread);
void reactor_part(struct reactor_seat *seat); /* NULL is fine */

/* To be called every now and then: where each leader has been serving since the last time,
 * as it waits for a disk or for PostgreSQL after all, another one leads, too, while anybody
 * sleeps. NULL is fine. */
void reactor_look(struct reactor *reactor);

/* Sleep, or lead, until there is something for the caller (true), or nothing has come for
 * ms (false). The caller has filled in lent. */
bool reactor_wait(struct reactor_seat *seat, int ms);

#endif
