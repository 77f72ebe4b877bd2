#include "reactor.h"

#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BUSY_MS = 1 };

/* How many come together before another one leads, too: all of it on one processor. */
enum { CROWD_ALL = 256, CROWD_LEAST = 16 };

/* Of a seat. Only its own thread takes it from AWAY to IDLE, and from IDLE or CALLED to AWAY;
 * only a leader does what is between. */
enum { AWAY, IDLE, SERVED, AGAIN, CALLED };

/* Of a seat that leads: whether the bell reaches it. */
enum { DEAF, LISTENS, RUNG };

struct reactor {
    reactor_serve *serve;
    void *context;
    size_t batch;
    size_t crowd; /* another leads, too, where so many come together */
    bool gathers;
    int epoll, bell; /* the bell counts the leaders that are to hear it */
    unsigned leaders_max;
    atomic_uint began, ended; /* how often leaders have waited */

    pthread_mutex_t mutex; /* guards what follows */
    unsigned seen;         /* of began, when it was looked last */
    unsigned leaders;
    struct reactor_seat *sleeping; /* those that do not lead; the last one first */
    unsigned threads;
    struct reactor_seat *free_seats;
    struct reactor_seat seats[];
};

static void close_files(const struct reactor *reactor)
{
    if (reactor->epoll >= 0)
        close(reactor->epoll);
    if (reactor->bell >= 0)
        close(reactor->bell);
}

static bool open_files(struct reactor *reactor)
{
    struct epoll_event rings = {.events = EPOLLIN, .data.ptr = NULL};

    reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
    reactor->bell = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    if (reactor->epoll >= 0 && reactor->bell >= 0 &&
        epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, reactor->bell, &rings) == 0)
        return true;
    close_files(reactor);
    return false;
}

/* One processor is soon all that a lone leader has, where there are many. */
static size_t crowd_of(size_t batch, unsigned processors)
{
    size_t crowd = CROWD_ALL / processors;

    if (crowd < CROWD_LEAST)
        crowd = CROWD_LEAST;
    return crowd < batch ? crowd : batch;
}

struct reactor *reactor_create(unsigned threads, size_t batch, bool gathers,
                               reactor_serve *run, void *context)
{
    struct reactor *reactor =
        calloc(1, sizeof *reactor + threads * sizeof *reactor->seats);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    assert(batch > 0 && batch <= REACTOR_BATCH_MAX);
    if (!reactor)
        return NULL;
    if (!open_files(reactor)) {
        free(reactor);
        return NULL;
    }
    atomic_init(&reactor->began, 0);
    atomic_init(&reactor->ended, 0);
    reactor->serve = run;
    reactor->batch = batch;
    reactor->context = context;
    reactor->threads = threads;
    reactor->leaders_max = processors > 0 ? (unsigned)processors : 1;
    reactor->gathers = gathers;
    reactor->crowd = gathers ? crowd_of(batch, reactor->leaders_max) : 2;
    pthread_mutex_init(&reactor->mutex, NULL);
    for (unsigned i = 0; i < threads; i++) {
        struct reactor_seat *seat = &reactor->seats[i];

        seat->reactor = reactor;
        atomic_init(&seat->state, AWAY);
        atomic_init(&seat->ear, DEAF);
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
    close_files(reactor);
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

    if (!seat)
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

/* One that leads waits for what comes, and not to be woken. */
static void ring(struct reactor_seat *seat)
{
    const uint64_t once = 1;
    int ear = LISTENS;
    ssize_t written = sizeof once;

    if (atomic_compare_exchange_strong(&seat->ear, &ear, RUNG))
        written = write(seat->reactor->bell, &once, sizeof once);
    assert(written == (ssize_t)sizeof once); /* fewer than fill it are threads */
}

static void call(struct reactor_seat *seat)
{
    pthread_mutex_lock(&seat->reactor->mutex);
    atomic_store(&seat->state, CALLED);
    ring(seat);
    pthread_cond_signal(&seat->woken);
    pthread_mutex_unlock(&seat->reactor->mutex);
}

void reactor_leave(struct reactor_seat *seat)
{
    call(seat);
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
            if (seats[i] && !let_go(seats[i], left[i] || seats[i]->ends))
                seats[again++] = seats[i];
        }
        count = again;
    }
}

/* It is called before it listens, and sees that, or the bell rings. Whoever waits sees that,
 * until as many have heard it as were to. */
static int wait_for_any(struct reactor_seat *leader, struct epoll_event *events,
                        dbk_deadline until)
{
    struct reactor *reactor = leader->reactor;
    uint64_t once;
    int count;

    atomic_fetch_add(&reactor->began, 1);
    atomic_store(&leader->ear, LISTENS);
    count = epoll_wait(
        reactor->epoll, events, (int)reactor->batch,
        atomic_load(&leader->state) == CALLED ? 0 : dbk_deadline_left(until));
    if (atomic_exchange(&leader->ear, DEAF) == RUNG)
        while (read(reactor->bell, &once, sizeof once) < 0)
            assert(errno == EINTR);
    atomic_fetch_add(&reactor->ended, 1);
    return count;
}

static void promote_for_many(struct reactor *reactor)
{
    pthread_mutex_lock(&reactor->mutex);
    if (reactor->leaders < reactor->leaders_max)
        promote(reactor);
    pthread_mutex_unlock(&reactor->mutex);
}

/* Whether fewer come than it takes several for, where those that come are to be gathered. */
static bool is_spare(struct reactor *reactor, size_t count)
{
    bool spare = false;

    if (!reactor->gathers || count >= reactor->crowd)
        return false;
    pthread_mutex_lock(&reactor->mutex);
    spare = reactor->leaders > 1;
    pthread_mutex_unlock(&reactor->mutex);
    return spare;
}

/* Until the leader is called itself, or its time is up, or it is spare. */
static void lead(struct reactor_seat *leader, dbk_deadline until)
{
    struct reactor *reactor = leader->reactor;
    struct epoll_event events[REACTOR_BATCH_MAX];
    struct reactor_seat *seats[REACTOR_BATCH_MAX];
    int count;

    do {
        size_t claimed = 0;

        count = wait_for_any(leader, events, until);
        if (count >= (int)reactor->crowd)
            promote_for_many(reactor);
        for (int i = 0; i < count; i++) {
            struct reactor_seat *seat = events[i].data.ptr;

            if (!seat || !claim(seat)) /* NULL: the bell */
                continue;
            seat->ends = events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
            seats[claimed++] = seat;
        }
        serve(reactor, leader->thread, seats, claimed);
    } while (atomic_load(&leader->state) != CALLED && dbk_deadline_left(until) > 0 &&
             !is_spare(reactor, count > 0 ? (size_t)count : 0));
}

void reactor_look(struct reactor *reactor)
{
    unsigned began;

    if (!reactor)
        return;
    pthread_mutex_lock(&reactor->mutex);
    began = atomic_load(&reactor->began);
    if (began == reactor->seen && began == atomic_load(&reactor->ended))
        promote(reactor);
    reactor->seen = began;
    pthread_mutex_unlock(&reactor->mutex);
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

/* With the mutex held: of several that gather one is enough. What has come meanwhile another
 * finds, for there is one. */
static void step_down(struct reactor_seat *seat)
{
    struct reactor *reactor = seat->reactor;

    if (!reactor->gathers || reactor->leaders <= 1)
        return;
    seat->leads = false;
    reactor->leaders--;
    link_seat(seat);
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
            step_down(seat);
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
    seat->ends = false;
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
