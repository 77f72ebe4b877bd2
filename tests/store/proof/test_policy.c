/* Policies: read strictly, and what they ask for. */
#include "made_entries.h"
#include "store/proof/checkpoint.h"

enum { WITNESSES = 5 };

static struct {
    struct dbk_skey keys[WITNESSES]; /* named w0 ... */
    char vkeys[WITNESSES][DBK_VKEY_TEXT + 1];
    struct dbk_error err;
} world;

static int make_witnesses(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < WITNESSES; i++) {
        snprintf(name, sizeof name, "w.example/%u", i);
        if (dbk_skey_make(dbk_slice(name), DBK_KEY_WITNESS, NULL, &world.keys[i],
                          NULL) != DBK_OK)
            return -1;
        dbk_vkey_format(&world.keys[i].vkey, world.vkeys[i]);
    }
    return 0;
}

/* A policy of the log and all witnesses, w0 ..., and of what follows. */
static enum dbk_code parse(const char *rest, struct dbk_policy **policy)
{
    char text[8192];
    int used = snprintf(text, sizeof text,
                        "# a comment\n\n \tlog %s https://x.example/\n", MADE_VKEY);

    for (unsigned i = 0; i < WITNESSES; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "witness w%u\t%s\n",
                         i, world.vkeys[i]);
    snprintf(text + used, sizeof text - (size_t)used, "%s", rest);
    return dbk_policy_parse(dbk_slice(text), policy, &world.err);
}

static void a_quorum_is_met_by_who_counts_in_it(void **state)
{
    static const struct {
        const char *rest;
        uint64_t met[3], unmet[3];
    } cases[] = {
        {"quorum none\n", {0, 1, 31}, {0}},
        {"quorum w1\n", {2, 3, 31}, {0, 1, 29}},
        {"group g any w0 w1\nquorum g\n", {1, 2, 3}, {0, 4, 28}},
        {"group g all w0 w1\nquorum g\n", {3, 31, 7}, {1, 2, 28}},
        {"group g 2 w0 w1 w2\nquorum g\n", {3, 5, 7}, {1, 4, 24}},
        {"group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup z all x y\nquorum z\n",
         {11, 21, 31},
         {7, 24, 9}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dbk_policy *policy;

        assert_int_equal(parse(cases[i].rest, &policy), DBK_OK);
        assert_int_equal(policy->log_count, 1);
        assert_string_equal(policy->logs[0].url, "https://x.example/");
        assert_int_equal(policy->witness_count, WITNESSES);
        for (size_t k = 0; k < 3; k++) {
            assert_true(dbk_policy_met(policy, cases[i].met[k]));
            assert_int_equal(dbk_policy_met(policy, cases[i].unmet[k]), i == 0);
        }
        dbk_policy_destroy(policy);
    }
}

static void what_is_no_policy_is_refused_by_its_line(void **state)
{
    static const struct {
        const char *rest, *why;
    } cases[] = {
        {"", "no quorum was given"},
        {"quorum none", "it does not end with a line feed"},
        {"quorum none\nquorum none\n", "a second quorum"},
        {"quorum w9\n", "no line above says what w9 is"},
        {"group g any w9\nquorum g\n", "no line above says what w9 is"},
        {"group g any g\nquorum g\n", "no line above says what g is"},
        {"group g any none\nquorum g\n", "no line above says what none is"},
        {"group none any w0\nquorum none\n", "the name none is taken"},
        {"group w0 any w1\nquorum w0\n", "the name w0 is taken"},
        {"group g 0 w0\n", "expected: group NAME all|any|NUMBER MEMBER..."},
        {"group g 2 w0\n", "expected: group NAME all|any|NUMBER MEMBER..."},
        {"group g 01 w0\n", "expected: group NAME all|any|NUMBER MEMBER..."},
        {"group g any\n", "expected: group NAME all|any|NUMBER MEMBER..."},
        {"group g any w0 w0\n", "w0 is a member already"},
        {"group g any w0\ngroup h any w0\n", "w0 is a member already"},
        {"log\n", "expected: log VKEY [URL]"},
        {"log " MADE_VKEY "\n", "the key of " MADE_NAME " is there already"},
        {"log " MADE_WITNESS "\n", "the log's key is of the other kind"},
        {"witness w9 " MADE_VKEY "\n", "the witness's key is of the other kind"},
        {"witness w0 " MADE_WITNESS "\n", "the name w0 is taken"},
        {"witness " MADE_WITNESS "\n", "expected: witness NAME VKEY [URL]"},
        {"logs\n", "neither log, witness, group nor quorum"},
        {"quorum \x01\n", "a control character"},
        {"quorum none\r\n", "a control character"},
    };
    struct dbk_policy *policy;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].rest, &policy), DBK_INVALID);
        assert_null(policy);
        if (!strstr(world.err.text, cases[i].why) ||
            strncmp(world.err.text, "line ", 5) != 0)
            fail_msg("%s: %s", cases[i].rest, world.err.text);
    }
}

