/* What a log asks a witness, and what it makes of each answer; what is kept of that. */
#include "made_entries.h"
#include "store/proof/witness.h"

#include <sys/stat.h>
#include <unistd.h>

static struct {
    struct dbk_signed_checkpoint checkpoint; /* of 7 records */
    struct dbk_vkey witness, log;
    char line[DBK_NOTE_LINE + 1];
    uint64_t size;
    struct dbk_error err;
} world;

static int setup(void **state)
{
    struct dbk_signed_checkpoint *made = &world.checkpoint;

    (void)state;
    made->length = strlen(MADE_SIGNED_7);
    memcpy(made->text, MADE_SIGNED_7, made->length + 1);
    return dbk_vkey_parse(dbk_slice(MADE_WITNESS), &world.witness, NULL) != DBK_OK ||
           dbk_vkey_parse(dbk_slice(MADE_VKEY), &world.log, NULL) != DBK_OK ||
           dbk_log_checkpoint_open(dbk_slice(made->text), &world.log, &made->checkpoint,
                                   NULL, NULL) != DBK_OK;
}

static enum dbk_witness_verdict judge(int status, const char *type, const char *body)
{
    world.err.text[0] = '\0';
    world.line[0] = '\0';
    world.size = 0;
    return dbk_witness_judge(status, type, dbk_slice(body), 3, &world.checkpoint,
                             &world.witness, world.line, &world.size, &world.err);
}

static void a_request_has_the_size_the_proof_and_the_checkpoint(void **state)
{
    static char body[DBK_WITNESS_REQUEST + 1];
    struct dbk_tree *tree = made_tree(7);
    struct dbk_proof proof;
    char expected[4096], hash[DBK_HASH_TEXT + 1];
    int length = snprintf(expected, sizeof expected, "old 3\n");

    (void)state;
    assert_int_equal(dbk_tree_consistency(tree, 3, 7, &proof, NULL), DBK_OK);
    assert_int_equal(proof.count, 4);
    for (size_t i = 0; i < proof.count; i++) {
        dbk_hash_format(&proof.hashes[i], hash);
        length +=
            snprintf(expected + length, sizeof expected - (size_t)length, "%s\n", hash);
    }
    snprintf(expected + length, sizeof expected - (size_t)length, "\n%s",
             MADE_SIGNED_7);
    assert_int_equal(dbk_witness_request(3, &proof, &world.checkpoint, body),
                     strlen(expected));
    assert_string_equal(body, expected);
    proof.count = 0;
    dbk_witness_request(0, &proof, &world.checkpoint, body);
    assert_string_equal(body, "old 0\n\n" MADE_SIGNED_7);
    proof.count = 64;
    assert_int_equal(dbk_witness_request(3, &proof, &world.checkpoint, body), 0);
    dbk_tree_destroy(tree);
}

static void of_200_only_its_own_right_signature_is_taken(void **state)
{
    static const char other[] = "\xe2\x80\x94 other.example AAAAAAAA\n";
    char body[1024];

    (void)state;
    assert_int_equal(judge(200, NULL, MADE_COSIGNATURE), DBK_WITNESS_COSIGNED);
    assert_string_equal(world.line, MADE_COSIGNATURE);
    snprintf(body, sizeof body, "%s%s", other, MADE_COSIGNATURE);
    assert_int_equal(judge(200, "text/plain", body), DBK_WITNESS_COSIGNED);
    assert_string_equal(world.line, MADE_COSIGNATURE);
    assert_int_equal(judge(200, NULL, other), DBK_WITNESS_LATER);
    assert_int_equal(judge(200, NULL, ""), DBK_WITNESS_LATER);
    assert_int_equal(judge(200, NULL, "thank you\n"), DBK_WITNESS_LATER);
    snprintf(body, sizeof body, "%s", MADE_COSIGNATURE);
    body[strlen(body) - 20] = body[strlen(body) - 20] == 'A' ? 'B' : 'A';
    assert_int_equal(judge(200, NULL, body), DBK_WITNESS_LATER);
    assert_non_null(strstr(world.err.text, "wrong"));
    snprintf(body, sizeof body, "%s", MADE_COSIGNATURE);
    body[strlen(body) - 1] = '\0'; /* no line feed */
    assert_int_equal(judge(200, NULL, body), DBK_WITNESS_LATER);
}

