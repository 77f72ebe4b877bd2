/* expiry.h - has events forgotten by age: at the start, and once an hour. Whoever does not lead
 * the log's copies does nothing, until it does. Where the clock is a week or more ahead of the
 * log's last record at the start, or leaps so far later, that is told, and waits for the next
 * time; and what is doubted (dbk_log_due) is told, and left to an operator. */
#ifndef DBK_TOOLS_EXPIRY_H
#define DBK_TOOLS_EXPIRY_H

#include "store/log.h"

struct expiry;

struct expiry_options {
    int64_t days; /* how old, at least 1; what is forgotten are whole months */
    int every_ms; /* 0: an hour */
    /* What is doubted is done all the same where it keeps all from here on; 0: never. */
    dbk_timestamp agreed;
    /* What was forgotten, or why it was not: one line, borrowed for the call, from the thread
     * of its own (dbk-expiry). What fails the same way again is not told again. */
    void (*done)(void *context, const char *line);
    void (*failed)(void *context, const char *line);
    void *context;
};

/* log and context must outlive it. DBK_NO_MEMORY, as dbk_thread_start. */
enum dbk_code expiry_start(struct dbk_log *log, const struct expiry_options *options,
                           struct expiry **out, struct dbk_error *err);
/* Once what is under way is done. NULL is fine. */
void expiry_stop(struct expiry *expiry);

#endif
