#include "export_pipeline.h"
#include "store/clock.h"
#include "store/thread.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECES 4
#define ASK_MS 100
#define INTERRUPT_MS 10

struct export_pipeline {
    struct export_writer *writer;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows but for pieces */
    pthread_cond_t changed;
    unsigned sent, written; /* pieces; written <= sent <= written + PIECES */
    bool ending;            /* nothing more will be sent */
    bool abandoned;         /* and what was sent is of no use */
    bool done;              /* the thread has nothing more to do */
    struct dbk_error err;   /* where code is not DBK_OK */
    enum dbk_code code;
    struct export_piece pieces[PIECES]; /* piece n % PIECES: sender's from written on */
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
static const struct export_piece *take(struct export_pipeline *pipeline,
                                       bool *abandoned)
{
    const struct export_piece *piece = NULL;

    pthread_mutex_lock(&pipeline->mutex);
    while (pipeline->sent == pipeline->written && !pipeline->ending)
        pthread_cond_wait(&pipeline->changed, &pipeline->mutex);
    *abandoned = pipeline->abandoned;
    if (pipeline->sent != pipeline->written && !pipeline->abandoned)
        piece = &pipeline->pieces[pipeline->written % PIECES];
    pthread_mutex_unlock(&pipeline->mutex);
    return piece;
}

static void tell(struct export_pipeline *pipeline, enum dbk_code code,
                 const struct dbk_error *err, bool done)
{
    pthread_mutex_lock(&pipeline->mutex);
    assert(!pipeline->done && (done || pipeline->written != pipeline->sent));
    pipeline->written += !done;
    pipeline->done = done;
    pipeline->code = code;
    if (code != DBK_OK)
        pipeline->err = *err;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

/* What pthread_kill of this one sends, to end a write that hangs. */
static void allow_wake_up(void)
{
    sigset_t wake;

    sigemptyset(&wake);
    sigaddset(&wake, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
}

static void *run(void *context)
{
    struct export_pipeline *pipeline = context;
    const struct export_piece *piece;
    enum dbk_code code = DBK_OK;
    struct dbk_error err;
    bool abandoned = false;

    allow_wake_up();
    while (code == DBK_OK && (piece = take(pipeline, &abandoned))) {
        code = write_piece(pipeline->writer, piece, &err);
        if (code == DBK_OK)
            tell(pipeline, code, &err, false);
    }
    if (code == DBK_OK && !abandoned)
        code = export_writer_end(pipeline->writer, &err);
    tell(pipeline, code, &err, true);
    return NULL;
}

static void nothing(int number)
{
    (void)number;
}

static void free_pipeline(struct export_pipeline *pipeline)
{
    for (size_t i = 0; i < PIECES; i++)
        dbk_batch_finish(&pipeline->pieces[i].batch);
    pthread_cond_destroy(&pipeline->changed);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
}

enum dbk_code export_pipeline_start(struct export_writer *writer,
                                    struct export_pipeline **out, struct dbk_error *err)
{
    struct export_pipeline *pipeline = calloc(1, sizeof *pipeline);
    struct sigaction wake = {.sa_handler = nothing};
    enum dbk_code code;

    *out = NULL;
    if (!pipeline)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    pipeline->writer = writer;
    sigaction(SIGUSR1, &wake, NULL); /* without SA_RESTART: it ends a write */
    pthread_mutex_init(&pipeline->mutex, NULL);
    dbk_cond_init(&pipeline->changed);
    code = dbk_thread_start(&pipeline->thread, "dbk-export", run, pipeline, err);
    if (code != DBK_OK) {
        free_pipeline(pipeline);
        return code;
    }
    *out = pipeline;
    return DBK_OK;
}

/* Sleep until something changes, or the time is over; the mutex is held. */
static void sleep_a_little(struct export_pipeline *pipeline, int ms)
{
    dbk_cond_wait(&pipeline->changed, &pipeline->mutex, dbk_deadline_in(ms));
}

/* False where stop says so. */
static bool sleep_and_ask(struct export_pipeline *pipeline,
                          const struct dbk_watch *watch)
{
    sleep_a_little(pipeline, ASK_MS);
    return !dbk_watch_stops(watch);
}

struct export_piece *export_pipeline_piece(struct export_pipeline *pipeline,
                                           const struct dbk_watch *watch)
{
    struct export_piece *piece = NULL;
    bool go_on = true;

    pthread_mutex_lock(&pipeline->mutex);
    while (go_on && !pipeline->done && pipeline->sent - pipeline->written == PIECES)
        go_on = sleep_and_ask(pipeline, watch);
    if (go_on && !pipeline->done) {
        piece = &pipeline->pieces[pipeline->sent % PIECES];
        piece->count = 0;
        piece->flush = false;
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return piece;
}

void export_pipeline_send(struct export_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    assert(!pipeline->ending && pipeline->sent - pipeline->written < PIECES);
    pipeline->sent++;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

/* Get the thread out of a write that may hang for ever; the mutex is held. One signal
 * might come just before the write begins, so it is sent until it has been seen. */
static void interrupt(struct export_pipeline *pipeline)
{
    export_writer_abort(pipeline->writer);
    while (!pipeline->done) {
        pthread_kill(pipeline->thread, SIGUSR1);
        sleep_a_little(pipeline, INTERRUPT_MS);
    }
}

enum dbk_code export_pipeline_abandon(struct export_pipeline *pipeline,
                                      struct dbk_error *err)
{
    enum dbk_code code;

    pthread_mutex_lock(&pipeline->mutex);
    pipeline->ending = pipeline->abandoned = true;
    pthread_cond_broadcast(&pipeline->changed);
    code = pipeline->code; /* what the interruption makes it fail with is no failure */
    if (code != DBK_OK && err)
        *err = pipeline->err;
    interrupt(pipeline);
    pthread_mutex_unlock(&pipeline->mutex);
    pthread_join(pipeline->thread, NULL);
    free_pipeline(pipeline);
    return code;
}

enum dbk_code export_pipeline_end(struct export_pipeline *pipeline,
                                  const struct dbk_watch *watch, struct dbk_error *err)
{
    bool go_on = true;
    enum dbk_code code;

    pthread_mutex_lock(&pipeline->mutex);
    pipeline->ending = true;
    pthread_cond_broadcast(&pipeline->changed);
    while (go_on && !pipeline->done)
        go_on = sleep_and_ask(pipeline, watch);
    go_on = pipeline->done;
    pthread_mutex_unlock(&pipeline->mutex);
    code = export_pipeline_abandon(pipeline, err);
    if (code == DBK_OK && !go_on)
        return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    return code;
}
