/* guard_private.h - what guard.c, which watches the connections, and guarded.c, which the
 * connections' threads call, have in common. */
#ifndef DBK_HTTP_GUARD_PRIVATE_H
#define DBK_HTTP_GUARD_PRIVATE_H

#include "client_address.h"
#include "guard.h"

#include <pthread.h>
#include <stdatomic.h>

struct guarded {
    struct guard *guard;
    int sock; /* -1: the place is free. Changed under the mutex only */
    uint16_t port;
    char peer[CLIENT_ADDRESS_TEXT];
    int64_t since;
    bool refused;
    atomic_bool over;                    /* above the bound of its address */
    atomic_int_least64_t began;          /* what has one of these deadlines */
    atomic_int_least64_t read_deadline;  /* 0: none */
    atomic_int_least64_t write_deadline; /* 0: none */
    atomic_int_least64_t idle_since;     /* 0: a request is under way */
};

struct guard {
    pthread_t thread;
    pthread_mutex_t mutex; /* no socket is closed while it is held */
    pthread_cond_t changed;
    bool stopping;
    void (*beside)(void *context); /* or NULL */
    void *beside_context;
    atomic_int drain_idle_ms; /* -1: not draining */
    atomic_uint connections;  /* that have a thread */
    atomic_uint guarded;      /* of these, those in the list */
    atomic_int own_port;      /* 0: not known yet */
    atomic_int highest;       /* descriptor of a connection (peer_socket.h) */
    unsigned threads;
    struct parked *parked;
    struct overload *overload; /* changed by the guard's thread only, under the mutex */
    int64_t full_at;           /* when it was seen last, */
    int64_t looked;            /* and looked at */
    struct guarded list[];
};

/* The guard's thread may see it a little later: nothing else hangs on the order. */
static inline void guard_set(atomic_int_least64_t *time, int64_t to)
{
    atomic_store_explicit(time, to, memory_order_release);
}

static inline bool guard_passed(const atomic_int_least64_t *deadline, int64_t now)
{
    int64_t at = atomic_load_explicit(deadline, memory_order_acquire);

    return at != 0 && at <= now;
}

/* Every thread has a connection. */
static inline bool guard_is_full(const struct guard *guard)
{
    return atomic_load(&guard->connections) >= guard->threads;
}

#endif
