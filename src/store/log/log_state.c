#include "log_state.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES ((size_t)64 << 20)

void log_report(const struct dbk_log *log, const char *line)
{
    if (log->options.report)
        log->options.report(log->options.report_context, line);
}

static bool init_locks(struct dbk_log *log)
{
    pthread_rwlockattr_t gate;
    bool fine;

    pthread_rwlockattr_init(&gate);
    /* Readers come all the time; reopening must not wait for a moment without any. */
    pthread_rwlockattr_setkind_np(&gate, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    fine = pthread_rwlock_init(&log->gate, &gate) == 0 &&
           pthread_mutex_init(&log->mutex, NULL) == 0 &&
           dbk_cond_init(&log->submitted) == 0 && dbk_cond_init(&log->appended) == 0 &&
           dbk_cond_init(&log->turn) == 0 && dbk_cond_init(&log->unheld) == 0;
    pthread_rwlockattr_destroy(&gate);
    return fine;
}

void log_destroy(struct dbk_log *log)
{
    environment_close(&log->environment);
    if (log->owns_keys)
        dbk_keys_close(log->options.keys);
    body_finish(&log->body);
    pthread_cond_destroy(&log->unheld);
    pthread_cond_destroy(&log->turn);
    pthread_cond_destroy(&log->appended);
    pthread_cond_destroy(&log->submitted);
    pthread_mutex_destroy(&log->mutex);
    pthread_rwlock_destroy(&log->gate);
    free(log->dir);
    free(log);
}

struct dbk_log *log_create(const char *dir, const struct dbk_log_options *options)
{
    struct dbk_log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->dir = strdup(dir);
    if (!log->dir || !init_locks(log)) {
        free(log->dir);
        free(log);
        return NULL;
    }
    if (options)
        log->options = *options;
    if (log->options.queue_bytes == 0)
        log->options.queue_bytes = QUEUE_BYTES;
    log->last = &log->first;
    return log;
}
