#include "lending.h"

#include "ahead.h"
#include "quick.h"
#include "reactor.h"
#include "store/clock.h"
#include "worker.h"

#include <stdlib.h>

/* How long a connection is lent at most, for civetweb ends one of which it has not seen a
 * request for keep_alive_timeout_ms (civetweb_settings.c). */
#define LENT_MAX_MS 5000

struct lending {
    const struct service *service;
    lending_answer *answer;
    void *context;
    struct reactor *quick, *ahead; /* NULL: no connection is lent to those */
    struct aheads aheads;
};

static bool is_lent_for_long(const struct reactor_seat *seat)
{
    return dbk_clock_tick_ms() - seat->lent.since > LENT_MAX_MS;
}

/* False: nothing came, or it is left to its own thread. */
static bool receive_lent(struct reactor_seat *seat, char **head, size_t *length,
                         bool *left)
{
    enum tap_lent what = tap_lent(seat);

    *left = what == TAP_LENT_LEFT;
    if (what != TAP_LENT_WHOLE)
        return false;
    tap_head(head, length);
    if (!is_lent_for_long(seat))
        return true;
    tap_lent_leave(seat);
    *left = true;
    return false;
}

static bool has_to_be_looked_after(const struct reactor_seat *seat)
{
    return seat->lent.end || seat->lent.unsent;
}

/* What takes no waiting, one after the other. */
static void on_quick(void *context, void *thread, struct reactor_seat **seats,
                     size_t count, bool *left)
{
    struct lending *lending = context;
    char *head;
    size_t length;

    for (size_t i = 0; i < count; i++) {
        if (!receive_lent(seats[i], &head, &length, &left[i]))
            continue;
        left[i] = !quick_is(head, length);
        if (left[i]) {
            tap_lent_leave(seats[i]);
            continue;
        }
        lending->answer(lending->context, thread, NULL, &seats[i]->lent);
        tap_lent_end();
        left[i] = !quick_was(thread) || has_to_be_looked_after(seats[i]);
    }
}

/* Those that can be read ahead. */
static size_t receive_ahead(struct ahead_batch *batch, struct reactor_seat **seats,
                            size_t count, bool *left)
{
    size_t found = 0, length;
    char *head;

    for (size_t i = 0; i < count; i++) {
        if (!receive_lent(seats[i], &head, &length, &left[i]))
            continue;
        left[i] = !batch || !ahead_is(head, length, &batch->list[found]);
        if (left[i]) {
            tap_lent_leave(seats[i]);
            continue;
        }
        tap_lent_end();
        batch->list[found].seat = seats[i];
        batch->list[found++].place = i;
    }
    return found;
}

/* They do not wait for PostgreSQL. */
static void leave_others(struct reactor_seat **seats, size_t count, const bool *left)
{
    for (size_t i = 0; i < count; i++) {
        if (!left[i])
            continue;
        reactor_leave(seats[i]);
        seats[i] = NULL;
    }
}

static void on_ahead(void *context, void *thread, struct reactor_seat **seats,
                     size_t count, bool *left)
{
    struct lending *lending = context;
    struct ahead_batch *batch = aheads_take(&lending->aheads);
    size_t found = receive_ahead(batch, seats, count, left);
    bool read;

    leave_others(seats, count, left);
    tap_inside(true); /* libpq's reading is not civetweb's */
    read = found > 0 && ahead_read(lending->service, batch->list, found);
    tap_inside(false);
    for (size_t i = 0; i < found; i++) {
        struct ahead *one = &batch->list[i];

        tap_lent_again(one->head, one->length);
        left[one->place] = !read || !ahead_has(one);
        if (left[one->place]) {
            tap_lent_leave(one->seat);
            continue;
        }
        one->seat->lent.ahead = one;
        lending->answer(lending->context, thread, NULL, &one->seat->lent);
        one->seat->lent.ahead = NULL;
        tap_lent_end();
        left[one->place] = has_to_be_looked_after(one->seat) || !one->taken;
    }
    aheads_give(&lending->aheads, batch);
}

struct lending *lending_create(const struct service *service, lending_answer *answer,
                               void *context)
{
    struct lending *lending = calloc(1, sizeof *lending);
    unsigned threads = service->options.threads;

    if (!lending)
        return NULL;
    lending->service = service;
    lending->answer = answer;
    lending->context = context;
    aheads_init(&lending->aheads);
    lending->quick = reactor_create(threads, REACTOR_BATCH_MAX, on_quick, lending);
    lending->ahead = reactor_create(threads, DBK_AHEAD_MAX, on_ahead, lending);
    return lending;
}

void lending_destroy(struct lending *lending)
{
    if (!lending)
        return;
    reactor_destroy(lending->quick);
    reactor_destroy(lending->ahead);
    aheads_finish(&lending->aheads);
    free(lending);
}

void lending_join(struct lending *lending, struct worker *worker,
                  struct reactor_seat *seats[TAP_SEATS])
{
    if (lending->quick)
        seats[TAP_TO_QUICK] = reactor_join(lending->quick, worker);
    if (lending->ahead)
        seats[TAP_TO_AHEAD] = reactor_join(lending->ahead, worker);
}

void lending_lend(const struct worker *worker)
{
    if (quick_was(worker))
        tap_lend(worker->request.guarded, TAP_TO_QUICK);
    else if (ahead_was(&worker->request))
        tap_lend(worker->request.guarded, TAP_TO_AHEAD);
}

void lending_look(struct lending *lending)
{
    reactor_look(lending->quick);
    reactor_look(lending->ahead);
}
