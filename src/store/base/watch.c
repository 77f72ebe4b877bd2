#include "store/watch.h"

#include <stdarg.h>
#include <stdio.h>

bool dbk_watch_stops(const struct dbk_watch *watch)
{
    return watch && watch->stop && watch->stop(watch->context);
}

enum dbk_code dbk_watch_progress(const struct dbk_watch *watch, const char *phase,
                                 const char *unit, uint64_t done, uint64_t total,
                                 struct dbk_error *err)
{
    if (watch && watch->progress)
        watch->progress(watch->context, phase, unit, done, total);
    if (dbk_watch_stops(watch))
        return dbk_fail(err, DBK_INTERRUPTED, "interrupted while %s", phase);
    return DBK_OK;
}

void dbk_watch_say(const struct dbk_watch *watch, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!watch || !watch->report)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    watch->report(watch->context, line);
}
