/* log_check.h - checks a copy of a log (store/verify.h), and keeps what was found. */
#ifndef DBK_TOOLS_LOG_CHECK_H
#define DBK_TOOLS_LOG_CHECK_H

#include "progress.h"
#include "store/verify.h"

#include <stdio.h>

#define LOG_CHECK_TOLD 10 /* findings that are kept */

struct log_check {
    struct dbk_verify_result result;
    size_t count;
    struct {
        uint64_t sequence; /* 0: about no record */
        char text[160];
    } found[LOG_CHECK_TOLD];
};

/* Check the log in dir; scratch is a directory to be made for the time, where there is
 * room for its indexes. keys: the ring of a sealed one (store/verify.h). The process must have no other threads, and hold signals
 * (signals.h): one that comes stops it. Errors as dbk_log_verify; findings are none. */
enum dbk_code log_check_run(struct log_check *check, const char *dir,
                            const char *scratch, struct dbk_keys *keys,
                            struct progress *progress, struct dbk_error *err);

/* Keep a finding: for who checks otherwise. context is the log_check. */
void log_check_keep(void *context, uint64_t sequence, const char *text);

/* Print the findings that were kept, a line each, and how many there are besides. */
void log_check_tell(const struct log_check *check, FILE *out);

#endif
