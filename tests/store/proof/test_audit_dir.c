/* Who signs: the name, the keys, and what was signed last, as the audit directory has them. */
#include "notary_world.h"

#include <sys/stat.h>

static void another_name_begins_and_keeps_the_evidence(void **state)
{
    struct world *w = *state;
    struct dbk_skey key;
    struct dbk_vkey keys[4];
    size_t found, kept = 0;
    DIR *folder;
    bool made;

    fill(&w->s, &w->person, 10);
    start(w, "a.example/log");
    await_signed(w);
    stop_notary(w);
    start(w, "b.example/log");
    assert_non_null(
        strstr(await_code(w, DBK_CONFLICT).why, "this log is known as a.example/log"));
    stop_notary(w);
    assert_int_equal(
        dbk_audit_init(w->audit, "b.example/log", true, &key, &made, &w->s.err),
        DBK_OK);
    assert_true(made);
    assert_string_equal(key.vkey.name, "b.example/log");
    assert_int_equal(dbk_audit_keys(w->audit, keys, 4, &found, &w->s.err), DBK_OK);
    assert_int_equal(found, 2);
    assert_string_equal(keys[0].name, "a.example/log");
    assert_true(dbk_vkey_equal(&keys[1], &key.vkey));
    folder = opendir(w->audit);
    for (struct dirent *at; (at = readdir(folder));)
        kept += strncmp(at->d_name, "last.", 5) == 0;
    closedir(folder);
    assert_int_equal(kept, 1);
    start(w, NULL);
    await_signed(w);
    assert_string_equal(w->shown.checkpoint.origin, "b.example/log");
}

static void a_name_that_was_made_up_gives_way_to_one_that_is_given(void **state)
{
    struct world *w = *state;

    start(w, "");
    await_signed(w);
    assert_int_equal(strlen(w->shown.checkpoint.origin),
                     strlen("daybook.internal/") + 16);
    stop_notary(w);
    start(w, "a.example/log");
    await_signed(w);
    assert_string_equal(w->shown.checkpoint.origin, "a.example/log");
}

static void without_what_was_signed_last_nothing_is_until_it_is_trusted(void **state)
{
    struct world *w = *state;
    struct dbk_vkey vkey;

    start(w, "a.example/log");
    await_signed(w);
    stop_notary(w);
    assert_int_equal(dbk_audit_trust(w->audit, &vkey, &w->s.err), DBK_CONFLICT);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(unlink(path(w, "last")), 0);
        else
            assert_int_equal(truncate(path(w, "last"), 30), 0);
        start(w, "a.example/log");
        assert_non_null(strstr(await_code(w, i == 0 ? DBK_NOT_FOUND : DBK_DAMAGED).why,
                               "daybook audit trust-log"));
        stop_notary(w);
        assert_int_equal(dbk_audit_trust(w->audit, &vkey, &w->s.err), DBK_OK);
        start(w, "a.example/log");
        await_signed(w);
        stop_notary(w);
    }
}

static void what_the_former_key_signed_last_is_not_to_be_trusted_anew(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint last;
    struct dbk_vkey former, made, vkey;

    start(w, "a.example/log");
    await_signed(w);
    assert_int_equal(dbk_notary_vkey(w->notary, &former, &w->s.err), DBK_OK);
    stop_notary(w);
    assert_int_equal(dbk_audit_rotate(w->audit, &made, &w->s.err), DBK_OK);
    assert_int_equal(dbk_audit_trust(w->audit, &vkey, &w->s.err), DBK_CONFLICT);
    assert_int_equal(dbk_audit_last(w->audit, &former, &last, &w->s.err), DBK_OK);
    assert_string_equal(last.text, w->shown.text);
}

static void a_key_that_is_lost_or_damaged_is_not_replaced_unasked(void **state)
{
    struct world *w = *state;
    bool made;

    start(w, NULL);
    await_signed(w);
    stop_notary(w);
    assert_int_equal(unlink(path(w, "key")), 0);
    start(w, NULL);
    await_code(w, DBK_NOT_FOUND);
    stop_notary(w);
    copy_file(path(w, "keys.pub"), w->older);
    copy_file(w->older, path(w, "key"));
    start(w, NULL);
    await_code(w, DBK_DAMAGED);
    stop_notary(w);
    assert_int_equal(dbk_audit_init(w->audit, NULL, true, NULL, &made, &w->s.err),
                     DBK_OK);
    start(w, NULL);
    await_signed(w);
}

static void a_key_that_others_may_read_signs_nothing(void **state)
{
    struct world *w = *state;
    struct dbk_notary_state refused;

    assert_int_equal(
        dbk_audit_init(w->audit, "a.example/log", false, NULL, NULL, &w->s.err),
        DBK_OK);
    assert_int_equal(chmod(path(w, "key"), 0640), 0);
    start(w, "a.example/log");
    refused = await_code(w, DBK_IO);
    assert_non_null(strstr(refused.why, "is open to others than its owner (mode 640)"));
    assert_int_equal(chmod(path(w, "key"), 0600), 0);
    await_signed(w);
}

