/* writer.h - the one thread that appends: group commit.
 *
 * It takes all that is queued (bounded), decides it in one write transaction, commits
 * once, and wakes those who wait. While it waits for the disk the next batch gathers,
 * so there is no timer: a lone caller waits for nobody, and N callers share one sync.
 *
 * Private to the store.
 */
#ifndef DBK_WRITER_H
#define DBK_WRITER_H

#include "log_private.h"

#include <stdatomic.h>

/* One submission. Lives on the submitter's stack until done is set. */
struct dbk_group {
    struct dbk_command *const *commands;
    size_t count;
    size_t bytes;
    const struct dbk_idempotency *idempotency; /* NULL: none */
    bool replayed;
    enum dbk_code code; /* of the submission as a whole */
    struct dbk_error error;
    unsigned lane; /* which of log->decided its owner sleeps on */
    atomic_bool done;
    struct dbk_group *next;
};

/* pthread's start routine; context is the struct dbk_log. Ends when log->closing is set
 * and the queue is empty. */
void *dbk_writer_run(void *context);

#endif
