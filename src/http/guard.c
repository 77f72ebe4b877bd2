#include "guard.h"

#include "clock.h"
#include "peer_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define TICK_MS 50 /* so the coarse clock will do */
#define TURN_MS 1000
#define CROWDED_IDLE_MS 250 /* how long one may idle while every thread is taken */

struct guarded {
    struct guard *guard;
    int sock; /* -1: the place is free. Changed under the mutex only */
    int64_t since;
    atomic_int_least64_t read_deadline;  /* 0: none */
    atomic_int_least64_t write_deadline; /* 0: none */
    atomic_int_least64_t idle_since;     /* 0: a request is under way */
};

struct guard {
    pthread_t thread;
    pthread_mutex_t mutex; /* no socket is closed while it is held */
    pthread_cond_t changed;
    bool stopping;
    atomic_int drain_idle_ms; /* -1: not draining */
    atomic_uint connections;  /* that have a thread */
    atomic_uint guarded;      /* of these, those in the list */
    unsigned threads;
    struct guarded list[];
};

void guard_pause(int ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&pause, NULL);
}

/* The guard's thread may see it a little later: nothing else hangs on the order. */
static void set(atomic_int_least64_t *time, int64_t to)
{
    atomic_store_explicit(time, to, memory_order_release);
}

static bool passed(const atomic_int_least64_t *deadline, int64_t now)
{
    int64_t at = atomic_load_explicit(deadline, memory_order_acquire);

    return at != 0 && at <= now;
}

static bool idles_too_long(const struct guard *guard, const struct guarded *one,
                           int64_t now)
{
    int64_t since = atomic_load_explicit(&one->idle_since, memory_order_acquire);
    int allowed = atomic_load(&guard->drain_idle_ms);

    if (since == 0)
        return false;
    if (allowed < 0 && atomic_load(&guard->connections) < guard->threads)
        return false;
    return now - since >= (allowed >= 0 ? allowed : CROWDED_IDLE_MS);
}

/* What has arrived before SHUT_RD can still be read, so a request is not torn. */
static void look_at(const struct guard *guard, const struct guarded *one, int64_t now)
{
    if (one->sock < 0)
        return;
    if (passed(&one->write_deadline, now))
        shutdown(one->sock, SHUT_RDWR);
    else if (passed(&one->read_deadline, now) || idles_too_long(guard, one, now))
        shutdown(one->sock, SHUT_RD);
}

static void tick(struct guard *guard)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&guard->changed, &guard->mutex, &until);
}

