#include "history_private.h"

#include "identity.h"
#include "store/clock.h"
#include "store/thread.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void history_hold(struct dbk_history *history, struct runs *out)
{
    pthread_mutex_lock(&history->mutex);
    runs_copy(out, &history->runs);
    pthread_mutex_unlock(&history->mutex);
}

void history_key_id(uint64_t number, struct dbk_uuid *out)
{
    number = htobe64(number);
    memcpy(out->bytes, "the key ", 8);
    memcpy(out->bytes + 8, &number, sizeof number);
}

void history_publish(struct dbk_history *history, const struct runs *runs)
{
    struct runs before;

    pthread_mutex_lock(&history->mutex);
    before = history->runs;
    runs_copy(&history->runs, runs);
    pthread_mutex_unlock(&history->mutex);
    runs_drop(&before);
}

uint64_t dbk_history_position(struct dbk_history *history)
{
    uint64_t position;

    if (!history)
        return 0;
    pthread_mutex_lock(&history->mutex);
    position = runs_end(&history->runs);
    pthread_mutex_unlock(&history->mutex);
    return position;
}

static enum dbk_code create(const char *dir, struct dbk_log *log,
                            struct dbk_history **out, struct dbk_error *err)
{
    struct dbk_history *history = calloc(1, sizeof *history);

    *out = NULL;
    if (!history)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the history index");
    if (snprintf(history->dir, sizeof history->dir, "%s", dir) >=
        (int)sizeof history->dir) {
        free(history);
        return dbk_fail(err, DBK_INVALID, "the path %s is too long", dir);
    }
    history->log = log;
    atomic_init(&history->damaged, false);
    pthread_mutex_init(&history->mutex, NULL);
    dbk_cond_init(&history->stopped);
    *out = history;
    return DBK_OK;
}

static void destroy(struct dbk_history *history)
{
    runs_drop(&history->runs);
    pthread_cond_destroy(&history->stopped);
    pthread_mutex_destroy(&history->mutex);
    free(history);
}

enum dbk_code dbk_history_open(const char *dir, struct dbk_log *log,
                               struct dbk_history **history, struct dbk_error *err)
{
    enum dbk_code code = create(dir, log, history, err);

    if (code != DBK_OK)
        return code;
    code = runs_open(dir, log, &(*history)->runs, err);
    if (code != DBK_OK) {
        destroy(*history);
        *history = NULL;
    }
    return code;
}

enum dbk_code dbk_history_start(const char *dir, struct dbk_log *log,
                                const struct dbk_history_options *options,
                                struct dbk_history **history, struct dbk_error *err)
{
    enum dbk_code code = create(dir, log, history, err);

    if (code != DBK_OK)
        return code;
    if (options)
        (*history)->options = *options;
    (*history)->grows = true;
    code = dbk_thread_start(&(*history)->thread, "dbk-history", history_grow, *history,
                            err);
    if (code != DBK_OK) {
        destroy(*history);
        *history = NULL;
    }
    return code;
}

void dbk_history_close(struct dbk_history *history)
{
    if (!history)
        return;
    if (history->grows) {
        pthread_mutex_lock(&history->mutex);
        history->stopping = true;
        pthread_cond_signal(&history->stopped);
        pthread_mutex_unlock(&history->mutex);
        pthread_join(history->thread, NULL);
    }
    destroy(history);
}

void dbk_history_remove(const char *dir)
{
    const struct runs none = {.count = 0};

    runs_clean(dir, &none);
    rmdir(dir);
}

static bool is_of(const struct history_count *one, const struct history_count *other)
{
    return dbk_uuid_equal(&one->person, &other->person) &&
           one->erased == other->erased && one->erased_at == other->erased_at;
}

void history_recall_count(struct dbk_history *history, struct history_count *count)
{
    count->after = count->records = 0;
    if (!history)
        return;
    pthread_mutex_lock(&history->mutex);
    for (size_t i = 0; i < HISTORY_COUNTS; i++) {
        if (is_of(&history->counts[i], count))
            *count = history->counts[i];
    }
    pthread_mutex_unlock(&history->mutex);
}

void history_keep_count(struct dbk_history *history, const struct history_count *count)
{
    struct history_count *counts;
    size_t at = 0;

    if (!history)
        return;
    counts = history->counts;
    pthread_mutex_lock(&history->mutex);
    while (at < HISTORY_COUNTS - 1 && !is_of(&counts[at], count))
        at++;
    memmove(counts + 1, counts, at * sizeof *counts);
    counts[0] = *count;
    pthread_mutex_unlock(&history->mutex);
}
