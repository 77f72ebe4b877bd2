/* What one message is to a log. */
#include "rule.h"

#include "generate/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One message to a log at offset 10, of epoch 7, put right at 0, with 100 records, the last of
 * checksum 5. */
static const struct rule_log log_at_10 = {{10, 7, 0}, 100, 5};

struct row {
    const char *what;
    int64_t offset;
    struct message message;
    uint32_t asked;
    enum rule_verdict verdict;
    int halt; /* or known, of RULE_OVERLAP */
    int64_t epoch;
};

static const struct row rows[] = {
    {"behind the log", 9, {.type = MESSAGE_BATCH, .epoch = 9}, 0, RULE_SKIP, 0, 7},
    {"a hole", 11, {.type = MESSAGE_OPENING, .epoch = -1}, 0, RULE_HALT, RULE_HOLE, 0},
    {"the next batch",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 101, .count = 3, .before = 5},
     0,
     RULE_APPEND,
     0,
     7},
    {"keys alone",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 101, .before = 5},
     0,
     RULE_APPEND,
     0,
     7},
    {"a batch behind another record",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 101, .count = 3, .before = 6},
     0,
     RULE_HALT,
     RULE_OTHER_BEFORE,
     0},
    {"a gap",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 102, .count = 1, .before = 5},
     0,
     RULE_HALT,
     RULE_GAP,
     0},
    {"a deposed leader's",
     10,
     {.type = MESSAGE_BATCH, .epoch = 6, .first = 101, .count = 3, .before = 5},
     0,
     RULE_VOID,
     0,
     7},
    {"a deposed leader's that had less",
     10,
     {.type = MESSAGE_BATCH, .epoch = 6, .first = 91, .count = 3, .before = 8},
     8,
     RULE_VOID,
     0,
     7},
    {"a deposed leader's that had what is not here",
     10,
     {.type = MESSAGE_BATCH, .epoch = 6, .first = 102, .count = 3, .before = 5},
     0,
     RULE_HALT,
     RULE_DEPOSED_OTHER,
     0},
    {"a deposed leader's that had another record",
     10,
     {.type = MESSAGE_BATCH, .epoch = 6, .first = 91, .count = 3, .before = 8},
     9,
     RULE_HALT,
     RULE_DEPOSED_OTHER,
     0},
    {"of one that knew less of what was put right, whatever it says",
     10,
     {.type = MESSAGE_BATCH,
      .epoch = 3,
      .first = 900,
      .count = 3,
      .before = 1,
      .reseed = -1},
     0,
     RULE_VOID,
     0,
     7},
    {"put right where this log had passed already",
     10,
     {.type = MESSAGE_BATCH,
      .epoch = 6,
      .first = 101,
      .count = 3,
      .before = 5,
      .reseed = 6},
     0,
     RULE_HALT,
     RULE_RESEED_MISSED,
     0},
    {"of an opening never read",
     10,
     {.type = MESSAGE_BATCH, .epoch = 8, .first = 101, .count = 3, .before = 5},
     0,
     RULE_HALT,
     RULE_EPOCH_AHEAD,
     0},
    {"records that are known",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 90, .count = 4},
     0,
     RULE_OVERLAP,
     4,
     7},
    {"records of which some are known",
     10,
     {.type = MESSAGE_BATCH, .epoch = 7, .first = 99, .count = 4},
     0,
     RULE_OVERLAP,
     2,
     7},
    {"an opening at the head",
     10,
     {.type = MESSAGE_OPENING, .epoch = -1, .first = 100, .before = 5},
     0,
     RULE_OPEN,
     0,
     10},
    {"an opening of one that is behind",
     10,
     {.type = MESSAGE_OPENING, .epoch = -1, .first = 50, .before = 8},
     8,
     RULE_OPEN,
     0,
     10},
    {"an opening of one that is none of ours",
     10,
     {.type = MESSAGE_OPENING, .epoch = -1, .first = 50, .before = 8},
     9,
     RULE_HALT,
     RULE_OPENER_OTHER,
     0},
    {"an opening of one with an empty log",
     10,
     {.type = MESSAGE_OPENING, .epoch = -1},
     0,
     RULE_OPEN,
     0,
     10},
    {"an opening of one that has more",
     10,
     {.type = MESSAGE_OPENING, .epoch = -1, .first = 101, .before = 5},
     0,
     RULE_HALT,
     RULE_OPENER_AHEAD,
     0},
    {"put right behind what is here",
     10,
     {.type = MESSAGE_OPENING, .reseeds = true, .epoch = -1, .first = 90, .before = 3},
     3,
     RULE_OPEN,
     0,
     10},
    {"put right ahead",
     10,
     {.type = MESSAGE_OPENING, .reseeds = true, .epoch = -1, .first = 101},
     0,
     RULE_HALT,
     RULE_RESEED_AHEAD,
     0},
    {"a second genesis",
     10,
     {.type = MESSAGE_GENESIS, .epoch = -1},
     0,
     RULE_VOID,
     0,
     7},
    {"a hand-over",
     10,
     {.type = MESSAGE_HAND_OVER, .epoch = 7},
     0,
     RULE_HAND_OVER,
     0,
     7},
    {"a deposed leader's hand-over",
     10,
     {.type = MESSAGE_HAND_OVER, .epoch = 3},
     0,
     RULE_VOID,
     0,
     7},
    {"tokens", 10, {.type = MESSAGE_TOKENS, .epoch = -1}, 0, RULE_TOKENS, 0, 7},
};

