#include "projector_renew.h"
#include "projector_session.h"
#include "store/clock.h"
#include "store/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BACKOFF_MIN_MS = 20, BACKOFF_MAX_MS = 1000, NUDGE_MS = 20 };
enum { STOP_MS = 500 }; /* for the batch under way, where PostgreSQL hangs */

static void end_thread(struct dbk_projector *projector)
{
    pthread_mutex_lock(&projector->lock);
    assert(projector->stopping && !projector->poster.pg); /* no session is left open */
    projector->ended = true;
    pthread_cond_broadcast(&projector->changed);
    pthread_mutex_unlock(&projector->lock);
}

/* Whoever waits for it goes on doing so from one to the next. */
static enum dbk_code sessions(struct dbk_projector *projector, struct dbk_error *err)
{
    enum dbk_code code;

    do
        code = projector_session(projector, err);
    while (code == DBK_OK && !projector_stopping(projector));
    return code;
}

static void *project(void *argument)
{
    struct dbk_projector *projector = argument;
    int pause_ms = BACKOFF_MIN_MS;
    uint64_t before = 0;
    struct dbk_error err;

    while (sessions(projector, &err) != DBK_OK) {
        projector_set_running(projector, err.text);
        if (projector->poster.projected !=
            before) /* else it fails as it did the last time */
            pause_ms = BACKOFF_MIN_MS;
        before = projector->poster.projected;
        if (!projector_pause(projector, pause_ms))
            break;
        pause_ms = pause_ms * 2 < BACKOFF_MAX_MS ? pause_ms * 2 : BACKOFF_MAX_MS;
    }
    projector_drop_next(projector);
    projector_set_running(projector, "the projector is stopping");
    end_thread(projector);
    return NULL;
}

enum dbk_code dbk_projector_start(struct dbk_log *log,
                                  const struct dbk_database *database,
                                  const struct dbk_projector_options *options,
                                  struct dbk_projector **projector,
                                  struct dbk_error *err)
{
    struct dbk_projector *made = malloc(sizeof *made);
    enum dbk_code code;

    *projector = NULL;
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    projector_init(made, log, database, options);
    code = dbk_thread_start(&made->thread, "dbk-projector", project, made, err);
    if (code != DBK_OK) {
        projector_finish(made);
        free(made);
        return code;
    }
    *projector = made;
    return DBK_OK;
}

void dbk_projector_stop(struct dbk_projector *projector)
{
    dbk_deadline patience = dbk_deadline_in(STOP_MS);

    if (!projector)
        return;
    pthread_mutex_lock(&projector->lock);
    projector->stopping = true;
    pthread_cond_broadcast(&projector->changed);
    while (!projector->ended) {
        /* Again and again: it may be just about to wait for the log. */
        dbk_log_interrupt(projector->poster.log);
        /* A batch that is broken off is not in the tables, and neither is the step of
         * the checkpoint: the next start does it again. */
        if (projector->breakable && dbk_deadline_left(patience) == 0)
            pg_break(projector->breakable);
        dbk_cond_wait(&projector->changed, &projector->lock, dbk_deadline_in(NUDGE_MS));
    }
    pthread_mutex_unlock(&projector->lock);
    pthread_join(projector->thread, NULL);
    projector_finish(projector);
    free(projector);
}