static void a_text_of_the_witness_is_no_checkpoint_of_ours(void **state)
{
    static const uint8_t seed[32] = {9};
    char text[512], body[1024], line[DBK_NOTE_LINE + 1];
    struct dbk_skey key;

    (void)state; /* it signs ours with more lines, and sends those along */
    assert_int_equal(dbk_skey_make(dbk_slice("witness.example/w1"), DBK_KEY_WITNESS,
                                   seed, &key, NULL),
                     DBK_OK);
    world.witness = key.vkey;
    snprintf(text, sizeof text, "%s\nmore\n", MADE_TEXT_7);
    dbk_note_sign(dbk_slice(text), &key, 1, line);
    snprintf(body, sizeof body, "more\n\n%s", line);
    assert_int_equal(judge(200, NULL, body), DBK_WITNESS_LATER);
    dbk_note_sign(dbk_slice(MADE_TEXT_7), &key, 1, line);
    assert_int_equal(judge(200, NULL, line), DBK_WITNESS_COSIGNED);
    dbk_vkey_parse(dbk_slice(MADE_WITNESS), &world.witness, NULL);
}

static void each_other_answer_is_what_it_says(void **state)
{
    static const struct {
        int status;
        const char *type, *body;
        enum dbk_witness_verdict verdict;
        uint64_t size;
    } cases[] = {
        {409, "text/x.tlog.size", "5\n", DBK_WITNESS_OTHER_SIZE, 5},
        {409, "text/x.tlog.size", "0\n", DBK_WITNESS_OTHER_SIZE, 0},
        {409, "text/x.tlog.size", "7\n", DBK_WITNESS_OTHER_SIZE, 7},
        {409, "text/x.tlog.size", "3\n", DBK_WITNESS_LATER, 0},
        {409, "text/x.tlog.size", "8\n", DBK_WITNESS_ROLLED_BACK, 8},
        {409, "text/x.tlog.size", "8", DBK_WITNESS_LATER, 0},
        {409, "text/x.tlog.size", "08\n", DBK_WITNESS_LATER, 0},
        {409, "text/x.tlog.size", "8\n9\n", DBK_WITNESS_LATER, 0},
        {409, "text/x.tlog.size", "99999999999999999999\n", DBK_WITNESS_LATER, 0},
        {409, "text/plain", "8\n", DBK_WITNESS_LATER, 0},
        {409, NULL, "8\n", DBK_WITNESS_LATER, 0},
        {422, NULL, "no", DBK_WITNESS_SPLIT, 0},
        {404, NULL, "", DBK_WITNESS_UNKNOWN, 0},
        {403, NULL, "", DBK_WITNESS_KEY, 0},
        {400, NULL, "", DBK_WITNESS_REFUSED, 0},
        {500, NULL, "", DBK_WITNESS_LATER, 0},
        {302, NULL, "", DBK_WITNESS_LATER, 0},
        {204, NULL, "", DBK_WITNESS_LATER, 0},
    };
    static char large[DBK_WITNESS_ANSWER_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(judge(cases[i].status, cases[i].type, cases[i].body),
                         cases[i].verdict);
        if (cases[i].size > 0)
            assert_int_equal(world.size, cases[i].size);
        assert_int_equal(*world.err.text == '\0',
                         cases[i].verdict == DBK_WITNESS_OTHER_SIZE);
    }
    assert_int_equal(judge(500, NULL, "a\x1b[31m\n"), DBK_WITNESS_LATER);
    assert_null(strchr(world.err.text, '\x1b'));
    memset(large, 'a', sizeof large - 1);
    assert_int_equal(judge(200, NULL, large), DBK_WITNESS_LATER);
    assert_non_null(strstr(world.err.text, "64 KiB"));
}

