#include "log_health.h"

#include "environment_prove.h"
#include "log_keys.h"
#include "log_state.h"
#include "recover.h"
#include "store/clock.h"

#include <assert.h>
#include <stdio.h>

#define AGAIN_MS 60000 /* until a failure of the same kind is told again */
#define HANGS_MS 10000
#define LOOK_HANGS_MS 2000 /* asking the file system for its room waits for no disk */

void log_health_begin(struct dbk_log *log)
{
    atomic_store(&log->health.turn_began, dbk_clock_ms());
}

void log_health_end(struct dbk_log *log)
{
    atomic_store(&log->health.turn_began, 0);
}

/* Where many requests fail, as many lines would bury the one that says why. */
static void tell(struct dbk_log *log, const struct dbk_error *why)
{
    struct log_health *health = &log->health;
    int64_t now = dbk_clock_ms();

    if (health->reported_at != 0 && health->reported == why->code &&
        now - health->reported_at < AGAIN_MS)
        return;
    health->told = true;
    health->reported = why->code;
    health->reported_at = now;
    if (log->options.failed)
        log->options.failed(log->options.report_context, why);
    else
        log_report(log, why->text);
}

void log_health_failed(struct dbk_log *log, const struct dbk_error *why)
{
    assert(log->writing && why->code != DBK_OK);
    pthread_mutex_lock(&log->mutex);
    log->health.why = *why;
    atomic_store(&log->health.failing, true);
    pthread_mutex_unlock(&log->mutex);
    tell(log, why);
}

void log_health_report(struct dbk_log *log, const char *line)
{
    if (log->health.told || !atomic_load(&log->health.failing))
        log_report(log, line);
}

void log_health_works(struct dbk_log *log)
{
    assert(log->writing);
    if (!atomic_load(&log->health.failing))
        return;
    log_health_report(log, "writes to the log work again");
    log->health.told = false;
    pthread_mutex_lock(&log->mutex);
    atomic_store(&log->health.failing, false);
    pthread_mutex_unlock(&log->mutex);
}

/* LMDB may find room for a small transaction in its file where the next one finds none. */
static bool has_room(struct dbk_log *log)
{
    return log->health.why.code != DBK_NO_ROOM ||
           log_room_is_there(&log->room, log->dir);
}

/* A try that fails may have killed the environment, which readers need: open it again. */
static void mend(struct dbk_log *log)
{
    bool told = log->health.told, committed;
    struct dbk_error err;

    log->health.told = false; /* nobody is told each second */
    recover_log(log, NULL, 0, &committed, &err);
    log->health.told = told;
}

static void probe(struct dbk_log *log)
{
    bool proven;

    /* A file without a name would take it; the writer does not give it one. */
    if (!has_room(log) || environment_check_named(&log->environment) != 0 ||
        log_keys_probe(log, NULL) != DBK_OK)
        return;
    log_health_begin(log);
    if (environment_settle(&log->environment, &proven) == 0)
        log_health_works(log);
    else
        mend(log);
    log_health_end(log);
}

void log_health_look(struct dbk_log *log)
{
    struct dbk_error err;

    assert(log->writing && log->usable);
    if (atomic_load(&log->health.failing))
        probe(log);
    else if (log->environment.keys &&
             dbk_keys_work(log->environment.keys, &err) != DBK_OK)
        log_health_failed(log, &err);
}

/* Before a write fails for it, and where nobody writes. */
static void look_at_keys(struct dbk_log *log, struct dbk_log_health *out)
{
    struct dbk_error err;

    if (!log->sealed || !log->options.keys ||
        dbk_keys_work(log->options.keys, &err) == DBK_OK)
        return;
    out->code = err.code;
    snprintf(out->why, sizeof out->why, "%s", err.text);
}

static void hangs(int64_t ms, struct dbk_log_health *out)
{
    out->code = DBK_IO;
    snprintf(out->why, sizeof out->why,
             "a write to the log has been under way for %lld s: the disk hangs",
             (long long)(ms / 1000));
}

/* Before a write fails for it, and where a small one still finds room in the file. */
static void look_for_room(struct dbk_log *log, struct dbk_log_health *out)
{
    struct log_room_found room;

    log_room_find(&log->room, log->dir, &room);
    if (room.hanging_ms >= LOOK_HANGS_MS) {
        out->code = DBK_IO;
        snprintf(out->why, sizeof out->why,
                 "the log's file system has not answered for %lld s: the disk hangs",
                 (long long)(room.hanging_ms / 1000));
    } else if (room.known && room.disk < LOG_ROOM_MIN) {
        out->code = DBK_NO_ROOM;
        snprintf(out->why, sizeof out->why, "the disk is full: %llu KiB are free in %s",
                 (unsigned long long)(room.disk >> 10), log->dir);
    } else if (room.known && room.file < LOG_ROOM_MIN) {
        out->code = DBK_NO_ROOM;
        snprintf(out->why, sizeof out->why,
                 "the log's file may grow by %llu KiB only (ulimit -f)",
                 (unsigned long long)(room.file >> 10));
    }
}

void dbk_log_health(struct dbk_log *log, struct dbk_log_health *out)
{
    int64_t began = atomic_load(&log->health.turn_began), now = dbk_clock_ms();

    *out = (struct dbk_log_health){.code = DBK_OK};
    if (atomic_load(&log->health.failing)) {
        pthread_mutex_lock(&log->mutex);
        out->code = log->health.why.code;
        snprintf(out->why, sizeof out->why, "%s", log->health.why.text);
        pthread_mutex_unlock(&log->mutex);
    }
    if (out->code == DBK_OK && began != 0 && now - began >= HANGS_MS)
        hangs(now - began, out);
    if (out->code == DBK_OK)
        look_at_keys(log, out);
    if (out->code == DBK_OK && !log->options.read_only)
        look_for_room(log, out);
    /* Shut while the log is opened again, which a disk may keep from ending. */
    if (pthread_rwlock_tryrdlock(&log->gate) == 0) {
        pthread_rwlock_unlock(&log->gate);
        out->readable = true;
    }
}
