/* cosign.h - has what the log's server signed seen by witnesses, who sign it, too.
 *
 * One thread, many requests at once: no witness waits for another, and the server knows
 * nothing of it. It reads the log and the audit directory beside the server, and writes
 * `cosigned` and `witnesses` there.
 */
#ifndef DBK_TOOLS_COSIGN_H
#define DBK_TOOLS_COSIGN_H

#include "store/log.h"
#include "store/proof/checkpoint.h"
#include "store/proof/witness.h"

struct cosign; /* of one thread */

/* log and policy must outlive it. A line of report is what an operator should know; alarm:
 * at once. DBK_INVALID: no witness of the policy has a URL, or the path is too long.
 * DBK_CONFLICT: another process does it. DBK_UNSUPPORTED: built without libcurl.
 * DBK_NO_MEMORY, DBK_IO. */
struct cosign_options {
    const char *dir; /* the audit directory */
    struct dbk_log *log;
    const struct dbk_policy *policy;
    void (*report)(void *context, bool alarm, const char *line);
    void *report_context;
};
enum dbk_code cosign_create(const struct cosign_options *options,
                            struct cosign **cosign, struct dbk_error *err);
void cosign_destroy(struct cosign *cosign); /* NULL is fine */

/* Do what is due, and wait for answers, at most timeout_ms. What is wrong here, and not
 * with a witness, fails; the next call tries again.
 *
 * DBK_NOT_FOUND  nothing was signed yet
 * DBK_MOVED      the log is not the one that was signed, or what was cosigned has more
 * and as reading and writing files */
enum dbk_code cosign_step(struct cosign *cosign, int timeout_ms, struct dbk_error *err);

/* Whether nothing is left to be asked for the checkpoint that it is at. */
bool cosign_settled(const struct cosign *cosign);

/* Whether it has as many signatures as the policy asks for. */
bool cosign_met(const struct cosign *cosign);

/* How it stands; borrowed. */
const struct dbk_witnesses *cosign_states(const struct cosign *cosign);
uint64_t cosign_size(const struct cosign *cosign); /* of that checkpoint */

#endif