static void each_message_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct rule_answer answer =
            rule_read(&log_at_10, row->offset, &row->message, row->asked);
        struct dbk_error err = {0};

        if (answer.verdict != row->verdict)
            fail_msg("%s: verdict %d", row->what, answer.verdict);
        if (answer.verdict == RULE_HALT) {
            assert_int_equal(answer.halt, row->halt);
            assert_int_equal(
                rule_explain(&log_at_10, row->offset, &row->message, answer.halt, &err),
                DBK_CONFLICT);
            assert_true(strlen(err.text) > 40);
            continue;
        }
        if (answer.verdict == RULE_OVERLAP)
            assert_int_equal(answer.known, row->halt);
        if (answer.place.epoch != row->epoch)
            fail_msg("%s: epoch %d", row->what, (int)answer.place.epoch);
        assert_int_equal(answer.place.next, row->verdict == RULE_SKIP ? 10 : 11);
    }
}

static void the_first_message_is_what_the_log_began_with(void **state)
{
    const struct rule_log fresh = {{0, -1, -1}, 4, 77};
    struct message genesis = {
        .type = MESSAGE_GENESIS, .epoch = -1, .first = 4, .before = 77};

    (void)state;
    assert_int_equal(rule_read(&fresh, 0, &genesis, 0).verdict, RULE_PASS);
    genesis.before = 78;
    assert_int_equal(rule_read(&fresh, 0, &genesis, 0).halt, RULE_GENESIS_OTHER);
}

static void only_an_opening_before_the_head_asks_for_a_record(void **state)
{
    struct message message = {.type = MESSAGE_OPENING, .epoch = -1, .first = 50};

    (void)state;
    assert_int_equal(rule_asks(&log_at_10, 10, &message), 50);
    assert_int_equal(rule_asks(&log_at_10, 9, &message), 0);
    message.first = 100;
    assert_int_equal(rule_asks(&log_at_10, 10, &message), 0);
    message =
        (struct message){.type = MESSAGE_BATCH, .epoch = 7, .first = 50, .count = 1};
    assert_int_equal(rule_asks(&log_at_10, 10, &message), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_judged),
        cmocka_unit_test(the_first_message_is_what_the_log_began_with),
        cmocka_unit_test(only_an_opening_before_the_head_asks_for_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