static void *watch(void *argument)
{
    struct guard *guard = argument;

    pthread_mutex_lock(&guard->mutex);
    while (!guard->stopping) {
        if (atomic_load(&guard->guarded) == 0)
            pthread_cond_wait(&guard->changed, &guard->mutex);
        else
            tick(guard);
        int64_t now = clock_tick_ms();
        for (unsigned i = 0; i < guard->threads; i++)
            look_at(guard, &guard->list[i], now);
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

static void init_sync(struct guard *guard)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&guard->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&guard->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void free_guard(struct guard *guard)
{
    pthread_cond_destroy(&guard->changed);
    pthread_mutex_destroy(&guard->mutex);
    free(guard);
}

struct guard *guard_create(unsigned threads)
{
    struct guard *guard = calloc(1, sizeof *guard + threads * sizeof *guard->list);

    if (!guard)
        return NULL;
    init_sync(guard);
    guard->threads = threads;
    atomic_init(&guard->drain_idle_ms, -1);
    for (unsigned i = 0; i < threads; i++)
        guard->list[i] = (struct guarded){.guard = guard, .sock = -1};
    if (pthread_create(&guard->thread, NULL, watch, guard) == 0)
        return guard;
    free_guard(guard);
    return NULL;
}

void guard_destroy(struct guard *guard)
{
    if (!guard)
        return;
    pthread_mutex_lock(&guard->mutex);
    guard->stopping = true;
    pthread_cond_broadcast(&guard->changed);
    pthread_mutex_unlock(&guard->mutex);
    pthread_join(guard->thread, NULL);
    free_guard(guard);
}

static struct guarded *take_place(struct guard *guard, int sock)
{
    struct guarded *taken = NULL;

    pthread_mutex_lock(&guard->mutex);
    for (unsigned i = 0; i < guard->threads && !taken; i++) {
        if (guard->list[i].sock < 0)
            taken = &guard->list[i];
    }
    if (taken) {
        taken->since = clock_tick_ms();
        atomic_store(&taken->read_deadline, 0);
        atomic_store(&taken->write_deadline, 0);
        atomic_store(&taken->idle_since, taken->since);
        taken->sock = sock;
        if (atomic_fetch_add(&guard->guarded, 1) == 0)
            pthread_cond_signal(&guard->changed);
    }
    pthread_mutex_unlock(&guard->mutex);
    return taken;
}

void guard_arrived(struct guard *guard)
{
    atomic_fetch_add(&guard->connections, 1);
}

void guard_left(struct guard *guard)
{
    atomic_fetch_sub(&guard->connections, 1);
}

struct guarded *guard_begin(struct guard *guard, const char *remote, int remote_port,
                            int own_port)
{
    int sock = peer_socket(remote, remote_port, own_port);

    return sock < 0 ? NULL : take_place(guard, sock);
}

void guard_end(struct guarded *guarded)
{
    if (!guarded)
        return;
    pthread_mutex_lock(&guarded->guard->mutex);
    guarded->sock = -1;
    atomic_fetch_sub(&guarded->guard->guarded, 1);
    pthread_mutex_unlock(&guarded->guard->mutex);
}

void guarded_reading(struct guarded *guarded, int ms)
{
    if (!guarded)
        return;
    set(&guarded->idle_since, 0);
    set(&guarded->read_deadline, clock_tick_ms() + ms);
}

void guarded_writing(struct guarded *guarded, int ms)
{
    if (!guarded)
        return;
    set(&guarded->read_deadline, 0);
    set(&guarded->write_deadline, clock_tick_ms() + ms);
}

void guarded_working(struct guarded *guarded)
{
    if (!guarded)
        return;
    set(&guarded->read_deadline, 0);
    set(&guarded->write_deadline, 0);
}

void guarded_idle(struct guarded *guarded)
{
    if (!guarded)
        return;
    guarded_working(guarded);
    set(&guarded->idle_since, clock_tick_ms());
}

bool guarded_late(const struct guarded *guarded)
{
    return guarded && passed(&guarded->read_deadline, clock_tick_ms());
}

void guarded_linger(struct guarded *guarded, int ms)
{
    char dropped[4096];
    int64_t until = clock_ms() + ms;

    if (!guarded)
        return;
    shutdown(guarded->sock, SHUT_WR);
    for (int64_t left = ms; left > 0; left = until - clock_ms()) {
        struct pollfd ready = {.fd = guarded->sock, .events = POLLIN};
        if (poll(&ready, 1, (int)left) < 0 && errno != EINTR)
            return;
        if (ready.revents != 0 &&
            recv(guarded->sock, dropped, sizeof dropped, MSG_DONTWAIT) <= 0)
            return;
    }
}

bool guard_turn_over(const struct guard *guard, const struct guarded *guarded)
{
    return guarded && atomic_load(&guard->connections) >= guard->threads &&
           clock_tick_ms() - guarded->since >= TURN_MS;
}

void guard_drain(struct guard *guard, int idle_ms)
{
    atomic_store(&guard->drain_idle_ms, idle_ms);
    pthread_mutex_lock(&guard->mutex);
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->mutex);
}

unsigned guard_count(const struct guard *guard)
{
    return atomic_load(&guard->guarded);
}

unsigned guard_arrivals(const struct guard *guard)
{
    return atomic_load(&guard->connections);
}
