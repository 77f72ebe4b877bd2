#include "rebuilder.h"

#include "store/clock.h"
#include "store/thread.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEGIN_MS = 10000, /* a start is waited for so long */
    GRACE_MS = 5000,  /* one that was asked to stop may wait for PostgreSQL so long */
    LEFT_AFTER_MS = 1000, /* a guess made sooner is no use */
};

/* The phase in which it only waits for another's end. */
static const char waiting[] = "waiting for others";

struct rebuilder {
    struct dbk_log *log;
    const struct dbk_server_options *options;
    struct dbk_database database; /* as given, but that its waits end with a stop */
    _Atomic int64_t
        asked_ms; /* when the one that runs was asked to stop; 0: it was not */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool closed;   /* none may begin */
    bool running;  /* there is a thread at work, */
    bool joinable; /* or one that is to be joined */
    bool begun;    /* it has the schema */
    bool awaited;  /* whoever began it has not been told how it went */
    pthread_t thread;
    struct rebuilder_status status, before;
    bool keep_old;
    char who[REBUILDER_WHO], stopped_by[REBUILDER_WHO];
    char no_room[400];  /* why the tables may have no more; "": they may */
    enum dbk_code code; /* how the last one ended */
    /* Since when the phase runs, from which count on, and when it was told of last. */
    int64_t phase_ms, told_ms;
    uint64_t phase_first;
};

static void note(const struct rebuilder *rebuilder, const char *line)
{
    const struct dbk_server_options *options = rebuilder->options;

    if (options->notice)
        options->notice(options->report_context, line);
}

static void tell_trouble(const struct rebuilder *rebuilder, const char *line)
{
    const struct dbk_server_options *options = rebuilder->options;

    if (options->report)
        options->report(options->report_context, line);
}

/* What was begun is dropped before it ends: that waits for PostgreSQL, too. */
static bool stops_waiting(void *context)
{
    const struct rebuilder *rebuilder = context;
    const struct dbk_database *given = rebuilder->options->database;
    int64_t asked = rebuilder->asked_ms;

    return (asked != 0 && dbk_clock_ms() >= asked + GRACE_MS) ||
           (given->stop && given->stop(given->stop_context));
}

/* Also before the tables take the log's part of the disk. */
static bool stops(void *context)
{
    struct rebuilder *rebuilder = context;
    const struct dbk_server_options *options = rebuilder->options;
    char why[sizeof rebuilder->no_room] = "";

    if (rebuilder->asked_ms != 0)
        return true;
    if (!options->tables_full ||
        !options->tables_full(options->tables_full_context, why, sizeof why))
        return false;
    pthread_mutex_lock(&rebuilder->mutex);
    memcpy(rebuilder->no_room, why, sizeof why);
    pthread_mutex_unlock(&rebuilder->mutex);
    return true;
}

static void progress(void *context, const char *phase, const char *unit, uint64_t done,
                     uint64_t total)
{
    struct rebuilder *rebuilder = context;
    struct rebuilder_status *status = &rebuilder->status;
    int64_t now = dbk_clock_ms();

    pthread_mutex_lock(&rebuilder->mutex);
    if (status->phase != phase || done < status->done) {
        rebuilder->phase_ms = now;
        rebuilder->phase_first = done;
    }
    rebuilder->told_ms = now;
    status->phase = phase;
    status->unit = *unit ? unit : NULL;
    status->done = done;
    status->total = total;
    if (!rebuilder->begun && strcmp(phase, waiting) != 0) {
        rebuilder->begun = true;
        pthread_cond_broadcast(&rebuilder->changed);
    }
    pthread_mutex_unlock(&rebuilder->mutex);
}

static void report(void *context, const char *line)
{
    char text[1100];

    snprintf(text, sizeof text, "rebuild: %s", line);
    note(context, text);
}

/* What an operator reads of its end. */
static void tell_end(const struct rebuilder *rebuilder,
                     const struct rebuilder_status *status)
{
    char line[sizeof status->reason + 64];

    switch (status->state) {
    case REBUILDER_IDLE:
    case REBUILDER_RUNNING:
        break;
    case REBUILDER_DONE:
        snprintf(line, sizeof line,
                 "rebuild done: the tables are new, up to record %" PRIu64
                 ", in %.1f s",
                 status->result.sequence, status->seconds);
        note(rebuilder, line);
        break;
    case REBUILDER_FAILED:
        snprintf(line, sizeof line, "rebuild failed, and nothing was changed: %s",
                 status->reason);
        tell_trouble(rebuilder, line);
        break;
    case REBUILDER_STOPPED:
        snprintf(line, sizeof line, "rebuild stopped, and nothing was changed: %s",
                 status->reason);
        note(rebuilder, line);
        break;
    }
}

