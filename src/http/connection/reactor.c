#include "reactor.h"

#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BUSY_MS = 1 };

/* Of a seat. Only its own thread takes it from AWAY to IDLE, and from IDLE or CALLED to AWAY;
 * only a leader does what is between. */
enum { AWAY, IDLE, SERVED, AGAIN, CALLED };

struct reactor {
    reactor_serve *serve;
    void *context;
    size_t batch;
    int epoll;
    unsigned leaders_max;

    pthread_mutex_t mutex; /* guards what follows */
    unsigned leaders;
    struct reactor_seat *sleeping; /* those that do not lead; the last one first */
    unsigned threads;
    struct reactor_seat *free_seats;
    struct reactor_seat seats[];
};

struct reactor *reactor_create(unsigned threads, size_t batch, reactor_serve *run,
                               void *context)
{
    struct reactor *reactor =
        calloc(1, sizeof *reactor + threads * sizeof *reactor->seats);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    assert(batch > 0 && batch <= REACTOR_BATCH_MAX);
    if (!reactor)
        return NULL;
    reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (reactor->epoll < 0) {
        free(reactor);
        return NULL;
    }
    reactor->serve = run;
    reactor->batch = batch;
    reactor->context = context;
    reactor->threads = threads;
    reactor->leaders_max = processors > 0 ? (unsigned)processors : 1;
    pthread_mutex_init(&reactor->mutex, NULL);
    for (unsigned i = 0; i < threads; i++) {
        struct reactor_seat *seat = &reactor->seats[i];

        seat->reactor = reactor;
        atomic_init(&seat->state, AWAY);
        atomic_init(&seat->served_at, 0);
        dbk_cond_init(&seat->woken);
        seat->next = reactor->free_seats;
        reactor->free_seats = seat;
    }
    return reactor;
}

void reactor_destroy(struct reactor *reactor)
{
    if (!reactor)
        return;
    assert(reactor->leaders == 0 && !reactor->sleeping);
    for (unsigned i = 0; i < reactor->threads; i++)
        pthread_cond_destroy(&reactor->seats[i].woken);
    pthread_mutex_destroy(&reactor->mutex);
    close(reactor->epoll);
    free(reactor);
}

struct reactor_seat *reactor_join(struct reactor *reactor, void *thread)
{
    struct reactor_seat *seat;

    pthread_mutex_lock(&reactor->mutex);
    seat = reactor->free_seats;
    if (seat)
        reactor->free_seats = seat->next;
    pthread_mutex_unlock(&reactor->mutex);
    if (seat)
        seat->thread = thread;
    return seat;
}

void reactor_part(struct reactor_seat *seat)
{
    if (!seat)
        return;
    assert(atomic_load(&seat->state) == AWAY);
    pthread_mutex_lock(&seat->reactor->mutex);
    seat->next = seat->reactor->free_seats;
    seat->reactor->free_seats = seat;
    pthread_mutex_unlock(&seat->reactor->mutex);
}

/* With the mutex held, as the next three. */
static void link_seat(struct reactor_seat *seat)
{
    struct reactor *reactor = seat->reactor;

    seat->next = reactor->sleeping;
    seat->link = &reactor->sleeping;
    if (seat->next)
        seat->next->link = &seat->next;
    reactor->sleeping = seat;
}

static void unlink_seat(struct reactor_seat *seat)
{
    *seat->link = seat->next;
    if (seat->next)
        seat->next->link = seat->link;
}

static void promote(struct reactor *reactor)
{
    struct reactor_seat *seat = reactor->sleeping;

    if (!seat || reactor->leaders >= reactor->leaders_max)
        return;
    unlink_seat(seat);
    seat->leads = true;
    reactor->leaders++;
    pthread_cond_signal(&seat->woken);
}

static void take_place(struct reactor_seat *seat)
{
    struct reactor *reactor = seat->reactor;

    seat->leads = reactor->leaders == 0;
    if (seat->leads)
        reactor->leaders++;
    else
        link_seat(seat);
}

static void leave_place(struct reactor_seat *seat)
{
    struct reactor *reactor = seat->reactor;

    if (!seat->leads) {
        unlink_seat(seat);
        return;
    }
    seat->leads = false;
    reactor->leaders--;
    if (reactor->leaders == 0)
        promote(reactor);
}

static void call(struct reactor_seat *seat)
{
    pthread_mutex_lock(&seat->reactor->mutex);
    atomic_store(&seat->state, CALLED);
    pthread_cond_signal(&seat->woken);
    pthread_mutex_unlock(&seat->reactor->mutex);
}

/* Whether it is the caller's to serve. Where another leader serves it, that one is told that
 * more has come; what comes to one that is not here its own thread finds. */
