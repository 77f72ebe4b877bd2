/* tokens.h - the table of access tokens travels in the stream, too.
 *
 * A message has lines of JSON, {"put":"a line of the tokens file"} or {"revoke":"name"}, in
 * order. The table, as the log keeps it, is the lines of puts that hold, so that it is made
 * anew by reading them. What a line has behind the name is not looked at here.
 */
#ifndef DBK_REPLICA_TOKENS_H
#define DBK_REPLICA_TOKENS_H

#include "replica_private.h"
#include "store/render.h"

#define TOKENS_KEPT "tokens"
#define TOKENS_MAX                                                                     \
    1000 /* in the table; what would be more is not taken, by all alike */

/* The table that changes make of one; *out is appended to. */
void tokens_change(struct dbk_slice table, struct dbk_slice changes,
                   struct dbk_render *out);

/* The table that the log keeps, or one of length 0; borrowed of the batch. */
enum dbk_code tokens_kept(struct dbk_log *log, struct dbk_batch *batch,
                          struct dbk_slice *table, struct dbk_error *err);

/* The same of the one that the log keeps. */
enum dbk_code tokens_fold(struct dbk_log *log, struct dbk_slice changes,
                          struct dbk_render *out, struct dbk_error *err);

/* Tell options->tokens of what the log keeps. */
void tokens_tell(struct dbk_replica *replica);

#endif
