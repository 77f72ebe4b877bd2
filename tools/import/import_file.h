/* import_file.h - appends the lines of a file to the log. */
#ifndef DBK_TOOLS_IMPORT_FILE_H
#define DBK_TOOLS_IMPORT_FILE_H

#include "import_batch.h"
#include "line_reader.h"
#include "progress.h"

#include <pthread.h>

/* One import: of one file, then perhaps of another. While one batch is appended by a
 * thread of its own, the next is read; it is submitted only once all is well with the
 * one before. */
struct import {
    struct dbk_log *log;
    const struct dbk_body_rules *rules;
    bool go_on;       /* past bad lines */
    FILE *complaints; /* where bad lines go; may be NULL */
    struct progress *progress;
    const struct dbk_watch *watch; /* asked between batches whether to stop; or NULL */

    uint64_t lines, persons_added, persons_updated, persons_there, events_added,
        events_there, bad;
    const char *path; /* of the file being read */
    uint64_t done;    /* its lines up to here are in the log, or were bad */
    struct import_batch batches[2]; /* one is gathered while the other is appended */
    unsigned gathering;             /* which */
    struct import_flight {          /* the other, where it is on its way */
        bool flying;
        bool threaded;
        pthread_t thread;
        struct dbk_log *log;
        struct import_batch *batch;
        uint64_t number; /* of the last line read for it */
        enum dbk_code code;
        struct dbk_error err;
    } flight;
};
void import_finish(struct import *import);

/* Append each line of lines: persons for DBK_PERSON_CREATED, events for
 * DBK_EVENT_RECORDED. path is for what is told.
 *
 * DBK_OK           all was read; bad lines (go_on) are counted
 * DBK_INVALID      stopped at a bad line; the lines before it are in the log, and some
 *                  behind it may be
 * DBK_UNAVAILABLE  interrupted; err says behind which line
 * DBK_DAMAGED, DBK_IO   the file cannot be read on; what was read is in the log
 * others           as dbk_log_submit has them; err says behind which line
 */
enum dbk_code import_file(struct import *import, const char *path,
                          struct line_reader *lines, enum dbk_type type,
                          struct dbk_error *err);

#endif