static void what_is_known_of_them_is_kept(void **state)
{
    char dir[] = "/tmp/daybook-store-XXXXXX", path[64];
    static struct dbk_witnesses some, read;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(dbk_witnesses_read(dir, &read, &world.err), DBK_NOT_FOUND);
    some = (struct dbk_witnesses){
        .at = 1700000000,
        .count = 2,
        .list = {{.name = "a", .verdict = DBK_WITNESS_COSIGNED, .since = 5, .size = 7},
                 {.name = "\xc3\xa4",
                  .verdict = DBK_WITNESS_SPLIT,
                  .since = 6,
                  .why = "two\nhistories of it"}}};
    assert_int_equal(dbk_witnesses_write(dir, &some, &world.err), DBK_OK);
    assert_int_equal(dbk_witnesses_read(dir, &read, &world.err), DBK_OK);
    assert_true(read.at == some.at && read.count == 2);
    assert_string_equal(read.list[0].name, "a");
    assert_int_equal(read.list[0].verdict, DBK_WITNESS_COSIGNED);
    assert_int_equal(read.list[0].size, 7);
    assert_string_equal(read.list[0].why, "");
    assert_int_equal(read.list[1].verdict, DBK_WITNESS_SPLIT);
    assert_string_equal(read.list[1].why, "two histories of it");
    snprintf(path, sizeof path, "%s/witnesses", dir);
    file = fopen(path, "a");
    fputs("b who 1\n", file);
    fclose(file);
    assert_int_equal(dbk_witnesses_read(dir, &read, &world.err), DBK_DAMAGED);
    unlink(path);
    rmdir(dir);
}

static void what_enough_of_them_signed_is_kept_and_never_lessened(void **state)
{
    char dir[] = "/tmp/daybook-store-XXXXXX", path[64], text[1024];
    struct dbk_policy *policy, *none;
    struct dbk_signed_checkpoint seen = world.checkpoint;
    static struct dbk_signed_checkpoint read;
    struct dbk_log_checkpoint less = {.size = 6};
    struct dbk_skey log;
    struct dbk_vkey other;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(text, sizeof text, "witness w1 %s\nquorum w1\n", MADE_WITNESS);
    assert_int_equal(dbk_policy_parse(dbk_slice(text), &policy, &world.err), DBK_OK);
    assert_int_equal(dbk_policy_parse(dbk_slice("quorum none\n"), &none, NULL), DBK_OK);
    assert_int_equal(dbk_cosigned_read(dir, policy, &world.log, &read, NULL),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_log_checkpoint_add(&seen, MADE_COSIGNATURE, NULL), DBK_OK);
    assert_int_equal(dbk_cosigned_write(dir, policy, &world.log, &seen, NULL), DBK_OK);
    assert_int_equal(dbk_cosigned_read(dir, policy, &world.log, &read, NULL), DBK_OK);
    assert_string_equal(read.text, MADE_SIGNED_7 MADE_COSIGNATURE);
    assert_int_equal(read.checkpoint.size, 7);

    assert_int_equal(dbk_skey_parse(dbk_slice(MADE_SKEY), &log, NULL), DBK_OK);
    strcpy(less.origin, MADE_NAME);
    dbk_log_checkpoint_sign(&less, &log, &seen);
    assert_int_equal(dbk_cosigned_write(dir, none, &world.log, &seen, &world.err),
                     DBK_MOVED);

    assert_int_equal(dbk_vkey_parse(dbk_slice(MADE_WITNESS), &other, NULL), DBK_OK);
    strcpy(other.name, "another.example/log");
    other.type = DBK_KEY_LOG;
    assert_int_equal(dbk_cosigned_read(dir, policy, &other, &read, NULL),
                     DBK_NOT_FOUND);
    dbk_policy_destroy(policy);
    dbk_policy_destroy(none);
    snprintf(path, sizeof path, "%s/cosigned", dir);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_the_size_the_proof_and_the_checkpoint),
        cmocka_unit_test(of_200_only_its_own_right_signature_is_taken),
        cmocka_unit_test(a_text_of_the_witness_is_no_checkpoint_of_ours),
        cmocka_unit_test(each_other_answer_is_what_it_says),
        cmocka_unit_test(what_is_known_of_them_is_kept),
        cmocka_unit_test(what_enough_of_them_signed_is_kept_and_never_lessened),
    };

    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
