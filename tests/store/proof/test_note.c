/* Keys, and notes that are signed with them. */
#include "made_key.h"

static void keys_are_written_as_the_vectors_have_them(void **state)
{
    char text[DBK_SKEY_TEXT + 1];
    struct dbk_skey key, witness;
    uint8_t seed[32];

    (void)state;
    for (uint8_t i = 0; i < 32; i++)
        seed[i] = i;
    assert_int_equal(dbk_skey_make(dbk_slice(MADE_NAME), DBK_KEY_LOG, seed, &key, &err),
                     DBK_OK);
    assert_int_equal(dbk_vkey_format(&key.vkey, text), strlen(MADE_VKEY));
    assert_string_equal(text, MADE_VKEY);
    assert_int_equal(dbk_skey_format(&key, text), strlen(MADE_SKEY));
    assert_string_equal(text, MADE_SKEY);
    for (uint8_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)(255 - i);
    assert_int_equal(dbk_skey_make(dbk_slice("witness.example/w1"), DBK_KEY_WITNESS,
                                   seed, &witness, &err),
                     DBK_OK);
    dbk_vkey_format(&witness.vkey, text);
    assert_string_equal(text, MADE_WITNESS);
    key = made_key();
    dbk_skey_format(&key, text);
    assert_string_equal(text, MADE_SKEY);
    dbk_skey_wipe(&key);
    for (size_t i = 0; i < sizeof key; i++)
        assert_int_equal(((const uint8_t *)&key)[i], 0);
}

static void a_key_of_chance_is_another_each_time(void **state)
{
    struct dbk_skey a, b;

    (void)state;
    assert_int_equal(dbk_skey_make(dbk_slice("a"), DBK_KEY_LOG, NULL, &a, &err),
                     DBK_OK);
    assert_int_equal(dbk_skey_make(dbk_slice("a"), DBK_KEY_LOG, NULL, &b, &err),
                     DBK_OK);
    assert_false(dbk_vkey_equal(&a.vkey, &b.vkey));
}

static void what_is_no_key_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum dbk_code code;
    } cases[] = {
        {"", DBK_INVALID},
        {"daybook.example/log", DBK_INVALID},
        {"daybook.example/log+2538d7a3", DBK_INVALID},
        {"daybook.example/log+2538d7a3+", DBK_INVALID},
        {"+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", DBK_INVALID},
        {"daybook.example/lag+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
         DBK_INVALID},
        {"daybook.example/log+2538d7a4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
         DBK_INVALID},
        {"daybook.example/log+2538D7A3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
         DBK_INVALID},
        {"daybook.example/log+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG5",
         DBK_INVALID},
        {"daybook.example/log+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n",
         DBK_INVALID},
        {"daybook.example/log+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVQ==",
         DBK_INVALID},
        {"daybook.example/log+2538d7a3+BgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
         DBK_UNSUPPORTED},
    };
    struct dbk_vkey key;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(dbk_vkey_parse(dbk_slice(cases[i].text), &key, &err),
                         cases[i].code);
}