/* With the mutex. */
static void conclude(struct rebuilder *rebuilder, const struct dbk_error *err,
                     int64_t began_ms)
{
    struct rebuilder_status *status = &rebuilder->status;

    status->ended_at = dbk_timestamp_now();
    status->seconds = (double)(dbk_clock_ms() - began_ms) / 1e3;
    if (err->code == DBK_OK) {
        status->state = REBUILDER_DONE;
    } else if (*rebuilder->no_room) {
        status->state = REBUILDER_FAILED;
        snprintf(status->reason, sizeof status->reason, "%s", rebuilder->no_room);
    } else if (rebuilder->asked_ms != 0) {
        status->state = REBUILDER_STOPPED;
        snprintf(status->reason, sizeof status->reason, "stopped by %s",
                 rebuilder->stopped_by);
    } else {
        status->state = REBUILDER_FAILED;
        snprintf(status->reason, sizeof status->reason, "%s", err->text);
    }
    rebuilder->code = err->code == DBK_INVALID ? DBK_CONFLICT : err->code;
    rebuilder->running = false;
    pthread_cond_broadcast(&rebuilder->changed);
}

static void *run(void *argument)
{
    struct rebuilder *rebuilder = argument;
    const struct dbk_rebuild_options options = {.keep_old = rebuilder->keep_old,
                                                .watch = {.progress = progress,
                                                          .report = report,
                                                          .stop = stops,
                                                          .context = rebuilder}};
    int64_t began_ms = dbk_clock_ms();
    struct dbk_rebuild_result result = {0};
    struct rebuilder_status ended;
    struct dbk_error err = {0};
    bool told;

    err.code =
        dbk_rebuild(rebuilder->log, &rebuilder->database, &options, &result, &err);
    pthread_mutex_lock(&rebuilder->mutex);
    told = rebuilder->begun || err.code == DBK_OK; /* else who began it is */
    rebuilder->status.result = result;
    conclude(rebuilder, &err, began_ms);
    ended = rebuilder->status;
    pthread_mutex_unlock(&rebuilder->mutex);
    if (told) /* without the mutex: who reads the lines may be slow */
        tell_end(rebuilder, &ended);
    return NULL;
}

struct rebuilder *rebuilder_create(struct dbk_log *log,
                                   const struct dbk_server_options *options)
{
    struct rebuilder *made = calloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->log = log;
    made->options = options;
    if (options->database)
        made->database = *options->database;
    made->database.stop = stops_waiting;
    made->database.stop_context = made;
    pthread_mutex_init(&made->mutex, NULL);
    dbk_cond_init(&made->changed);
    return made;
}

/* Milliseconds until the phase is done, as it has gone so far; below 0: not known. Of
 * indexes and tables each takes as long as it likes. */
static int64_t left_ms(const struct rebuilder *rebuilder, int64_t now)
{
    const struct rebuilder_status *status = &rebuilder->status;
    int64_t took = rebuilder->told_ms - rebuilder->phase_ms, left;
    double done;

    if (status->state != REBUILDER_RUNNING || !status->unit ||
        strcmp(status->unit, "records") != 0 || status->total == 0 ||
        status->done <= rebuilder->phase_first || status->done > status->total ||
        took < LEFT_AFTER_MS)
        return -1;
    done = (double)(status->done - rebuilder->phase_first);
    if (status->done == status->total)
        return 0;
    left = (int64_t)((double)took * (double)(status->total - status->done) / done) -
           (now - rebuilder->told_ms);
    return left > 0 ? left : -1; /* it was wrong */
}

void rebuilder_status(struct rebuilder *rebuilder, struct rebuilder_status *out)
{
    int64_t left;

    pthread_mutex_lock(&rebuilder->mutex);
    *out =
        rebuilder->running && !rebuilder->begun ? rebuilder->before : rebuilder->status;
    left = rebuilder->begun ? left_ms(rebuilder, dbk_clock_ms()) : -1;
    pthread_mutex_unlock(&rebuilder->mutex);
    out->has_left = left >= 0;
    out->seconds_left = out->has_left && left > 0 ? (uint64_t)(left + 999) / 1000 : 0;
}

/* As tools/rebuild.c: the tables may be all that is left of a log that is lost. Here nobody
 * can be asked, so another log's are not replaced at all. */
static enum dbk_code check_replaced(const struct rebuilder *rebuilder,
                                    struct dbk_error *err)
{
    struct dbk_uuid ours = dbk_log_store_id(rebuilder->log), theirs;
    char id[DBK_UUID_TEXT + 1];
    uint64_t sequence, head;

    if (dbk_tables_log(rebuilder->options->database, &theirs, &sequence, err) != DBK_OK)
        return err->code == DBK_NOT_FOUND || err->code == DBK_INVALID ? DBK_OK
                                                                      : err->code;
    if (sequence == 0) /* what is wrong with them is why they are made anew */
        return DBK_OK;
    if (dbk_log_head(rebuilder->log, &head, err) != DBK_OK)
        return err->code;
    dbk_uuid_format(&theirs, id);
    if (head == 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "this log is empty, and the tables hold what the log %s has up "
                        "to record %" PRIu64 ": mount its disk or restore a backup "
                        "first; the command daybook rebuild --force replaces them by "
                        "empty ones",
                        id, sequence);
    if (!dbk_uuid_equal(&ours, &theirs))
        return dbk_fail(err, DBK_CONFLICT,
                        "the tables are of another log, %s, up to record %" PRIu64
                        ": the command daybook rebuild replaces them all the same",
                        id, sequence);
    return DBK_OK;
}

