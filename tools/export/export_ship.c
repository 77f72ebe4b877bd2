#include "export_ship.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECES 4
#define ASK_MS 100
#define INTERRUPT_MS 10

struct export_ship {
    struct export_writer *writer;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows but for pieces */
    pthread_cond_t changed;
    unsigned sent, shipped; /* pieces; shipped <= sent <= shipped + PIECES */
    bool ending;            /* nothing more will be sent */
    bool abandoned;         /* and what was sent is of no use */
    bool done;              /* the thread has nothing more to do */
    struct dbk_error err;   /* where code is not DBK_OK */
    enum dbk_code code;
    struct export_piece pieces[PIECES]; /* piece n % PIECES: sender's from shipped on */
};

static enum dbk_code write_piece(struct export_writer *writer,
                                 const struct export_piece *piece,
                                 struct dbk_error *err)
{
    for (size_t i = 0; i < piece->count; i++) {
        if (export_writer_add(writer, &piece->items[i], err) != DBK_OK)
            return err->code;
    }
    return piece->flush ? export_writer_flush(writer, err) : DBK_OK;
}

/* The next piece, or NULL where there will be none. */
static const struct export_piece *take(struct export_ship *ship, bool *abandoned)
{
    const struct export_piece *piece = NULL;

    pthread_mutex_lock(&ship->mutex);
    while (ship->sent == ship->shipped && !ship->ending)
        pthread_cond_wait(&ship->changed, &ship->mutex);
    *abandoned = ship->abandoned;
    if (ship->sent != ship->shipped && !ship->abandoned)
        piece = &ship->pieces[ship->shipped % PIECES];
    pthread_mutex_unlock(&ship->mutex);
    return piece;
}

static void tell(struct export_ship *ship, enum dbk_code code,
                 const struct dbk_error *err, bool done)
{
    pthread_mutex_lock(&ship->mutex);
    ship->shipped += !done;
    ship->done = done;
    ship->code = code;
    if (code != DBK_OK)
        ship->err = *err;
    pthread_cond_broadcast(&ship->changed);
    pthread_mutex_unlock(&ship->mutex);
}

static void *run(void *context)
{
    struct export_ship *ship = context;
    const struct export_piece *piece;
    enum dbk_code code = DBK_OK;
    struct dbk_error err;
    bool abandoned = false;

    while (code == DBK_OK && (piece = take(ship, &abandoned))) {
        code = write_piece(ship->writer, piece, &err);
        if (code == DBK_OK)
            tell(ship, code, &err, false);
    }
    if (code == DBK_OK && !abandoned)
        code = export_writer_end(ship->writer, &err);
    tell(ship, code, &err, true);
    return NULL;
}

static void nothing(int number)
{
    (void)number;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void free_ship(struct export_ship *ship)
{
    for (size_t i = 0; i < PIECES; i++)
        dbk_batch_finish(&ship->pieces[i].batch);
    pthread_cond_destroy(&ship->changed);
    pthread_mutex_destroy(&ship->mutex);
    free(ship);
}

enum dbk_code export_ship_start(struct export_writer *writer, struct export_ship **out,
                                struct dbk_error *err)
{
    struct export_ship *ship = calloc(1, sizeof *ship);
    struct sigaction wake = {.sa_handler = nothing};
    int rc;

    *out = NULL;
    if (!ship)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    ship->writer = writer;
    sigaction(SIGUSR1, &wake, NULL); /* without SA_RESTART: it ends a write */
    pthread_mutex_init(&ship->mutex, NULL);
    init_condition(&ship->changed);
    rc = pthread_create(&ship->thread, NULL, run, ship);
    if (rc != 0) {
        free_ship(ship);
        return dbk_fail(err, DBK_IO, "make a thread: %s", strerror(rc));
    }
    *out = ship;
    return DBK_OK;
}

/* Sleep until something changes, or the time is over; the mutex is held. */
static void sleep_a_little(struct export_ship *ship, long ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&ship->changed, &ship->mutex, &until);
}

/* False where stop says so. */
static bool sleep_and_ask(struct export_ship *ship, bool (*stop)(void *context),
                          void *context)
{
    sleep_a_little(ship, ASK_MS);
    return !stop(context);
}

struct export_piece *export_ship_piece(struct export_ship *ship,
                                       bool (*stop)(void *context), void *context)
{
    struct export_piece *piece = NULL;
    bool go_on = true;

    pthread_mutex_lock(&ship->mutex);
    while (go_on && !ship->done && ship->sent - ship->shipped == PIECES)
        go_on = sleep_and_ask(ship, stop, context);
    if (go_on && !ship->done) {
        piece = &ship->pieces[ship->sent % PIECES];
        piece->count = 0;
        piece->flush = false;
    }
    pthread_mutex_unlock(&ship->mutex);
    return piece;
}

void export_ship_send(struct export_ship *ship)
{
    pthread_mutex_lock(&ship->mutex);
    ship->sent++;
    pthread_cond_broadcast(&ship->changed);
    pthread_mutex_unlock(&ship->mutex);
}

/* Get the thread out of a write that may hang for ever; the mutex is held. One signal
 * might come just before the write begins, so it is sent until it has been seen. */
static void interrupt(struct export_ship *ship)
{
    export_writer_abort(ship->writer);
    while (!ship->done) {
        pthread_kill(ship->thread, SIGUSR1);
        sleep_a_little(ship, INTERRUPT_MS);
    }
}

enum dbk_code export_ship_abandon(struct export_ship *ship, struct dbk_error *err)
{
    enum dbk_code code;

    pthread_mutex_lock(&ship->mutex);
    ship->ending = ship->abandoned = true;
    pthread_cond_broadcast(&ship->changed);
    code = ship->code; /* what the interruption makes it fail with is no failure */
    if (code != DBK_OK && err)
        *err = ship->err;
    interrupt(ship);
    pthread_mutex_unlock(&ship->mutex);
    pthread_join(ship->thread, NULL);
    free_ship(ship);
    return code;
}

enum dbk_code export_ship_end(struct export_ship *ship, bool (*stop)(void *context),
                              void *context, struct dbk_error *err)
{
    bool go_on = true;
    enum dbk_code code;

    pthread_mutex_lock(&ship->mutex);
    ship->ending = true;
    pthread_cond_broadcast(&ship->changed);
    while (go_on && !ship->done)
        go_on = sleep_and_ask(ship, stop, context);
    go_on = ship->done;
    pthread_mutex_unlock(&ship->mutex);
    code = export_ship_abandon(ship, err);
    if (code == DBK_OK && !go_on)
        return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    return code;
}
