/* gather.h - a log that leads waits a moment for those whom it has just answered.
 *
 * A commit that is shipped costs all copies the same, whatever is in it. Clients that wait for
 * their answers come back right after it: without a wait the first of them gets a transaction
 * of its own, and the others the next. So their submissions are gathered first, for a quarter
 * of the time that the commit took, or until as many are there as there were; where processors
 * are busy they come one after the other, and are waited for twice as long while they come.
 *
 * Private to the store. All with log->mutex held.
 */
#ifndef DBK_STORE_GATHER_H
#define DBK_STORE_GATHER_H

#include "log_state.h"

/* The writer has committed so many commands in so many microseconds, and is about to wake who
 * submitted them. Nobody is waited for where the log does not lead, or who wrote was alone. */
void gather_begin(struct dbk_log *log, size_t commands, int64_t took_us);

/* One of them, or another, was queued. */
void gather_came(struct dbk_log *log);

/* Whether those are waited for still: nobody takes the turn meanwhile. */
bool gather_waits(const struct dbk_log *log);

/* `until`, or earlier: when they are waited for no longer. */
dbk_deadline gather_until(const struct dbk_log *log, dbk_deadline until);

#endif