/* The checkpoint of seven, with the cosignatures of these. */
static size_t cosigned(uint64_t witnesses, char *out)
{
    size_t length = strlen(strcpy(out, MADE_SIGNED_7));

    for (unsigned i = 0; i < WITNESSES; i++) {
        if (witnesses >> i & 1)
            length += dbk_note_sign(dbk_slice(MADE_TEXT_7), &world.keys[i],
                                    1700000000 + i, out + length);
    }
    return length;
}

static void a_checkpoint_is_believed_where_enough_have_seen_it(void **state)
{
    char text[4096];
    struct dbk_log_checkpoint read;
    struct dbk_policy *policy;
    uint64_t witnesses;

    (void)state;
    assert_int_equal(parse("group g 2 w0 w1 w2\nquorum g\n", &policy), DBK_OK);
    cosigned(5, text);
    assert_int_equal(
        dbk_policy_open(policy, NULL, dbk_slice(text), &read, &witnesses, &world.err),
        DBK_OK);
    assert_int_equal(witnesses, 5);
    assert_int_equal(read.size, 7);
    cosigned(25, text);
    assert_int_equal(
        dbk_policy_open(policy, NULL, dbk_slice(text), &read, &witnesses, &world.err),
        DBK_NOT_FOUND);
    assert_string_equal(world.err.text,
                        "3 of the policy's 5 witnesses have signed it: too few");
    cosigned(7, text);
    text[strlen(text) - 30] ^= 1; /* one is wrong: all is */
    assert_int_equal(
        dbk_policy_open(policy, NULL, dbk_slice(text), &read, &witnesses, &world.err),
        DBK_INVALID);
    dbk_policy_destroy(policy);
}

static void a_log_that_a_policy_does_not_name_is_not_believed(void **state)
{
    char text[4096], line[DBK_VKEY_TEXT + 64], vkey[DBK_VKEY_TEXT + 1];
    struct dbk_log_checkpoint read;
    struct dbk_policy *policy;
    struct dbk_skey other;
    struct dbk_vkey made;

    (void)state;
    assert_int_equal(
        dbk_skey_make(dbk_slice("other.example"), DBK_KEY_LOG, NULL, &other, NULL),
        DBK_OK);
    dbk_vkey_format(&other.vkey, vkey);
    snprintf(line, sizeof line, "log %s\nquorum none\n", vkey);
    cosigned(1, text);
    assert_int_equal(dbk_policy_parse(dbk_slice(line), &policy, &world.err), DBK_OK);
    assert_int_equal(
        dbk_policy_open(policy, NULL, dbk_slice(text), &read, NULL, &world.err),
        DBK_CONFLICT);
    dbk_policy_destroy(policy);
    assert_int_equal(dbk_policy_parse(dbk_slice("quorum none\n"), &policy, &world.err),
                     DBK_OK);
    assert_int_equal(
        dbk_policy_open(policy, NULL, dbk_slice(text), &read, NULL, &world.err),
        DBK_CONFLICT);
    assert_int_equal(dbk_vkey_parse(dbk_slice(MADE_VKEY), &made, NULL), DBK_OK);
    assert_int_equal(
        dbk_policy_open(policy, &made, dbk_slice(text), &read, NULL, &world.err),
        DBK_OK);
    dbk_policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quorum_is_met_by_who_counts_in_it),
        cmocka_unit_test(what_is_no_policy_is_refused_by_its_line),
        cmocka_unit_test(a_checkpoint_is_believed_where_enough_have_seen_it),
        cmocka_unit_test(a_log_that_a_policy_does_not_name_is_not_believed),
    };

    return cmocka_run_group_tests(tests, make_witnesses, NULL) != 0;
}
