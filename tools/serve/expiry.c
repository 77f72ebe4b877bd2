#include "expiry.h"

#include "store/clock.h"
#include "store/keys_used.h"
#include "store/thread.h"
#include "store/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY (INT64_C(86400) * 1000000)

enum { HOUR_MS = 3600 * 1000, SOON_MS = 10 * 1000, DOUBTED_DAYS = 7 };

struct expiry {
    struct dbk_log *log;
    struct expiry_options options;
    char told[sizeof((struct dbk_error *)0)->text]; /* what failed last; "": nothing */
    dbk_timestamp seen; /* what the clock said when it was looked at last; before the
                            first look, of the log's last record */
    int64_t seen_ms;    /* and when that was, by a clock that nobody sets */
    bool follows;       /* another leads, or nobody does */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards stopping */
    pthread_cond_t changed;
    bool stopping;
};

static void tell_done(struct expiry *expiry, const struct dbk_log_expiry *done)
{
    char line[160];

    expiry->follows = false;
    *expiry->told = '\0';
    if (done->sequence == 0)
        return;
    snprintf(line, sizeof line,
             "events are expired by RETENTION, up to record %" PRIu64
             ": record %" PRIu64 " says so",
             done->through, done->sequence);
    expiry->options.done(expiry->options.context, line);
}

static void tell_failed(struct expiry *expiry, const struct dbk_error *err)
{
    char line[sizeof err->text + 64];

    expiry->follows = err->code == DBK_NOT_LEADER;
    if (expiry->follows || strcmp(expiry->told, err->text) == 0)
        return;
    snprintf(expiry->told, sizeof expiry->told, "%s", err->text);
    snprintf(line, sizeof line, "events cannot be expired by RETENTION: %s", err->text);
    expiry->options.failed(expiry->options.context, line);
}

/* Where that cannot be told it is 0, and the clock is doubted. */
static void see_last_record(struct expiry *expiry)
{
    struct dbk_batch batch = {0};
    struct dbk_record last;
    uint64_t head;

    expiry->seen_ms = dbk_clock_ms();
    if (dbk_log_head(expiry->log, &head, NULL) != DBK_OK)
        return;
    if (head == 0)
        expiry->seen = dbk_timestamp_now();
    else if (dbk_log_record(expiry->log, head, &batch, &last, NULL) == DBK_OK)
        expiry->seen = last.recorded_at;
    dbk_batch_finish(&batch);
}

/* What a clock that runs ahead destroys does not come back. So a leap is waited out once: that of
 * a machine whose clock is set soon after it starts is over then. */
static bool clock_leapt(struct expiry *expiry, dbk_timestamp now, struct dbk_error *err)
{
    int64_t now_ms = dbk_clock_ms();
    int64_t days = (now - expiry->seen - (now_ms - expiry->seen_ms) * 1000) / DAY;

    expiry->seen = now;
    expiry->seen_ms = now_ms;
    if (days < DOUBTED_DAYS)
        return false;
    dbk_fail(err, DBK_CONFLICT,
             "the clock is %" PRId64 " days ahead of the last record, or of an hour "
             "ago: set it, if it is wrong; else they are in an hour",
             days);
    return true;
}

/* What is doubted is not done, however long the clock says so: nobody here can tell but who
 * has agreed to it. */
static enum dbk_code check_due(struct expiry *expiry, dbk_timestamp before,
                               struct dbk_error *err)
{
    char month[DBK_MONTH_TEXT + 1];
    struct dbk_log_due due;

    if (dbk_log_due(expiry->log, before, &due, err) != DBK_OK || !*due.why ||
        due.before <= expiry->options.agreed)
        return err->code;
    dbk_month_format(due.before, month);
    return dbk_fail(err, DBK_CONFLICT,
                    "%s. If the clock is right, daybook events expire --before %s does "
                    "it, and asks before; in a cluster RETENTION_AGREED=%s",
                    due.why, month, month);
}

static void look(struct expiry *expiry)
{
    dbk_timestamp now = dbk_timestamp_now(), before = now - expiry->options.days * DAY;
    struct dbk_error err = {.code = DBK_OK};
    struct dbk_log_expiry done;

    if (!clock_leapt(expiry, now, &err) && check_due(expiry, before, &err) == DBK_OK &&
        dbk_log_expire(expiry->log, before, "retention", &done, &err) == DBK_OK)
        tell_done(expiry, &done);
    else
        tell_failed(expiry, &err);
}

/* Nobody leads yet where all have just been started: who does then is not to wait an hour. */
static int pause_of(const struct expiry *expiry)
{
    int every_ms = expiry->options.every_ms ? expiry->options.every_ms : HOUR_MS;

    return expiry->follows && SOON_MS < every_ms ? SOON_MS : every_ms;
}

static void *run(void *argument)
{
    struct expiry *expiry = argument;
    bool stopping = false;

    see_last_record(expiry);
    while (!stopping) {
        dbk_deadline next;

        look(expiry);
        next = dbk_deadline_in(pause_of(expiry));
        pthread_mutex_lock(&expiry->mutex);
        while (!expiry->stopping &&
               dbk_cond_wait(&expiry->changed, &expiry->mutex, next))
            ;
        stopping = expiry->stopping;
        pthread_mutex_unlock(&expiry->mutex);
    }
    return NULL;
}

static void destroy(struct expiry *expiry)
{
    pthread_mutex_destroy(&expiry->mutex);
    pthread_cond_destroy(&expiry->changed);
    free(expiry);
}

enum dbk_code expiry_start(struct dbk_log *log, const struct expiry_options *options,
                           struct expiry **out, struct dbk_error *err)
{
    struct expiry *expiry = calloc(1, sizeof *expiry);

    *out = NULL;
    if (!expiry)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    expiry->log = log;
    expiry->options = *options;
    pthread_mutex_init(&expiry->mutex, NULL);
    dbk_cond_init(&expiry->changed);
    if (dbk_thread_start(&expiry->thread, "dbk-expiry", run, expiry, err) != DBK_OK) {
        destroy(expiry);
        return err->code;
    }
    *out = expiry;
    return DBK_OK;
}

void expiry_stop(struct expiry *expiry)
{
    if (!expiry)
        return;
    pthread_mutex_lock(&expiry->mutex);
    expiry->stopping = true;
    pthread_cond_signal(&expiry->changed);
    pthread_mutex_unlock(&expiry->mutex);
    pthread_join(expiry->thread, NULL);
    destroy(expiry);
}