static void a_name_has_no_spaces_of_any_kind(void **state)
{
    static const char *const wrong[] = {
        "",      "a b",           "a+b",   "a\tb",     "a\xc2\xa0z", "\xe2\x80\x83",
        "a\xff", "a\xe3\x80\x80", "a\x7f", "a\xc2\x85"};
    char longest[DBK_NOTE_NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(dbk_note_name_valid(dbk_slice(wrong[i])));
    memset(longest, 'a', sizeof longest);
    assert_true(dbk_note_name_valid((struct dbk_slice){longest, DBK_NOTE_NAME_MAX}));
    assert_false(
        dbk_note_name_valid((struct dbk_slice){longest, DBK_NOTE_NAME_MAX + 1}));
    assert_true(dbk_note_name_valid(dbk_slice("b\xc3\xbc"
                                              "cher.example/log")));
}

static void a_checkpoint_is_signed_as_the_vectors_have_it(void **state)
{
    struct dbk_skey key = made_key();
    struct dbk_log_checkpoint checkpoint = {.origin = MADE_NAME, .size = 7}, read;
    struct dbk_signed_checkpoint made;
    struct dbk_tree *tree = made_tree(7);

    (void)state;
    assert_int_equal(dbk_tree_root(tree, 7, &checkpoint.root, NULL), DBK_OK);
    dbk_log_checkpoint_sign(&checkpoint, &key, &made);
    assert_string_equal(made.text, MADE_SIGNED_7);
    assert_int_equal(made.length, strlen(MADE_SIGNED_7));
    assert_int_equal(
        dbk_log_checkpoint_open(dbk_slice(made.text), &key.vkey, &read, NULL, &err),
        DBK_OK);
    assert_int_equal(read.size, 7);
    assert_string_equal(read.origin, MADE_NAME);
    assert_true(dbk_hash_equal(&read.root, &checkpoint.root));

    checkpoint.size = 0;
    dbk_hash_empty(&checkpoint.root);
    dbk_log_checkpoint_sign(&checkpoint, &key, &made);
    assert_string_equal(made.text, MADE_NAME
                        "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
                        "\xe2\x80\x94 " MADE_NAME
                        " JTjXo57rRctPoVTX7f9TD9G6rHJ948bwJmmlLG/dGdfyxYkMhVFdzD0t3"
                        "VUL1FFNg0gtE5OXSjtCCDstjMpkjVct3As=\n");
    dbk_tree_destroy(tree);
}

static void a_witness_signs_as_the_vectors_have_it(void **state)
{
    struct dbk_vkey log = vkey_of(MADE_VKEY), witness = vkey_of(MADE_WITNESS);
    struct dbk_note note;
    struct dbk_skey key;
    char line[DBK_NOTE_LINE + 1];
    uint8_t seed[32];
    uint64_t time;

    (void)state;
    for (uint8_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)(255 - i);
    assert_int_equal(dbk_skey_make(dbk_slice("witness.example/w1"), DBK_KEY_WITNESS,
                                   seed, &key, &err),
                     DBK_OK);
    assert_int_equal(dbk_note_sign(dbk_slice(MADE_TEXT_7), &key, 1700000000, line),
                     strlen(MADE_COSIGNATURE));
    assert_string_equal(line, MADE_COSIGNATURE);
    assert_int_equal(
        dbk_note_parse(dbk_slice(MADE_SIGNED_7 MADE_COSIGNATURE), &note, &err), DBK_OK);
    assert_int_equal(note.count, 2);
    assert_int_equal(dbk_note_verify(&note, &log, NULL, &err), DBK_OK);
    assert_int_equal(dbk_note_verify(&note, &witness, &time, &err), DBK_OK);
    assert_int_equal(time, 1700000000);
    assert_int_equal(dbk_note_parse(dbk_slice(MADE_SIGNED_7), &note, &err), DBK_OK);
    assert_int_equal(dbk_note_verify(&note, &witness, &time, &err), DBK_NOT_FOUND);
}

/* Which other verifiers do not take: they would refuse the whole checkpoint for it. */
static void a_time_that_is_none_signs_nothing(void **state)
{
    struct dbk_note note;
    struct dbk_skey key;
    char text[sizeof MADE_SIGNED_7 + DBK_NOTE_LINE];

    (void)state;
    assert_int_equal(dbk_skey_make(dbk_slice("witness.example/w1"), DBK_KEY_WITNESS,
                                   NULL, &key, &err),
                     DBK_OK);
    for (uint64_t more = 0; more < 2; more++) {
        strcpy(text, MADE_SIGNED_7);
        dbk_note_sign(dbk_slice(MADE_TEXT_7), &key, (uint64_t)INT64_MAX + more,
                      text + strlen(text));
        assert_int_equal(dbk_note_parse(dbk_slice(text), &note, &err), DBK_OK);
        assert_int_equal(dbk_note_verify(&note, &key.vkey, NULL, &err),
                         more ? DBK_INVALID : DBK_OK);
    }
}

/* Each byte of a note that is signed counts. */
static void a_note_of_which_a_bit_was_changed_is_not_believed(void **state)
{
    static const char whole[] = MADE_SIGNED_7 MADE_COSIGNATURE;
    struct dbk_vkey log = vkey_of(MADE_VKEY), witness = vkey_of(MADE_WITNESS);
    struct dbk_log_checkpoint read;
    struct dbk_note note;
    char text[sizeof whole];

    (void)state;
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        struct dbk_slice bytes = {text, sizeof whole - 1};

        memcpy(text, whole, sizeof whole);
        text[i] ^= 1;
        if (dbk_log_checkpoint_open(bytes, &log, &read, &note, &err) == DBK_OK)
            assert_int_not_equal(dbk_note_verify(&note, &witness, NULL, &err), DBK_OK);
    }
}

