/* submit_draft.h - a record that a test needs in its log. */
#ifndef DBK_TESTS_HTTP_SUBMIT_DRAFT_H
#define DBK_TESTS_HTTP_SUBMIT_DRAFT_H

#include "check.h"
#include "store/log.h"

/* Alone, and accepted, or the test fails. */
static inline void submit_draft(struct dbk_log *log, const struct dbk_record *draft)
{
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;

    assert_non_null(command);
    if (dbk_command_add(command, draft, &err) != DBK_OK ||
        dbk_log_submit(log, &command, 1, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_OK);
    dbk_command_destroy(command);
}

#endif