static bool claim(struct reactor_seat *seat)
{
    for (;;) {
        int state = IDLE;

        if (atomic_compare_exchange_strong(&seat->state, &state, SERVED))
            return true;
        if (state != SERVED)
            return false;
        if (atomic_compare_exchange_strong(&seat->state, &state, AGAIN))
            return false;
    }
}

/* False: more has come meanwhile. */
static bool let_go(struct reactor_seat *seat, bool left)
{
    int state = SERVED;

    if (left) {
        call(seat);
        return true;
    }
    atomic_store(&seat->served_at, dbk_clock_tick_ms());
    if (atomic_compare_exchange_strong(&seat->state, &state, IDLE))
        return true;
    assert(state == AGAIN);
    atomic_store(&seat->state, SERVED);
    return false;
}

static void serve(struct reactor *reactor, void *thread, struct reactor_seat **seats,
                  size_t count)
{
    while (count > 0) {
        bool left[REACTOR_BATCH_MAX] = {false};
        size_t again = 0;

        reactor->serve(reactor->context, thread, seats, count, left);
        for (size_t i = 0; i < count; i++) {
            if (!let_go(seats[i], left[i]))
                seats[again++] = seats[i];
        }
        count = again;
    }
}

/* Until the leader is called itself, or its time is up. */
static void lead(struct reactor_seat *leader, dbk_deadline until)
{
    struct reactor *reactor = leader->reactor;
    struct epoll_event events[REACTOR_BATCH_MAX];
    struct reactor_seat *seats[REACTOR_BATCH_MAX];

    do {
        int count = epoll_wait(reactor->epoll, events, (int)reactor->batch,
                               dbk_deadline_left(until));
        size_t claimed = 0;

        if (count > 1) {
            pthread_mutex_lock(&reactor->mutex);
            promote(reactor);
            pthread_mutex_unlock(&reactor->mutex);
        }
        for (int i = 0; i < count; i++) {
            seats[claimed] = events[i].data.ptr;
            claimed += claim(seats[claimed]);
        }
        serve(reactor, leader->thread, seats, claimed);
    } while (atomic_load(&leader->state) != CALLED && dbk_deadline_left(until) > 0);
}

/* Not called, and nothing has come for ms: go, unless somebody just serves it. */
static bool may_leave(struct reactor_seat *seat, int ms, dbk_deadline *until)
{
    int64_t served_at = atomic_load(&seat->served_at);
    int state = IDLE;

    if (served_at > 0 && served_at + ms > dbk_clock_tick_ms()) {
        *until = served_at + ms + BUSY_MS;
        return false;
    }
    if (atomic_compare_exchange_strong(&seat->state, &state, AWAY))
        return true;
    *until = dbk_deadline_in(BUSY_MS);
    return false;
}

/* An event of when it was here before may be under way. */
static void withdraw(struct reactor_seat *seat)
{
    for (;;) {
        int state = IDLE;

        if (atomic_compare_exchange_strong(&seat->state, &state, AWAY))
            return;
        if (state == CALLED)
            break;
        dbk_sleep_ms(BUSY_MS);
    }
    pthread_mutex_lock(&seat->reactor->mutex); /* under which it was called */
    atomic_store(&seat->state, AWAY);
    pthread_mutex_unlock(&seat->reactor->mutex);
}

/* With the mutex held. True: it was called. */
static bool wait_in_place(struct reactor_seat *seat, int ms)
{
    pthread_mutex_t *mutex = &seat->reactor->mutex;
    dbk_deadline until = dbk_deadline_in(ms);

    while (atomic_load(&seat->state) != CALLED) {
        if (seat->leads) {
            pthread_mutex_unlock(mutex);
            lead(seat, until);
            pthread_mutex_lock(mutex);
        } else if (dbk_deadline_left(until) > 0) {
            dbk_cond_wait(&seat->woken, mutex, until);
            continue;
        }
        if (atomic_load(&seat->state) == CALLED)
            break;
        if (dbk_deadline_left(until) == 0 && may_leave(seat, ms, &until))
            return false;
    }
    atomic_store(&seat->state, AWAY);
    return true;
}

bool reactor_wait(struct reactor_seat *seat, int ms)
{
    struct reactor *reactor = seat->reactor;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = seat};
    bool called;

    assert(atomic_load(&seat->state) == AWAY && !seat->received);
    atomic_store(&seat->served_at, 0);
    atomic_store(&seat->state, IDLE); /* before an event of it can be seen */
    if (epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, seat->lent.fd, &event) != 0) {
        withdraw(seat);
        return true;
    }
    pthread_mutex_lock(&reactor->mutex);
    take_place(seat);
    called = wait_in_place(seat, ms);
    leave_place(seat);
    pthread_mutex_unlock(&reactor->mutex);
    epoll_ctl(reactor->epoll, EPOLL_CTL_DEL, seat->lent.fd, NULL);
    return called;
}
