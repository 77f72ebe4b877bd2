#include "load_watch.h"

#include <stdarg.h>
#include <stdio.h>

enum dbk_code watch_progress(const struct dbk_watch *watch, const char *phase,
                             const char *unit, uint64_t done, uint64_t total,
                             struct dbk_error *err)
{
    if (!watch->progress || watch->progress(watch->context, phase, unit, done, total))
        return DBK_OK;
    return dbk_fail(err, DBK_INTERRUPTED, "interrupted while %s", phase);
}

void watch_say(const struct dbk_watch *watch, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!watch->report)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    watch->report(watch->context, line);
}
