#include "gather.h"

#include <assert.h>

enum { PART = 4, MOST_MS = 5, NEXT_MS = 2 };

void gather_begin(struct dbk_log *log, size_t commands, int64_t took_us)
{
    int64_t ms = 1 + took_us / 1000 / PART;

    assert(log_is_locked(log));
    log->awaited = 0;
    if (commands < 2 || atomic_load(&log->role) != DBK_LOG_LEADS)
        return;
    log->awaited = commands + log->queued;
    ms = ms < MOST_MS ? ms : MOST_MS;
    log->awaited_until = dbk_deadline_in((int)ms);
    log->awaited_last = dbk_deadline_in((int)ms * 2);
}

void gather_came(struct dbk_log *log)
{
    dbk_deadline next = dbk_deadline_in(NEXT_MS);

    if (!gather_waits(log) || next <= log->awaited_until)
        return;
    log->awaited_until = next < log->awaited_last ? next : log->awaited_last;
}

bool gather_waits(const struct dbk_log *log)
{
    return log->queued < log->awaited && !log->closing &&
           atomic_load(&log->role) == DBK_LOG_LEADS &&
           dbk_deadline_left(log->awaited_until) > 0;
}

dbk_deadline gather_until(const struct dbk_log *log, dbk_deadline until)
{
    return gather_waits(log) && log->awaited_until < until ? log->awaited_until : until;
}
