/* watch.h - how a long task tells how it goes, and is asked whether to go on. */
#ifndef DBK_PROJECTIONS_WATCH_H
#define DBK_PROJECTIONS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Called by the thread that the task runs in. */
struct dbk_watch {
    /* So many units (records, indexes; "": nothing is counted) of the phase are done, of
     * a total; total 0: not known. Called
     * a few times a second or more. False ends the task soon, with DBK_INTERRUPTED and
     * nothing half done. phase and unit are static. May be NULL. */
    bool (*progress)(void *context, const char *phase, const char *unit, uint64_t done,
                     uint64_t total);
    /* What an operator should know, one line, borrowed for the call. May be NULL. */
    void (*report)(void *context, const char *line);
    void *context;
};

#endif