/* Killed between the two, at the first start. */
static void a_directory_that_is_half_made_is_made_whole(void **state)
{
    struct world *w = *state;
    bool made;

    assert_int_equal(dbk_audit_init(w->audit, NULL, false, NULL, &made, &w->s.err),
                     DBK_OK);
    assert_int_equal(unlink(path(w, "key")), 0);
    start(w, NULL);
    await_signed(w);
}

static void a_name_that_is_none_is_refused(void **state)
{
    struct world *w = *state;

    start(w, "with space");
    await_code(w, DBK_INVALID);
}

/* One of the log's own, signed. */
static void sign_as(struct world *w, const char *name)
{
    assert_int_equal(dbk_audit_init(w->audit, name, true, NULL, NULL, &w->s.err),
                     DBK_OK);
    start(w, NULL);
    await_signed(w);
    stop_notary(w);
    assert_string_equal(w->shown.checkpoint.origin, name);
}

/* Whether what this name signed last is there, whichever file has it. */
static bool has_evidence(struct world *w, const char *name)
{
    DIR *folder = opendir(w->audit);
    char text[300];
    bool there = false;

    for (struct dirent *at; !there && (at = readdir(folder));) {
        FILE *file =
            strncmp(at->d_name, "last", 4) ? NULL : fopen(path(w, at->d_name), "re");

        there = file && fgets(text, sizeof text, file) &&
                !strncmp(text, name, strlen(name));
        if (file)
            fclose(file);
    }
    closedir(folder);
    return there;
}

static void evidence_takes_no_place_of_other_evidence_of_the_same_second(void **state)
{
    static const char *const names[] = {"a.example/log", "b.example/log",
                                        "c.example/log", "d.example/log"};
    struct world *w = *state;

    for (size_t i = 0; i < 4; i++)
        sign_as(w, names[i]);
    for (size_t i = 0; i < 4; i++)
        assert_true(has_evidence(w, names[i]));
}

/* What it signed would be contradicted where the log was put back in between. */
static void a_name_that_signed_is_not_begun_again(void **state)
{
    struct world *w = *state;

    sign_as(w, "a.example/log");
    sign_as(w, "b.example/log");
    assert_int_equal(
        dbk_audit_init(w->audit, "a.example/log", true, NULL, NULL, &w->s.err),
        DBK_CONFLICT);
    assert_non_null(strstr(w->s.err.text, "a.example/log signed here before"));
    assert_int_equal(unlink(path(w, "key")), 0); /* nor is one whose key is lost */
    assert_int_equal(
        dbk_audit_init(w->audit, "b.example/log", true, NULL, NULL, &w->s.err),
        DBK_CONFLICT);
    sign_as(w, "c.example/log");
}

/* Killed after its line and `last`, and before the key: it is begun again. */
static void a_name_that_signed_nothing_is_begun_again(void **state)
{
    struct world *w = *state;

    sign_as(w, "a.example/log");
    copy_file(path(w, "key"), w->older);
    assert_int_equal(
        dbk_audit_init(w->audit, "b.example/log", true, NULL, NULL, &w->s.err), DBK_OK);
    copy_file(w->older, path(w, "key"));
    start(w, NULL);
    assert_non_null(strstr(await_code(w, DBK_CONFLICT).why, "put the right one back"));
    stop_notary(w);
    sign_as(w, "b.example/log");
    assert_true(has_evidence(w, "a.example/log"));
}

static void keys_that_were_lost_are_noted_again(void **state)
{
    struct world *w = *state;
    struct dbk_audit_signers signers;
    struct dbk_vkey made, keys[4];
    size_t found;

    sign_as(w, "a.example/log");
    assert_int_equal(dbk_audit_rotate(w->audit, &made, &w->s.err), DBK_OK);
    assert_int_equal(unlink(path(w, "keys.pub")), 0);
    start(w, NULL);
    await_signed(w);
    stop_notary(w);
    assert_int_equal(dbk_audit_signers(w->audit, &signers, &w->s.err), DBK_OK);
    assert_int_equal(dbk_audit_keys(w->audit, keys, 4, &found, &w->s.err), DBK_OK);
    assert_int_equal(found, 2);
    assert_true(dbk_vkey_equal(&keys[0], &signers.keys[1].vkey));
    assert_true(dbk_vkey_equal(&keys[1], &signers.keys[0].vkey));
    dbk_audit_signers_wipe(&signers);
    copy_file(path(w, "last"), w->older);
    copy_file(w->older, path(w, "keys.pub")); /* damaged: it is not what signs */
    fill(&w->s, &w->person, 1);
    start(w, NULL);
    await_signed(w);
}

