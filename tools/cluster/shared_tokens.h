/* shared_tokens.h - the access tokens of all machines of a cluster are one table.
 *
 * Each machine has the table in its file (http/tokens.h), where its tools and its API change
 * it. What is changed there is told the others, by the stream; what the stream tells is
 * written to the file. What both agreed on last lies in DATA_DIR/cluster/tokens: what the
 * file has otherwise was changed here, and is not told yet, also where that was done while
 * nothing ran, or while no broker answered. What came from the stream is no such difference,
 * and so is not told again.
 *
 * The order is the stream's: of two changes of one name the later one there holds.
 */
#ifndef DBK_TOOLS_SHARED_TOKENS_H
#define DBK_TOOLS_SHARED_TOKENS_H

#include "replica/replica.h"

struct shared_tokens;

/* How changes are told. DBK_UNAVAILABLE: to be tried again; DBK_BUSY: the same, and nothing to
 * speak of: it is not known yet what the others have. */
typedef enum dbk_code shared_tokens_send(void *context, struct dbk_slice changes,
                                         struct dbk_error *err);

/* Read what was agreed on in this data directory, which must outlive it. report may be NULL.
 * DBK_IO, DBK_NO_MEMORY, as dbk_tokens_read. */
enum dbk_code shared_tokens_create(const char *dir,
                                   void (*report)(void *context, const char *line),
                                   void *report_context, struct shared_tokens **out,
                                   struct dbk_error *err);
void shared_tokens_destroy(struct shared_tokens *shared); /* NULL is fine; stopped */

/* The stream's table is now this, as dbk_replica_options.tokens tells. context is the struct
 * shared_tokens. Any thread. */
void shared_tokens_came(void *context, struct dbk_slice table);

/* Look for changes of the file, from now on, in a thread (dbk-shared). */
enum dbk_code shared_tokens_start(struct shared_tokens *shared,
                                  shared_tokens_send *send, void *context,
                                  struct dbk_error *err);
/* The same, but the caller looks. */
void shared_tokens_use(struct shared_tokens *shared, shared_tokens_send *send,
                       void *context);
/* Not to be called with the last of shared_tokens_came under way. NULL is fine. */
void shared_tokens_stop(struct shared_tokens *shared);

/* Look once: apart for the tests. */
void shared_tokens_look(struct shared_tokens *shared);

/* Forget what was agreed on: this log begins another cluster. DBK_IO. */
enum dbk_code shared_tokens_forget(const char *dir, struct dbk_error *err);

#endif