/* With the mutex: the thread that has ended is no more. */
static void join(struct rebuilder *rebuilder)
{
    if (rebuilder->joinable)
        pthread_join(rebuilder->thread, NULL);
    rebuilder->joinable = false;
}

/* With the mutex. */
static enum dbk_code launch(struct rebuilder *rebuilder, bool keep_old, const char *who,
                            struct dbk_error *err)
{
    if (rebuilder->closed)
        return dbk_fail(err, DBK_INTERRUPTED, "the server is stopping");
    if (rebuilder->running || rebuilder->awaited)
        return dbk_fail(err, DBK_CONFLICT,
                        "a rebuild runs already, begun by %s: GET /admin/rebuild tells "
                        "how it goes",
                        rebuilder->who);
    join(rebuilder);
    rebuilder->before = rebuilder->status;
    rebuilder->status = (struct rebuilder_status){.state = REBUILDER_RUNNING,
                                                  .started_at = dbk_timestamp_now()};
    rebuilder->keep_old = keep_old;
    rebuilder->begun = false;
    *rebuilder->no_room = '\0';
    snprintf(rebuilder->who, sizeof rebuilder->who, "%s", who);
    rebuilder->asked_ms = 0;
    if (dbk_thread_start(&rebuilder->thread, "dbk-rebuild", run, rebuilder, err) !=
        DBK_OK) {
        rebuilder->status = rebuilder->before;
        return err->code;
    }
    rebuilder->running = rebuilder->joinable = true;
    return DBK_OK;
}

/* With the mutex: until it is at work, or has ended without. */
static enum dbk_code await(struct rebuilder *rebuilder, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(BEGIN_MS);
    enum dbk_code code;

    rebuilder->awaited = true;
    while (rebuilder->running && !rebuilder->begun &&
           dbk_cond_wait(&rebuilder->changed, &rebuilder->mutex, deadline))
        continue;
    rebuilder->awaited = false;
    if (rebuilder->running && !rebuilder->begun)
        rebuilder->begun = true; /* it takes its time; GET tells what comes of it */
    if (rebuilder->begun || rebuilder->code == DBK_OK ||
        (rebuilder->code == DBK_INTERRUPTED && !rebuilder->closed))
        return DBK_OK;
    code = rebuilder->code == DBK_BUSY ? DBK_CONFLICT : rebuilder->code;
    dbk_fail(err, code, "%s", rebuilder->status.reason);
    rebuilder->status = rebuilder->before;
    return code;
}

enum dbk_code rebuilder_start(struct rebuilder *rebuilder, bool keep_old,
                              const char *who, struct dbk_error *err)
{
    char line[REBUILDER_WHO + 32];
    enum dbk_code code = check_replaced(rebuilder, err);

    if (code != DBK_OK)
        return code;
    pthread_mutex_lock(&rebuilder->mutex);
    code = launch(rebuilder, keep_old, who, err);
    if (code == DBK_OK) {
        snprintf(line, sizeof line, "rebuild begun by %s", rebuilder->who);
        note(rebuilder, line);
        code = await(rebuilder, err);
    }
    pthread_mutex_unlock(&rebuilder->mutex);
    return code;
}

/* With the mutex. */
static bool ask_stop(struct rebuilder *rebuilder, const char *who)
{
    if (!rebuilder->running)
        return false;
    if (rebuilder->asked_ms != 0)
        return true;
    snprintf(rebuilder->stopped_by, sizeof rebuilder->stopped_by, "%s", who);
    rebuilder->asked_ms = dbk_clock_ms();
    return true;
}

bool rebuilder_ask_stop(struct rebuilder *rebuilder, const char *who)
{
    bool asked;

    pthread_mutex_lock(&rebuilder->mutex);
    asked = ask_stop(rebuilder, who);
    pthread_mutex_unlock(&rebuilder->mutex);
    return asked;
}

void rebuilder_close(struct rebuilder *rebuilder)
{
    pthread_mutex_lock(&rebuilder->mutex);
    rebuilder->closed = true;
    ask_stop(rebuilder, "the end of the server");
    pthread_mutex_unlock(&rebuilder->mutex);
}

void rebuilder_destroy(struct rebuilder *rebuilder)
{
    if (!rebuilder)
        return;
    rebuilder_close(rebuilder);
    if (rebuilder->joinable) /* nobody else is left who would change it */
        pthread_join(rebuilder->thread, NULL);
    pthread_cond_destroy(&rebuilder->changed);
    pthread_mutex_destroy(&rebuilder->mutex);
    free(rebuilder);
}