/* Nor is it advised to trust the log: that would sign another's name under it. */
static void the_key_of_another_log_signs_nothing(void **state)
{
    struct world *w = *state;
    struct dbk_vkey vkey;

    sign_as(w, "other.example/log");
    copy_file(path(w, "key"), w->older);
    sign_as(w, "a.example/log");
    copy_file(w->older, path(w, "key"));
    assert_int_equal(unlink(path(w, "keys.pub")), 0);
    start(w, NULL);
    assert_non_null(strstr(await_code(w, DBK_CONFLICT).why, "put the right one back"));
    assert_null(strstr(w->told, "trust-log"));
    assert_int_equal(access(path(w, "keys.pub"), F_OK), -1); /* nor is it noted */
    stop_notary(w);
    assert_int_equal(dbk_audit_trust(w->audit, &vkey, &w->s.err), DBK_CONFLICT);
    assert_true(has_evidence(w, "a.example/log"));
}

/* Nor is the former one, where another of the same name has taken over for good. */
static void an_older_key_of_the_same_name_signs_nothing(void **state)
{
    struct world *w = *state;
    struct dbk_vkey vkey;

    sign_as(w, "a.example/log");
    copy_file(path(w, "key"), w->older);
    assert_int_equal(dbk_audit_rotate(w->audit, &vkey, &w->s.err), DBK_OK);
    start(w, NULL);
    await_signed(w);
    stop_notary(w);
    assert_int_equal(dbk_audit_rotate_end(w->audit, &vkey, &w->s.err), DBK_OK);
    fill(&w->s, &w->person, 1); /* signed by the new key alone */
    start(w, NULL);
    await_signed(w);
    stop_notary(w);
    copy_file(w->older, path(w, "key"));
    start(w, NULL);
    await_code(w, DBK_CONFLICT);
    stop_notary(w);
    assert_int_equal(dbk_audit_trust(w->audit, &vkey, &w->s.err), DBK_CONFLICT);
}

/* A pipe would be waited for, and nothing said. */
static void what_is_no_file_is_told_and_not_waited_for(void **state)
{
    static const char *const names[] = {"key", "last", "keys.pub"};
    struct world *w = *state;

    sign_as(w, "a.example/log");
    for (size_t i = 0; i < 3; i++) {
        copy_file(path(w, names[i]), w->older);
        assert_int_equal(unlink(path(w, names[i])), 0);
        assert_int_equal(mkfifo(path(w, names[i]), 0600), 0);
        start(w, NULL);
        assert_non_null(strstr(await_code(w, DBK_IO).why, "is no file"));
        stop_notary(w);
        assert_int_equal(unlink(path(w, names[i])), 0);
        copy_file(w->older, path(w, names[i]));
    }
    unlink(path(w, "tree"));
    assert_int_equal(mkfifo(path(w, "tree"), 0600), 0); /* it is made again */
    start(w, NULL);
    await_signed(w);
}

static void *rotate(void *argument)
{
    struct world *w = argument;
    struct dbk_vkey made;

    return (void *)(uintptr_t)(dbk_audit_rotate(w->audit, &made, NULL) == DBK_OK);
}

/* Of two at once one is told of a key, which signs. */
static void two_that_rotate_at_once_make_one_key(void **state)
{
    enum { AT_ONCE = 8 };
    struct world *w = *state;
    pthread_t threads[AT_ONCE];
    struct dbk_vkey keys[AT_ONCE + 1];
    size_t found, told = 0;
    void *made;

    sign_as(w, "a.example/log");
    for (size_t i = 0; i < AT_ONCE; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rotate, w), 0);
    for (size_t i = 0; i < AT_ONCE; i++) {
        assert_int_equal(pthread_join(threads[i], &made), 0);
        told += made != NULL;
    }
    assert_int_equal(told, 1);
    assert_int_equal(dbk_audit_keys(w->audit, keys, AT_ONCE + 1, &found, &w->s.err),
                     DBK_OK);
    assert_int_equal(found, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(another_name_begins_and_keeps_the_evidence),
        TEST(a_name_that_was_made_up_gives_way_to_one_that_is_given),
        TEST(without_what_was_signed_last_nothing_is_until_it_is_trusted),
        TEST(what_the_former_key_signed_last_is_not_to_be_trusted_anew),
        TEST(a_key_that_is_lost_or_damaged_is_not_replaced_unasked),
        TEST(a_key_that_others_may_read_signs_nothing),
        TEST(a_directory_that_is_half_made_is_made_whole),
        TEST(a_name_that_is_none_is_refused),
        TEST(evidence_takes_no_place_of_other_evidence_of_the_same_second),
        TEST(a_name_that_signed_is_not_begun_again),
        TEST(a_name_that_signed_nothing_is_begun_again),
        TEST(keys_that_were_lost_are_noted_again),
        TEST(the_key_of_another_log_signs_nothing),
        TEST(an_older_key_of_the_same_name_signs_nothing),
        TEST(what_is_no_file_is_told_and_not_waited_for),
        TEST(two_that_rotate_at_once_make_one_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
