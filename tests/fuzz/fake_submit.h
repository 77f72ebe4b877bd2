/* fake_submit.h - stands in for dbk_log_submit (linked with --wrap=...): nothing is
 * written, so that each input finds the log as the one before did. */
#ifndef DBK_TESTS_FAKE_SUBMIT_H
#define DBK_TESTS_FAKE_SUBMIT_H

#include "store/error.h"

/* What comes of what is submitted from now on: DBK_OK, a refusal that is a verdict, or a
 * failure of the whole. An idempotency key is looked at, and not remembered. */
void fake_submit_answer(enum dbk_code code);

#endif