static void what_is_no_note_is_refused(void **state)
{
#define SIGNATURE "\xe2\x80\x94 a " /* a name, and what follows */
    static const char *const wrong[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n" SIGNATURE "AAAAAAA=\n",
        "text\n\n" SIGNATURE "AAAAAAA=",
        "text\n\n" SIGNATURE "AAAAAAA=\n ",
        "text\n\n" SIGNATURE "AAAAAA==\n",  /* no byte behind the id */
        "text\n\n" SIGNATURE "AAAAAAB=\n",  /* bits left over */
        "text\n\n" SIGNATURE "AAAAAAA\n",   /* no padding */
        "text\n\n" SIGNATURE " AAAAAAA=\n", /* two spaces */
        "text\n\n" SIGNATURE "AAAAAAA= \n",
        "text\n\n" SIGNATURE "AAA-AAA=\n", /* the other alphabet */
        "text\n\n" SIGNATURE "\n",
        "text\n\n- a AAAAAAA=\n",
        "text\n\n\xe2\x80\x94  AAAAAAA=\n", /* no name */
        "text\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
        "te\rxt\n\n" SIGNATURE "AAAAAAA=\n",
        "te\xffxt\n\n" SIGNATURE "AAAAAAA=\n",
        "text\n\n" SIGNATURE "AAAAAAA=\nmore\n",
    };
    static const char right[] = "a\n\ntext\n\n" SIGNATURE "AAAAAAA=\n";
    struct dbk_note note;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dbk_note_parse(dbk_slice(wrong[i]), &note, &err), DBK_INVALID);
    assert_int_equal(dbk_note_parse(dbk_slice(right), &note, &err), DBK_OK);
    assert_true(dbk_slice_equal(note.text, dbk_slice("a\n\ntext\n")));
    assert_int_equal(
        dbk_note_parse((struct dbk_slice){right, sizeof right}, &note, &err),
        DBK_INVALID); /* a NUL */
}

/* Post-quantum ones, and those of witnesses that nobody knows here. */
static void signatures_of_other_kinds_are_carried_along(void **state)
{
    size_t size = sizeof MADE_SIGNED_7 + 8000;
    char *text = malloc(size);
    struct dbk_vkey log = vkey_of(MADE_VKEY);
    struct dbk_log_checkpoint read;
    struct dbk_note note;
    int used = snprintf(text, size, "%s" SIGNATURE, MADE_SIGNED_7);

    (void)state;
    memset(text + used, 'A', 6400);
    strcpy(text + used + 6400, "\n");
    assert_int_equal(dbk_log_checkpoint_open(dbk_slice(text), &log, &read, &note, &err),
                     DBK_OK);
    assert_int_equal(note.count, 2);
    assert_int_equal(note.signatures[1].length, 4796);
    free(text);
}

static void a_note_has_no_end_of_signatures_but_a_hundred(void **state)
{
    char text[64 + 20 * (DBK_NOTE_SIGNATURES_MAX + 1)] = "text\n\n";
    struct dbk_note note;

    (void)state;
    for (size_t i = 0; i < DBK_NOTE_SIGNATURES_MAX; i++)
        strcat(text, SIGNATURE "AAAAAAA=\n");
    assert_int_equal(dbk_note_parse(dbk_slice(text), &note, &err), DBK_OK);
    assert_int_equal(note.count, DBK_NOTE_SIGNATURES_MAX);
    strcat(text, SIGNATURE "AAAAAAA=\n");
    assert_int_equal(dbk_note_parse(dbk_slice(text), &note, &err), DBK_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_written_as_the_vectors_have_them),
        cmocka_unit_test(a_key_of_chance_is_another_each_time),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(a_name_has_no_spaces_of_any_kind),
        cmocka_unit_test(a_checkpoint_is_signed_as_the_vectors_have_it),
        cmocka_unit_test(a_witness_signs_as_the_vectors_have_it),
        cmocka_unit_test(a_time_that_is_none_signs_nothing),
        cmocka_unit_test(a_note_of_which_a_bit_was_changed_is_not_believed),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(signatures_of_other_kinds_are_carried_along),
        cmocka_unit_test(a_note_has_no_end_of_signatures_but_a_hundred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
