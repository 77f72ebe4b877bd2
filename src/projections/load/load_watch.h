/* load_watch.h - calls of a dbk_watch, for those who are given one. */
#ifndef DBK_PROJECTIONS_LOAD_WATCH_H
#define DBK_PROJECTIONS_LOAD_WATCH_H

#include "projections/watch.h"
#include "store/error.h"

/* DBK_INTERRUPTED: stop. */
enum dbk_code watch_progress(const struct dbk_watch *watch, const char *phase,
                             const char *unit, uint64_t done, uint64_t total,
                             struct dbk_error *err);
void watch_say(const struct dbk_watch *watch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
