/* writer.h - one writer at a time appends: group commit.
 *
 * Whoever has the turn is the writer: decides what it has in one write transaction and
 * commits once. A lone caller takes the turn itself, for its own submission, as it would
 * wait for a thread to do just that. Those who come meanwhile are queued, for the log's
 * writer thread: it takes all that is queued (bounded), and wakes those who wait. While it
 * waits for the disk the next batch gathers, so there is no timer, and N callers share
 * one sync. Only where what is committed is shipped does it wait (gather.h).
 *
 * Private to the store.
 */
#ifndef DBK_STORE_WRITER_H
#define DBK_STORE_WRITER_H

#include "log_state.h"

#include <stdatomic.h>

/* One submission. Lives on the submitter's stack until done is set. */
struct writer_group {
    struct dbk_command *const *commands;
    size_t count;
    size_t bytes;
    const struct dbk_idempotency *idempotency; /* NULL: none */
    bool replayed;
    enum dbk_code code; /* of the submission as a whole */
    struct dbk_error error;
    unsigned lane; /* which of log->decided its owner sleeps on */
    atomic_bool done;
    struct writer_group *next;

    bool was_held; /* what became of it is not known when it is done: held_wait */
    /* Under log->mutex: where it is held, until when, and who else is. */
    struct held_batch *held;
    int64_t held_until;
    struct writer_group *held_next;
};

/* Having the turn, write this submission, which is not queued, and give the turn back. */
void writer_write(struct dbk_log *log, struct writer_group *group);

/* pthread's start routine; context is the struct dbk_log. Ends when log->closing is set
 * and the queue is empty. */
void *writer_run(void *context);

#endif
