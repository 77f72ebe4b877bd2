/* held.h - submissions of which it is not known whether they are in the stream.
 *
 * They were shipped in doubt, or shipped and then not committed here. Their callers wait until
 * it is known, or for dbk_log_options.held_ms. Private to the store.
 */
#ifndef DBK_STORE_HELD_H
#define DBK_STORE_HELD_H

#include "writer.h"

/* Of whoever has the turn: hold the groups of one transaction, which would have appended
 * log->body from this sequence on; the body is taken over. Where there is no memory they are
 * in doubt at once. */
void held_add(struct dbk_log *log, struct writer_group *first, uint64_t sequence,
              const struct dbk_error *why);

/* Its submitter waits, where it is held: then group->code tells what came of it. */
void held_wait(struct dbk_log *log, struct writer_group *group);

/* The log is closing: nobody is held any longer when this returns. */
void held_end(struct dbk_log *log);

#endif
