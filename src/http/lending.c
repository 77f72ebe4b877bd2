#include "lending.h"

#include "ahead.h"
#include "quick.h"
#include "reactor.h"
#include "store/clock.h"
#include "worker.h"
#include "writes.h"

#include <stdlib.h>

/* How long a connection is lent at most, for civetweb ends one of which it has not seen a
 * request for keep_alive_timeout_ms (civetweb_settings.c). */
#define LENT_MAX_MS 5000

#define QUICK_MAX 32 /* that are answered before it is looked for others */

struct lending {
    const struct service *service;
    struct lending_answers answers;
    struct reactor *reactors[TAP_SEATS]; /* NULL: no connection is lent to those */
    struct aheads aheads;
    struct writes writes;
};

static bool is_lent_for_long(const struct reactor_seat *seat)
{
    return dbk_clock_tick_ms() - seat->lent.since > LENT_MAX_MS;
}

/* False: nothing came, or it is left to its own thread. */
static bool receive_lent(struct reactor_seat *seat, char **head, size_t *length,
                         size_t *body, bool *left)
{
    enum tap_lent what = body ? tap_lent_with_body(seat, body) : tap_lent(seat);

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
        if (!receive_lent(seats[i], &head, &length, NULL, &left[i]))
            continue;
        left[i] = !quick_is(head, length);
        if (left[i]) {
            tap_lent_leave(seats[i]);
            continue;
        }
        lending->answers.whole(lending->answers.context, thread, NULL, &seats[i]->lent);
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
        if (!receive_lent(seats[i], &head, &length, NULL, &left[i]))
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
        lending->answers.whole(lending->answers.context, thread, NULL,
                               &one->seat->lent);
        one->seat->lent.ahead = NULL;
        tap_lent_end();
        left[one->place] = has_to_be_looked_after(one->seat) || !one->taken;
    }
    aheads_give(&lending->aheads, batch);
}

/* The first half of each: what is refused is answered, and the others wait for the log. */
static void receive_writes(struct lending *lending, struct write_batch *batch,
                           struct reactor_seat **seats, size_t count, bool *left)
{
    const struct lending_answers *answers = &lending->answers;
    size_t length, body;
    char *head;

    for (size_t i = 0; i < count; i++) {
        struct write_place *place;

        if (!receive_lent(seats[i], &head, &length, &body, &left[i]))
            continue;
        place = batch && write_is(head, length, body) ? write_next(batch) : NULL;
        left[i] = !place;
        if (left[i]) {
            tap_lent_leave(seats[i]);
            continue;
        }
        place->seat = seats[i];
        place->place = i;
        if (answers->begin(answers->context, place, &seats[i]->lent)) {
            write_waits(batch, place, length + body);
            continue;
        }
        tap_lent_end();
        left[i] = has_to_be_looked_after(seats[i]);
    }
}

/* Each gets its own verdict; what befalls the submission befalls all. But where all of them are
 * more than may wait for the log, each half is submitted: some may have room yet. */
static void decide_some(struct lending *lending, struct write_batch *batch,
                        size_t first, size_t end, bool *left)
{
    const struct lending_answers *answers = &lending->answers;
    size_t middle = first + (end - first) / 2;
    struct dbk_command *commands[WRITES_MAX];
    struct dbk_error err = {0};
    enum dbk_code code;

    for (size_t i = first; i < end; i++)
        commands[i - first] = batch->list[i].write.command;
    code =
        dbk_log_submit(lending->service->log, commands, end - first, NULL, NULL, &err);
    if (code == DBK_BUSY && end - first > 1) {
        decide_some(lending, batch, first, middle, left);
        decide_some(lending, batch, middle, end, left);
        return;
    }
    for (size_t i = first; i < end; i++) {
        struct write_place *place = &batch->list[i];

        answers->end(answers->context, place, code, &err);
        left[place->place] = has_to_be_looked_after(place->seat);
    }
}

/* Those that are left do not wait for the disk with the others. */
static void on_writes(void *context, void *thread, struct reactor_seat **seats,
                      size_t count, bool *left)
{
    struct lending *lending = context;
    struct write_batch *batch = writes_take(&lending->writes);

    (void)thread;
    receive_writes(lending, batch, seats, count, left);
    leave_others(seats, count, left);
    if (batch)
        decide_some(lending, batch, 0, batch->count, left);
    writes_give(&lending->writes, batch);
}

struct lending *lending_create(const struct service *service,
                               const struct lending_answers *answers)
{
    struct lending *lending = calloc(1, sizeof *lending);
    unsigned threads = service->options.threads;

    if (!lending)
        return NULL;
    lending->service = service;
    lending->answers = *answers;
    aheads_init(&lending->aheads);
    writes_init(&lending->writes);
    lending->reactors[TAP_TO_QUICK] =
        reactor_create(threads, QUICK_MAX, false, on_quick, lending);
    lending->reactors[TAP_TO_AHEAD] =
        reactor_create(threads, DBK_AHEAD_MAX, false, on_ahead, lending);
    lending->reactors[TAP_TO_WRITES] =
        reactor_create(threads, WRITES_MAX, true, on_writes, lending);
    return lending;
}

void lending_destroy(struct lending *lending)
{
    if (!lending)
        return;
    for (size_t i = 0; i < TAP_SEATS; i++)
        reactor_destroy(lending->reactors[i]);
    writes_finish(&lending->writes);
    aheads_finish(&lending->aheads);
    free(lending);
}

void lending_join(struct lending *lending, struct worker *worker,
                  struct reactor_seat *seats[TAP_SEATS])
{
    for (size_t i = 0; i < TAP_SEATS; i++) {
        if (lending->reactors[i])
            seats[i] = reactor_join(lending->reactors[i], worker);
    }
}

void lending_lend(const struct worker *worker)
{
    enum tap_lent_to to = TAP_SEATS;

    if (quick_was(worker))
        to = TAP_TO_QUICK;
    else if (ahead_was(&worker->request))
        to = TAP_TO_AHEAD;
    else if (write_was(worker))
        to = TAP_TO_WRITES;
    tap_lend(worker->request.guarded, to);
}

void lending_look(struct lending *lending)
{
    for (size_t i = 0; i < TAP_SEATS; i++)
        reactor_look(lending->reactors[i]);
}
