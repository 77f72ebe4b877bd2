#include "poster.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_RECORDS = 4096, BATCH_BYTES = 4 << 20 };

void poster_say(const struct poster *self, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!self->calls.report)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    self->calls.report(self->calls.context, line);
}

void poster_moved(const struct poster *self)
{
    if (self->calls.moved)
        self->calls.moved(self->calls.context);
}

bool poster_stopping(const struct poster *self)
{
    return self->calls.stopping && self->calls.stopping(self->calls.context);
}

void poster_init(struct poster *self, struct dbk_log *log,
                 const struct dbk_database *database, const struct poster_calls *calls)
{
    memset(self, 0, sizeof *self);
    self->log = log;
    self->database = database;
    if (calls)
        self->calls = *calls;
    self->store_id = dbk_log_store_id(log);
    fold_index_init(&self->set_aside);
    fold_init(&self->fold);
    apply_init(&self->apply);
}

void poster_finish(struct poster *self)
{
    dbk_pg_close(self->pg);
    fold_index_free(&self->set_aside);
    dbk_batch_finish(&self->batch);
    fold_free(&self->fold);
    apply_free(&self->apply);
}

enum dbk_code poster_read(struct poster *self, uint64_t after, uint64_t to,
                          struct dbk_error *err)
{
    uint64_t left = to - after;

    assert(after < to); /* else `left` is nearly all there is */
    return dbk_log_read(self->log, after,
                        left < BATCH_RECORDS ? (size_t)left : BATCH_RECORDS,
                        BATCH_BYTES, &self->batch, err);
}
