/* post_retry.h - persons in quarantine, tried again, while their poster goes on in between:
 * as many as possible in one transaction, and where that is refused, in halves. */
#ifndef DBK_PROJECTIONS_POST_RETRY_H
#define DBK_PROJECTIONS_POST_RETRY_H

#include "post_scan.h"

/* Rows to try, and which runs of them, the next on top. Belongs to the poster's thread. */
struct post_retry {
    struct poster *poster; /* borrowed */
    struct post_row *rows;
    size_t row_count;
    struct post_run {
        size_t first, end;
    } runs[64]; /* halves of halves: far fewer are ever needed */
    size_t run_count;
    struct post_scan scan; /* for all rows */
    int patience_ms;       /* what a statement may take; 0: as usual */
    unsigned tries;        /* that failed, of what may yet pass; since it began */
};

void post_retry_init(struct post_retry *retry, struct poster *poster);
void post_retry_finish(struct post_retry *retry);

/* Note who is to be tried again: all in quarantine, or those that somebody asked for. */
enum dbk_code post_retry_begin(struct post_retry *retry, bool all,
                               struct dbk_error *err);
bool post_retry_pending(const struct post_retry *retry);
/* While it is pending: look through some more of the log, or try the next few. Errors as
 * post_attempt. */
enum dbk_code post_retry_step(struct post_retry *retry, struct dbk_error *err);

#endif
