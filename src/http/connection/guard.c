#include "guard.h"

#include "guard_private.h"
#include "overload.h"
#include "peer_socket.h"
#include "store/clock.h"
#include "store/thread.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define TICK_MS 50       /* so the coarse clock will do */
#define FULL_IDLE_MS 250 /* how long one may idle while every thread is taken */
#define OVERLOAD_CALM_MS                                                               \
    200 /* between two looks while nobody waits, for a look costs */
#define OVERLOAD_OVER_MS 1000 /* without one; each thread is free now and then */

static bool idles_too_long(const struct guard *guard, const struct guarded *one,
                           int64_t now)
{
    int64_t since = atomic_load_explicit(&one->idle_since, memory_order_acquire);
    int allowed = atomic_load(&guard->drain_idle_ms);

    if (since == 0)
        return false;
    if (allowed < 0 && !guard_is_full(guard))
        return false;
    return now - since >= (allowed >= 0 ? allowed : FULL_IDLE_MS);
}

/* What has arrived before SHUT_RD can still be read, so a request is not torn. */
static void look_at(const struct guard *guard, const struct guarded *one, int64_t now)
{
    if (one->sock < 0)
        return;
    if (guard_passed(&one->write_deadline, now))
        shutdown(one->sock, SHUT_RDWR);
    else if (guard_passed(&one->read_deadline, now) || idles_too_long(guard, one, now))
        shutdown(one->sock, SHUT_RD);
}

static enum overload_state state_of(const struct guarded *one)
{
    if (atomic_load(&one->idle_since) != 0)
        return OVERLOAD_IDLE;
    if (atomic_load(&one->write_deadline) != 0)
        return OVERLOAD_WRITING;
    return atomic_load(&one->read_deadline) != 0 ? OVERLOAD_READING : OVERLOAD_WORKING;
}

static void tell_overload(struct guard *guard)
{
    for (unsigned i = 0; i < guard->threads; i++) {
        const struct guarded *one = &guard->list[i];
        if (one->sock >= 0)
            overload_tell(guard->overload, one->sock, state_of(one),
                          atomic_load(&one->began));
    }
}

static void hear_overload(struct guard *guard)
{
    for (unsigned i = 0; i < guard->threads; i++) {
        struct guarded *one = &guard->list[i];
        if (one->sock >= 0 && overload_is_over(guard->overload, one->sock, one->port))
            atomic_store(&one->over, true);
    }
}

static void ease_overload(struct guard *guard, int64_t now)
{
    int own_port = atomic_load(&guard->own_port);

    if (guard_is_full(guard))
        guard->full_at = now;
    else if (now - guard->full_at > OVERLOAD_OVER_MS)
        overload_forget(guard->overload);
    if (own_port == 0 || !guard_is_full(guard))
        return;
    if (!overload_waits(guard->overload) && now - guard->looked < OVERLOAD_CALM_MS)
        return;
    guard->looked = now;
    overload_look(guard->overload, own_port, now);
    tell_overload(guard);
    overload_decide(guard->overload, now);
    hear_overload(guard);
    pthread_mutex_unlock(&guard->mutex);
    overload_end(guard->overload, own_port);
    pthread_mutex_lock(&guard->mutex);
}

/* To the end, whoever arrives meanwhile: to look costs a walk over all descriptors. */
static void tick(struct guard *guard)
{
    dbk_deadline until = dbk_deadline_in(TICK_MS);

    while (!guard->stopping && dbk_cond_wait(&guard->changed, &guard->mutex, until))
        continue;
}

