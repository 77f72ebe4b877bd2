#include "poster.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_RECORDS = 4096, BATCH_BYTES = 4 << 20 };

void poster_say(const struct poster *poster, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!poster->calls.report)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    poster->calls.report(poster->calls.context, line);
}

void poster_moved(const struct poster *poster)
{
    if (poster->calls.moved)
        poster->calls.moved(poster->calls.context);
}

bool poster_stopping(const struct poster *poster)
{
    return poster->calls.stopping && poster->calls.stopping(poster->calls.context);
}

void poster_init(struct poster *poster, struct dbk_log *log,
                 const struct dbk_database *database, const struct poster_calls *calls)
{
    memset(poster, 0, sizeof *poster);
    poster->log = log;
    poster->database = database;
    if (calls)
        poster->calls = *calls;
    poster->store_id = dbk_log_store_id(log);
    poster->checksum = HISTORY_UNKNOWN;
    post_aside_init(&poster->aside);
    post_erased_init(&poster->erased);
    fold_init(&poster->fold);
    apply_init(&poster->apply);
    post_trouble_init(&poster->trouble);
}

static void free_texts(struct poster *poster)
{
    dbk_batch_finish(&poster->batch);
    dbk_batch_finish(&poster->event);
    fold_finish(&poster->fold);
    apply_finish(&poster->apply);
}

void poster_forget(struct poster *poster)
{
    free_texts(poster);
    poster->batch = poster->event = (struct dbk_batch){0};
    fold_init(&poster->fold);
    apply_init(&poster->apply);
}

void poster_finish(struct poster *poster)
{
    pg_close(poster->pg);
    post_aside_finish(&poster->aside);
    post_erased_finish(&poster->erased);
    free_texts(poster);
}

enum dbk_code poster_read(struct poster *poster, uint64_t after, uint64_t to,
                          struct dbk_error *err)
{
    uint64_t left = to - after;

    assert(after < to); /* else `left` is nearly all there is */
    return dbk_log_read(poster->log, after,
                        left < BATCH_RECORDS ? (size_t)left : BATCH_RECORDS,
                        BATCH_BYTES, &poster->batch, err);
}
