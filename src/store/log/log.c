#include "command_private.h"
#include "environment_check.h"
#include "gather.h"
#include "held.h"
#include "log_keys.h"
#include "shipping.h"
#include "store/thread.h"
#include "turn.h"
#include "writer.h"

#include <assert.h>

#define COMMAND_COST 256 /* what a queued command takes besides its records */

static enum dbk_access access_of(const struct dbk_log_options *options)
{
    if (options->read_only)
        return ENVIRONMENT_READ;
    return options->existing ? ENVIRONMENT_WRITE : ENVIRONMENT_MAKE;
}

static enum dbk_code open_environment(struct dbk_log *log, struct dbk_error *err)
{
    const struct dbk_log_options *options = &log->options;
    enum dbk_access access = access_of(options);

    if (access == ENVIRONMENT_MAKE)
        return environment_make(log->dir, options->map_size, options->store_id,
                                options->keys != NULL, &log->environment, err);
    return environment_open(log->dir, access, options->map_size, &log->environment,
                            err);
}

enum dbk_code dbk_log_open(const char *dir, const struct dbk_log_options *options,
                           struct dbk_log **out, struct dbk_error *err)
{
    struct dbk_log *log = log_create(dir, options);
    enum dbk_code code;

    *out = NULL;
    if (!log)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to open the log");
    code = open_environment(log, err);
    if (code == DBK_OK)
        code = log_keys_open(log, err);
    if (code != DBK_OK)
        goto fail;
    log->options.store_id = NULL; /* the caller's */
    log->store_id = log->environment.store_id;
    log->sealed = log->environment.sealed;
    log->usable = true;
    atomic_store(&log->role, log->environment.member ? DBK_LOG_FOLLOWS : DBK_LOG_ALONE);
    code = dbk_thread_start(&log->writer, "dbk-writer", writer_run, log, err);
    if (code != DBK_OK)
        goto fail;
    *out = log;
    return DBK_OK;

fail:
    log_destroy(log);
    return code;
}

bool dbk_log_number_taken(const char *dir)
{
    return environment_number_taken(dir);
}

void dbk_log_close(struct dbk_log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->mutex);
    log->closing = true;
    pthread_cond_signal(&log->submitted);
    pthread_cond_broadcast(&log->appended);
    pthread_mutex_unlock(&log->mutex);
    held_end(log);
    pthread_join(log->writer, NULL);
    held_end(log); /* whom it held at last */
    assert(!log->first && !log->writing && log->queued_bytes == 0);
    log_destroy(log);
}

const char *dbk_log_dir(const struct dbk_log *log)
{
    return log->dir;
}

bool dbk_log_is_sealed(const struct dbk_log *log)
{
    return log->sealed;
}

struct dbk_uuid dbk_log_store_id(const struct dbk_log *log)
{
    return log->store_id;
}

/* Queue the submission, or take the turn for it where nobody writes: *turn. A submission
 * larger than the bound alone still goes through an empty queue. */
static enum dbk_code enqueue(struct dbk_log *log, struct writer_group *group,
                             bool *turn, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    *turn = false;
    if (atomic_load(&log->role) == DBK_LOG_FOLLOWS)
        return shipping_refuse(err);
    pthread_mutex_lock(&log->mutex);
    if (log->closing) {
        code = dbk_fail(err, DBK_UNAVAILABLE, "the log is closing");
    } else if (log->first &&
               log->queued_bytes + group->bytes > log->options.queue_bytes) {
        code = dbk_fail(err, DBK_BUSY, "too many writes are waiting: try again");
    } else if (turn_try(log)) {
        *turn = true;
    } else {
        assert(!*log->last && !group->next);
        *log->last = group;
        log->last = &group->next;
        log->queued_bytes += group->bytes;
        log->queued += group->count;
        group->lane = log->lane;
        gather_came(log);
        if (!gather_waits(log)) /* else it looks by itself */
            pthread_cond_signal(&log->submitted);
    }
    pthread_mutex_unlock(&log->mutex);
    return code;
}

static void wait_until_done(struct dbk_log *log, struct writer_group *group)
{
    struct wake *wake;
    uint32_t seen;

    assert(group->lane < sizeof log->decided / sizeof *log->decided);
    wake = &log->decided[group->lane];
    seen = wake_look(wake);
    while (!atomic_load(&group->done)) {
        wake_sleep(wake, seen);
        seen = wake_look(wake);
    }
}

enum dbk_code dbk_log_submit(struct dbk_log *log, struct dbk_command *const *commands,
                             size_t count, const struct dbk_idempotency *idempotency,
                             bool *replayed, struct dbk_error *err)
{
    struct writer_group group = {
        .commands = commands, .count = count, .idempotency = idempotency};
    enum dbk_code code;
    bool turn;

    if (replayed)
        *replayed = false;
    if (count == 0 && !idempotency)
        return DBK_OK;
    for (size_t i = 0; i < count; i++)
        group.bytes += commands[i]->bytes_used + COMMAND_COST;
    log_keys_seal(log, commands, count);
    code = enqueue(log, &group, &turn, err);
    if (code != DBK_OK)
        return code;
    if (turn)
        writer_write(log, &group);
    else
        wait_until_done(log, &group);
    if (group.was_held)
        held_wait(log, &group);
    if (replayed)
        *replayed = group.replayed;
    if (group.code != DBK_OK && err)
        *err = group.error;
    return group.code;
}
