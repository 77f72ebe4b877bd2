/* receipt.h - what a client may keep of a write that has Prefer: proof: for each record that
 * it appended the proof that it is in the log, in the answer's "proofs".
 *
 * The answer waits for a checkpoint, bounded. Preference-Applied says how that went: "proof",
 * or "proof=none" where there is none: no checkpoint came in time, nothing was appended, or
 * more than RECEIPT_MAX records were. Who only ingests is told nothing of the log.
 */
#ifndef DBK_HTTP_RECEIPT_H
#define DBK_HTTP_RECEIPT_H

#include "request.h"
#include "response.h"
#include "store/command.h"

#define RECEIPT_MAX 100 /* records of one answer */

/* Of the records first to last; first 0: none was appended. Before the envelope ends. Where
 * the request does not prefer it nothing is done; it never fails. */
void receipt_of(struct request *rq, struct response *rs, uint64_t first, uint64_t last);

/* The same of what these commands, which are decided, have appended. */
void receipt_of_batch(struct request *rq, struct response *rs,
                      struct dbk_command *const *commands, size_t count);

#endif
