/* sandbox.h - runs what reads a log that nobody trusts in a process of its own.
 *
 * LMDB reads wild where a page is damaged: then that process dies, and the caller lives
 * to tell it. Private to the store. Forks: for processes that have no other threads
 * that take locks, which a child would find held for ever.
 */
#ifndef DBK_STORE_SANDBOX_H
#define DBK_STORE_SANDBOX_H

#include "store/verify.h"

#include <sys/types.h>

/* What is run, on what the caller of sandbox_run gives. Its options have no scratch_dir but
 * the caller's; what it tells through them, what it makes of *result, and its failure
 * reach the caller. */
typedef enum dbk_code sandbox_body(const void *what,
                                   const struct dbk_verify_options *options,
                                   struct dbk_verify_result *result,
                                   struct dbk_error *err);

/* Run it. options as in verify.h; the watch is asked also while nothing is told, and gets
 * what was told last. Of the findings the first hundred are told.
 *
 * *died_at receives 0, or the record about which the file ended the process that read it:
 * then result has the findings that were told, and the head as far as it was known.
 *
 * DBK_INTERRUPTED  the watch said stop
 * DBK_IO           no process could be made; or it was killed from outside
 * and what was run returns
 */
enum dbk_code sandbox_run(sandbox_body *run, const void *what,
                          const struct dbk_verify_options *options,
                          struct dbk_verify_result *result, uint64_t *died_at,
                          struct dbk_error *err);

/* What each such child does first: it ends with its parent, is silent, and dies of what
 * can end it, whatever its parent does about that. */
void sandbox_become_child(pid_t parent);

#endif