static void *watch(void *argument)
{
    struct guard *guard = argument;

    pthread_mutex_lock(&guard->mutex);
    while (!guard->stopping) {
        if (atomic_load(&guard->guarded) > 0 || guard_is_full(guard)) {
            tick(guard);
        } else {
            overload_forget(guard->overload);
            pthread_cond_wait(&guard->changed, &guard->mutex);
        }
        int64_t now = dbk_clock_tick_ms();
        for (unsigned i = 0; i < guard->threads; i++)
            look_at(guard, &guard->list[i], now);
        ease_overload(guard, now);
        pthread_mutex_unlock(&guard->mutex);
        if (guard->beside)
            guard->beside(guard->beside_context);
        pthread_mutex_lock(&guard->mutex);
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

static void init_sync(struct guard *guard)
{
    pthread_mutex_init(&guard->mutex, NULL);
    dbk_cond_init(&guard->changed);
}

static void free_guard(struct guard *guard)
{
    pthread_cond_destroy(&guard->changed);
    pthread_mutex_destroy(&guard->mutex);
    overload_destroy(guard->overload);
    free(guard);
}

struct guard *guard_create(unsigned threads, unsigned queue, unsigned bound,
                           struct parked *parked)
{
    struct guard *guard = calloc(1, sizeof *guard + threads * sizeof *guard->list);

    if (!guard)
        return NULL;
    init_sync(guard);
    guard->threads = threads;
    guard->parked = parked;
    atomic_init(&guard->drain_idle_ms, -1);
    for (unsigned i = 0; i < threads; i++)
        guard->list[i] = (struct guarded){.guard = guard, .sock = -1};
    guard->overload = overload_create(threads, queue, bound, parked);
    if (guard->overload &&
        dbk_thread_start(&guard->thread, "dbk-guard", watch, guard, NULL) == DBK_OK)
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

void guard_beside(struct guard *guard, void (*beside)(void *context), void *context)
{
    pthread_mutex_lock(&guard->mutex);
    guard->beside = beside;
    guard->beside_context = context;
    pthread_mutex_unlock(&guard->mutex);
}

static struct guarded *take_place(struct guard *guard, int sock, uint16_t port,
                                  const char *peer)
{
    struct guarded *taken = NULL;

    pthread_mutex_lock(&guard->mutex);
    for (unsigned i = 0; i < guard->threads && !taken; i++) {
        if (guard->list[i].sock < 0)
            taken = &guard->list[i];
    }
    if (taken) {
        taken->since = dbk_clock_tick_ms();
        atomic_store(&taken->read_deadline, 0);
        atomic_store(&taken->write_deadline, 0);
        atomic_store(&taken->idle_since, taken->since);
        taken->sock = sock;
        taken->port = port;
        snprintf(taken->peer, sizeof taken->peer, "%s", peer);
        taken->refused = overload_is_over(guard->overload, sock, port);
        atomic_store(&taken->over, taken->refused);
        if (atomic_fetch_add(&guard->guarded, 1) == 0)
            pthread_cond_signal(&guard->changed);
    }
    pthread_mutex_unlock(&guard->mutex);
    return taken;
}

void guard_listens(struct guard *guard, int own_port)
{
    atomic_store(&guard->own_port, own_port);
}

void guard_arrived(struct guard *guard)
{
    if (atomic_fetch_add(&guard->connections, 1) + 1 < guard->threads)
        return;
    pthread_mutex_lock(&guard->mutex);
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->mutex);
}

void guard_left(struct guard *guard)
{
    unsigned before = atomic_fetch_sub(&guard->connections, 1);

    assert(before > 0); /* it had arrived */
}

struct guarded *guard_begin(struct guard *guard, const char *remote, int remote_port,
                            int own_port)
{
    int sock =
        peer_socket(remote, remote_port, own_port, &guard->highest, guard->parked);

    return sock < 0 ? NULL
                    : take_place(guard, sock, htons((uint16_t)remote_port), remote);
}

void guard_end(struct guarded *guarded)
{
    if (!guarded)
        return;
    pthread_mutex_lock(&guarded->guard->mutex);
    assert(guarded->sock >= 0); /* its place is its own until here */
    guarded->sock = -1;
    atomic_fetch_sub(&guarded->guard->guarded, 1);
    pthread_mutex_unlock(&guarded->guard->mutex);
}

void guard_drain(struct guard *guard, int idle_ms)
{
    atomic_store(&guard->drain_idle_ms, idle_ms);
    pthread_mutex_lock(&guard->mutex);
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->mutex);
}

void guard_cut(struct guard *guard)
{
    pthread_mutex_lock(&guard->mutex);
    for (unsigned i = 0; i < guard->threads; i++) {
        if (guard->list[i].sock >= 0)
            shutdown(guard->list[i].sock, SHUT_RDWR);
    }
    pthread_mutex_unlock(&guard->mutex);
}

bool guard_writes(struct guard *guard)
{
    bool writes = false;

    pthread_mutex_lock(&guard->mutex);
    for (unsigned i = 0; i < guard->threads && !writes; i++)
        writes = guard->list[i].sock >= 0 &&
                 atomic_load(&guard->list[i].write_deadline) != 0;
    pthread_mutex_unlock(&guard->mutex);
    return writes;
}

unsigned guard_count(const struct guard *guard)
{
    return atomic_load(&guard->guarded);
}

unsigned guard_arrivals(const struct guard *guard)
{
    return atomic_load(&guard->connections);
}
