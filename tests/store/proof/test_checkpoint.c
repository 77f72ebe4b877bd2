/* Checkpoints, proofs and tiles, as they are written. */
#include "made_key.h"

static void a_checkpoint_of_another_log_or_key_is_told_apart(void **state)
{
    struct dbk_vkey other = vkey_of(MADE_VKEY);
    struct dbk_skey same_name;
    struct dbk_log_checkpoint read;

    (void)state;
    strcpy(other.name, "another.example/log");
    assert_int_equal(
        dbk_log_checkpoint_open(dbk_slice(MADE_SIGNED_7), &other, &read, NULL, &err),
        DBK_CONFLICT);
    assert_int_equal(
        dbk_skey_make(dbk_slice(MADE_NAME), DBK_KEY_LOG, NULL, &same_name, &err),
        DBK_OK);
    assert_int_equal(dbk_log_checkpoint_open(dbk_slice(MADE_SIGNED_7), &same_name.vkey,
                                             &read, NULL, &err),
                     DBK_NOT_FOUND);
}

static void what_is_no_checkpoint_is_refused(void **state)
{
#define ROOT "KNCbjxESg9T/TS67XTg60t39j8jUeb5YAv73P+R6uRA="
    static const struct {
        const char *text;
        enum dbk_code code;
    } cases[] = {
        {"a\n7\n" ROOT "\n", DBK_OK},
        {"a\n9223372036854775807\n" ROOT "\n", DBK_OK},
        {"a\n9223372036854775808\n" ROOT "\n", DBK_INVALID},
        {"a\n18446744073709551623\n" ROOT "\n", DBK_INVALID},
        {"a\n07\n" ROOT "\n", DBK_INVALID},
        {"a\n+7\n" ROOT "\n", DBK_INVALID},
        {"a\n\n" ROOT "\n", DBK_INVALID},
        {"a\n7\n" ROOT, DBK_INVALID},
        {"a\n7\n" ROOT "\nmore\n", DBK_UNSUPPORTED},
        {"a b\n7\n" ROOT "\n", DBK_INVALID},
        {"\n7\n" ROOT "\n", DBK_INVALID},
        {"a\n7\nKNCbjxESg9T/TS67XTg60t39j8jUeb5YAv73P+R6uRB=\n", DBK_INVALID},
        {"a\n7\nKNCbjxESg9T/TS67XTg60t39j8jUeb5YAv73P+R6uQ==\n", DBK_INVALID},
        {"a\n0\n" ROOT "\n", DBK_INVALID},
        {"a\n7\nKNCbjxESg9T/TS\xed"
         "7XTg60t39j8jUeb5YAv73P+R6uRA=\n",
         DBK_INVALID},
    };
    struct dbk_log_checkpoint read;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            dbk_log_checkpoint_parse(dbk_slice(cases[i].text), &read, &err),
            cases[i].code);
}

#define PROOF_5                                                                        \
    "c2sp.org/tlog-proof@v1\nindex 5\n"                                                \
    "H1ZHsjH+mSMLUK2mqj+cp7/63nv50ELpNFUP/i0sapQ=\n"                                   \
    "1BJxoMT+rgx4RgEAORikKp/NJwfa0NY8P4naElYpJSg=\n"                                   \
    "XRfzTj5kygto3HRYcBSrlhMXjE4XI9PIps+xaYoIeuU=\n\n" MADE_SIGNED_7 MADE_COSIGNATURE

static void a_proof_is_written_as_the_vectors_have_it(void **state)
{
    struct dbk_log_proof proof = {
        .index = 5, .checkpoint = dbk_slice(MADE_SIGNED_7 MADE_COSIGNATURE)};
    struct dbk_tree *tree = made_tree(7);
    struct dbk_vkey log = vkey_of(MADE_VKEY);
    struct dbk_log_checkpoint checkpoint;
    char *text = malloc(DBK_LOG_PROOF_TEXT + 1);
    struct dbk_hash entry;

    (void)state;
    assert_int_equal(dbk_tree_inclusion(tree, 5, 7, &proof.path, NULL), DBK_OK);
    assert_int_equal(dbk_log_proof_format(&proof, text), strlen(PROOF_5));
    assert_string_equal(text, PROOF_5);
    assert_int_equal(dbk_log_proof_parse(dbk_slice(PROOF_5), &proof, &err), DBK_OK);
    assert_int_equal(
        dbk_log_checkpoint_open(proof.checkpoint, &log, &checkpoint, NULL, &err),
        DBK_OK);
    made_entry(5, &entry);
    assert_true(dbk_proof_includes(&proof.path, &entry, proof.index, checkpoint.size,
                                   &checkpoint.root));
    dbk_tree_destroy(tree);
    free(text);
}

