/* checker.h - goes through a log and its indexes and tells what is wrong.
 *
 * Private to the store. Runs in a process of its own (sandbox.h), since LMDB reads wild
 * where a page is damaged.
 */
#ifndef DBK_CHECKER_H
#define DBK_CHECKER_H

#include "store/verify.h"

/* As dbk_log_verify, without the sandbox; every finding is told, and the scratch directory
 * is left for the caller to remove. */
enum dbk_code dbk_check_log(const char *dir, const struct dbk_verify_options *options,
                            struct dbk_verify_result *result, struct dbk_error *err);

#endif
