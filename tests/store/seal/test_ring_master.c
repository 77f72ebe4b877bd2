/* A master key that is not the right one, or not its owner's alone: told in a sentence that
 * says what to do. */
#include "scratch_ring.h"

static void a_lost_master_key_is_told(void **state)
{
    struct ring *r = *state;

    unlink(in_ring(r, "master"));
    assert_told(r, open_again(r), DBK_NOT_FOUND, "there is no master key");
}

static void another_master_key_is_told_from_damage(void **state)
{
    struct ring *r = *state;
    char other[65];

    memset(other, 'a', 64);
    other[64] = '\n';
    write_file(r, "master", other, 65);
    assert_told(r, open_again(r), DBK_CONFLICT, "put the right one there");
}

static void a_file_that_is_no_master_key_is_told(void **state)
{
    static const char *const texts[] = {
        "", "secret\n",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n"};
    struct ring *r = *state;
    char long_one[400];

    for (size_t i = 0; i < 3; i++) {
        write_file(r, "master", texts[i], strlen(texts[i]));
        assert_told(r, open_again(r), DBK_INVALID, "64 hexadecimal digits or 32 bytes");
    }
    memset(long_one, 'a', sizeof long_one);
    write_file(r, "master", long_one, sizeof long_one);
    assert_told(r, open_again(r), DBK_INVALID, "or more");
}

static void a_master_key_that_others_may_read_is_refused(void **state)
{
    struct ring *r = *state;

    assert_int_equal(chmod(in_ring(r, "master"), 0640), 0);
    assert_told(r, open_again(r), DBK_IO, "chmod 600");
}

static void a_master_key_elsewhere_may_be_its_groups(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_options options = {.master = in_ring(r, "../elsewhere")};

    close_keys(r);
    copy_file(r, "master", "../elsewhere");
    assert_int_equal(chmod(options.master, 0440), 0);
    unlink(in_ring(r, "master"));
    assert_int_equal(dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_OK);
    close_keys(r);
    assert_int_equal(chmod(options.master, 0644), 0);
    assert_told(r, dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_IO,
                "mode 644");
}

static void a_master_key_of_another_user_is_refused(void **state)
{
    struct ring *r = *state;

    if (geteuid() != 0) {
        print_message("needs root: skipped\n");
        skip();
    }
    assert_int_equal(chown(in_ring(r, "master"), 4711, 0), 0);
    assert_told(r, open_again(r), DBK_IO, "is of user 4711");
}

static void a_master_key_may_be_bytes(void **state)
{
    struct ring *r = *state;
    const struct dbk_keys_options options = {.master = in_ring(r, "../bytes")};
    struct dbk_keys *keys;
    char bytes[DBK_KEY_BYTES];

    memset(bytes, 7, sizeof bytes);
    write_file(r, "../bytes", bytes, sizeof bytes);
    close_keys(r);
    snprintf(r->dir, sizeof r->dir, "%s/other", r->root);
    assert_int_equal(dbk_keys_make(r->dir, &options, &r->err), DBK_OK);
    assert_int_not_equal(access(in_ring(r, "master"), F_OK), 0);
    assert_int_equal(dbk_keys_open(r->dir, &options, &keys, &r->err), DBK_OK);
    dbk_keys_close(keys);
}

static void a_master_key_is_looked_for_in_order(void **state)
{
    struct ring *r = *state;
    char path[DBK_KEYS_PATH];

    assert_int_equal(dbk_keys_master("/a", r->root, r->dir, path, &r->err), DBK_OK);
    assert_string_equal(path, "/a");
    assert_int_equal(dbk_keys_master("", r->root, r->dir, path, &r->err), DBK_OK);
    assert_string_equal(path, "");
    write_file(r, "../master_key", "", 0);
    assert_int_equal(dbk_keys_master(NULL, r->root, r->dir, path, &r->err), DBK_OK);
    assert_true(strstr(path, "/master_key") && !strncmp(path, r->root, 5));
    assert_int_equal(dbk_keys_master(NULL, NULL, r->dir, path, &r->err), DBK_OK);
    assert_string_equal(path, "");
}

/* A file where their directory should be stands for one that may not be entered: so it is for
 * root, too. */
static void credentials_that_cannot_be_looked_at_are_not_passed_over(void **state)
{
    struct ring *r = *state;
    char closed[1024], path[DBK_KEYS_PATH];
    const struct dbk_keys_options options = {.master = path};

    write_file(r, "../closed", "", 0);
    snprintf(closed, sizeof closed, "%s/closed", r->root);
    assert_int_equal(dbk_keys_master(NULL, closed, r->dir, path, &r->err), DBK_OK);
    assert_string_equal(path, ""); /* the ring's own is there, so they are others' */

    close_keys(r);
    snprintf(r->dir, sizeof r->dir, "%s/other", r->root);
    assert_int_equal(dbk_keys_master(NULL, closed, r->dir, path, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_make(r->dir, &options, &r->err), DBK_IO);
    assert_non_null(strstr(r->err.text, "closed/master_key"));
    assert_int_not_equal(access(in_ring(r, "master"), F_OK), 0);
}

enum { NOBODY = 65534 };

static void be_nobody(const struct ring *r)
{
    char command[128];

    if (geteuid() != 0)
        return;
    snprintf(command, sizeof command, "chown -R %d %s", NOBODY, r->root);
    assert_int_equal(system(command), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

static void be_root_again(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

/* As systemd hands it over; the next one beside it, until the operator moves it. */
static void
a_master_key_that_cannot_be_written_is_the_operators_to_replace(void **state)
{
    struct ring *r = *state;
    const struct dbk_keys_options options = {.master = in_ring(r, "../handed")};
    const uint64_t number = 5;
    struct dbk_keys_rotation rotation;
    struct dbk_keys_state is;
    char text[65];

    copy_file(r, "master", "../handed");
    unlink(in_ring(r, "master"));
    close_keys(r);
    be_nobody(r); /* root may write everywhere */
    assert_int_equal(chmod(options.master, 0400), 0);
    memset(text, 'b', 64);
    text[64] = '\n';
    write_file(r, "../handed.new", text, sizeof text);
    assert_int_equal(dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 77, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_false(rotation.done);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.erased_through == 77 && is.rotated_through == 0);
    assert_non_null(strstr(rotation.next, "handed.new"));
    close_keys(r);
    assert_int_equal(dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_OK);
    assert_told(r, dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_EXISTS,
                "in the place of");
    be_root_again();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ring_setup, ring_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_lost_master_key_is_told),
        TEST(another_master_key_is_told_from_damage),
        TEST(a_file_that_is_no_master_key_is_told),
        TEST(a_master_key_that_others_may_read_is_refused),
        TEST(a_master_key_elsewhere_may_be_its_groups),
        TEST(a_master_key_of_another_user_is_refused),
        TEST(a_master_key_may_be_bytes),
        TEST(a_master_key_is_looked_for_in_order),
        TEST(credentials_that_cannot_be_looked_at_are_not_passed_over),
        TEST(a_master_key_that_cannot_be_written_is_the_operators_to_replace),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