static void what_is_no_proof_is_refused(void **state)
{
#define FIRST "c2sp.org/tlog-proof@v1\n"
#define HASH "XRfzTj5kygto3HRYcBSrlhMXjE4XI9PIps+xaYoIeuU=\n"
    static const char *const wrong[] = {
        "",
        FIRST,
        FIRST "index 5\n" HASH,
        FIRST "index 5\n" HASH "\n",
        FIRST "index 05\n" HASH "\nx",
        FIRST "index -5\n" HASH "\nx",
        FIRST "extra \nindex 5\n" HASH "\nx",
        FIRST "extra AA\nindex 5\n" HASH "\nx",
        FIRST "index 5\nextra AA==\n" HASH "\nx",
        FIRST "index 5\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v2\nindex 5\n" HASH "\nx",
        "index 5\n" HASH "\nx",
    };
    struct dbk_log_proof proof;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dbk_log_proof_parse(dbk_slice(wrong[i]), &proof, &err),
                         DBK_INVALID);
    assert_int_equal(
        dbk_log_proof_parse(dbk_slice(FIRST "extra AA==\nindex 0\n\nx"), &proof, &err),
        DBK_OK);
    assert_true(dbk_slice_equal(proof.extra, dbk_slice("AA==")));
    assert_int_equal(proof.path.count, 0);
}

static void a_tile_has_one_path(void **state)
{
    static const struct {
        struct dbk_tile tile;
        const char *path;
    } right[] = {
        {{false, 0, 5, 256}, "tile/0/005"},
        {{false, 0, 273, 112}, "tile/0/273.p/112"},
        {{false, 0, 999, 256}, "tile/0/999"},
        {{false, 0, 1000, 256}, "tile/0/x001/000"},
        {{false, 0, 1234067, 256}, "tile/0/x001/x234/067"},
        {{false, 63, 0, 1}, "tile/63/000.p/1"},
        {{true, 0, 1234067, 255}, "tile/entries/x001/x234/067.p/255"},
        {{false, 1, UINT64_C(17999999999999999999), 256},
         "tile/1/x017/x999/x999/x999/x999/x999/999"},
    };
    static const char *const wrong[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/00/005",
        "tile/64/005",
        "tile/-1/005",
        "tile/0/5",
        "tile/0/0005",
        "tile/0/005/",
        "tile/0/005.p",
        "tile/0/005.p/",
        "tile/0/005.p/0",
        "tile/0/005.p/01",
        "tile/0/005.p/256",
        "tile/0/005.p/1/",
        "tile/0/x000/005",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/X001/000",
        "tile/0/x001//000",
        "/tile/0/005",
        "tile/entries/5",
        "tile/entries/0/005",
        "tile/data/005",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    };
    char path[DBK_TILE_PATH + 1];
    struct dbk_tile tile;

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_int_equal(dbk_tile_format(&right[i].tile, path), strlen(right[i].path));
        assert_string_equal(path, right[i].path);
        assert_true(dbk_tile_parse(dbk_slice(path), &tile));
        assert_int_equal(tile.entries, right[i].tile.entries);
        assert_int_equal(tile.level, right[i].tile.level);
        assert_int_equal(tile.n, right[i].tile.n);
        assert_int_equal(tile.width, right[i].tile.width);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (dbk_tile_parse(dbk_slice(wrong[i]), &tile))
            fail_msg("%s", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_of_another_log_or_key_is_told_apart),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(a_proof_is_written_as_the_vectors_have_it),
        cmocka_unit_test(what_is_no_proof_is_refused),
        cmocka_unit_test(a_tile_has_one_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
