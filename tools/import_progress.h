/* import_progress.h - shows how far an import is: a bar on a terminal, else a line now
 * and then. */
#ifndef DBK_TOOLS_IMPORT_PROGRESS_H
#define DBK_TOOLS_IMPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct import_progress {
    FILE *out; /* borrowed; NULL: show nothing */
    bool terminal;
    bool drawn;       /* the bar stands on the last line */
    const char *name; /* of the file */
    double started;   /* seconds, of a clock that is never set back */
    double shown;     /* when it was shown last */
    uint64_t base;    /* lines of the files before */
};

/* Start showing on out. */
void import_progress_start(struct import_progress *progress, FILE *out);

/* The next file begins, after lines lines in all. name is borrowed until the next. */
void import_progress_file(struct import_progress *progress, const char *name,
                          uint64_t lines);

/* So many lines in all, and this share (0 to 1; below 0: unknown) of the file. Shown when
 * enough time has passed. */
void import_progress_show(struct import_progress *progress, uint64_t lines,
                          double share);

/* Take the bar away, so that something else can be printed. */
void import_progress_clear(struct import_progress *progress);

/* Seconds since the start. */
double import_progress_seconds(const struct import_progress *progress);

#endif
