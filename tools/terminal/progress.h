/* progress.h - shows how far a long task is: on a terminal a bar with rate and time left,
 * cut to its width (the rate goes first, the time left last), else a line now and then.
 * The time left only counts down while work goes on steadily. One for all subcommands.
 *
 *     progress_start(&progress, stderr);
 *     progress_phase(&progress, "reading the log", "records");
 *     ... progress_show(&progress, done, total); ... again and again
 *     progress_clear(&progress);
 *
 * Tasks of the layers below are given progress_watch(&progress) instead.
 */
#ifndef DBK_TOOLS_PROGRESS_H
#define DBK_TOOLS_PROGRESS_H

#include "logger.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Belongs to one thread at a time. Nothing to free. */
struct progress {
    FILE *out;                   /* borrowed; NULL: show nothing */
    bool terminal;               /* private from here on */
    bool drawn;                  /* the bar stands on the last line */
    const char *name;            /* of the phase */
    const char *unit;            /* what is counted; "": nothing is */
    unsigned columns;            /* of the terminal; 0: ask it */
    double started;              /* seconds, of a clock that is never set back */
    double phase;                /* when the phase began */
    double shown;                /* when it was shown last */
    uint64_t first;              /* units that were done when the phase began */
    uint64_t counted;            /* units that were done when last told */
    bool estimated;              /* how much time is left */
    double left, left_at;        /* seconds that were left then */
    const struct logger *logger; /* of progress_watch */
};

/* Start the clock; show on out. */
void progress_start(struct progress *progress, FILE *out);

/* The next phase (or file) begins, counting from 0. name ("making indexes", a file's
 * name) and unit ("records", "lines"; "": there is nothing to count) are borrowed until
 * the next phase. The same name again (the pointer) goes on with the phase. */
void progress_phase(struct progress *progress, const char *name, const char *unit);

/* The same for a phase that begins with `first` units done: the rate is of what comes. */
void progress_phase_at(struct progress *progress, const char *name, const char *unit,
                       uint64_t first);

/* What shows phases on it, once it is started, lets logger (may be NULL) have the lines,
 * and stops where a signal has come that is held (signals.h). Valid as long as both are. */
struct dbk_watch progress_watch(struct progress *progress, const struct logger *logger);

/* So many units are done, of total; total 0: unknown. Shown when enough time
 * has passed since the last, so call it often. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/* The same where a share of the whole is known (0 to 1; below 0: unknown) instead of a
 * total. */
void progress_show_share(struct progress *progress, uint64_t done, double share);

/* Take the bar away, so that something else can be printed. */
void progress_clear(struct progress *progress);

/* Seconds since the start. */
double progress_seconds(const struct progress *progress);

#endif
