/* watch.h - how a long task tells how it goes, and is asked to stop.
 *
 * Whoever begins a task gives it a watch, or NULL where nobody wants to know. The task
 * calls it from its own thread, but where the header of the task says otherwise. Any
 * function of it may be NULL.
 */
#ifndef DBK_STORE_WATCH_H
#define DBK_STORE_WATCH_H

#include "store/error.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_watch {
    /* So many units (records, indexes; "": nothing is counted) of the phase are done, of
     * a total; total 0: not known. Called a few times a second or more. phase and unit
     * are static. */
    void (*progress)(void *context, const char *phase, const char *unit, uint64_t done,
                     uint64_t total);
    /* What an operator should know, one line, borrowed for the call. */
    void (*report)(void *context, const char *line);
    /* Asked as often; true ends the task soon, with DBK_INTERRUPTED and nothing half
     * done. */
    bool (*stop)(void *context);
    void *context;
};

bool dbk_watch_stops(const struct dbk_watch *watch);

/* Tell how far it is, then ask. DBK_INTERRUPTED: stop; "interrupted while PHASE". */
enum dbk_code dbk_watch_progress(const struct dbk_watch *watch, const char *phase,
                                 const char *unit, uint64_t done, uint64_t total,
                                 struct dbk_error *err);

void dbk_watch_say(const struct dbk_watch *watch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
