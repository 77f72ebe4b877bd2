/* submit.h - hands commands to the log for a request. */
#ifndef DBK_HTTP_SUBMIT_H
#define DBK_HTTP_SUBMIT_H

#include "request.h"
#include "response.h"
#include "store/decide/command_block.h"

/* What the record of every write of this request says of it. */
void submit_meta(const struct request *rq, struct dbk_record *draft);

/* A command of these drafts; NULL: err says why. */
struct dbk_command *submit_drafts(const struct dbk_record *drafts, size_t count,
                                  struct dbk_error *err);

/* The same of one draft, the block's. */
struct dbk_command *submit_draft_in(struct dbk_command_block *block,
                                    const struct dbk_record *draft,
                                    struct dbk_error *err);

/* The ids of what a request brings without one, where its token only ingests and it has
 * an Idempotency-Key: always the same of the same request, so that what is sent again is
 * known to the log. What another request has brought under that key has no part in it, so
 * nobody learns of it. */
struct submit_ids {
    bool keyed;
    uint8_t seed[64]; /* hashes of the key and of the request */
};

/* DBK_INVALID: a bad key. */
enum dbk_code submit_ids_begin(const struct request *rq, struct submit_ids *ids,
                               struct dbk_error *err);

/* The id of the item at index; where the request is none of these *id is left alone. */
void submit_ids_make(const struct submit_ids *ids, uint64_t index, struct dbk_uuid *id);

/* Decide the commands, under the request's Idempotency-Key where it has one
 * (and more than ingests). Adds
 * Idempotency-Replayed where these are the verdicts of the first time (*replayed).
 * Failures: dbk_log_submit's, and DBK_INVALID for a bad key. */
enum dbk_code submit_keyed(struct request *rq, struct response *rs,
                           struct dbk_command *const *commands, size_t count,
                           bool *replayed, struct dbk_error *err);

/* The verdict as a failure, whose field names who has what was asked for (holder.h); or
 * DBK_OK, then Daybook-Sequence is added, and what is to be kept of it (receipt.h). */
enum dbk_code submit_accept(struct request *rq, struct response *rs,
                            const struct dbk_command *command, struct dbk_error *err);

/* Decide one command, without a key. Failures: dbk_log_submit's; then as above. */
enum dbk_code submit_plain(struct request *rq, struct response *rs,
                           struct dbk_command *command, struct dbk_error *err);

#endif
