#include "scratch_log.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

/* How often the store has synced a directory; what it is told: 0, or an errno. */
static int synced, sync_error;

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    struct stat st;

    synced += fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    errno = sync_error;
    return sync_error ? -1 : 0;
}

static int make_dir(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);

    strcpy(s->dir, "/tmp/daybook-store-XXXXXX");
    synced = sync_error = 0;
    *state = s;
    return mkdtemp(s->dir) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, scratch_teardown)

static enum dbk_code try_open(struct scratch *s, bool must_exist)
{
    struct dbk_log_options options = {.must_exist = must_exist,
                                      .map_size = (size_t)1 << 30};

    return dbk_log_open(s->dir, &options, &s->log, &s->err);
}

static void assert_says(const struct scratch *s, const char *part)
{
    if (!strstr(s->err.text, part))
        fail_msg("\"%s\" does not say \"%s\"", s->err.text, part);
}

static void path_in(const struct scratch *s, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", s->dir, name);
}

static void write_file(const struct scratch *s, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    path_in(s, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_missing_log_is_made_only_when_asked(void **state)
{
    struct scratch *s = *state;

    assert_int_equal(try_open(s, true), DBK_NOT_FOUND);
    assert_null(s->log);
    assert_int_equal(try_open(s, false), DBK_OK);
}

static void the_name_of_a_log_is_synced(void **state)
{
    struct scratch *s = *state;

    assert_int_equal(try_open(s, false), DBK_OK);
    assert_int_equal(synced, 2); /* its directory, and the one that holds it */
}

static void a_log_whose_name_may_be_lost_is_not_opened(void **state)
{
    struct scratch *s = *state;

    sync_error = EIO;
    assert_int_equal(try_open(s, false), DBK_IO);
    assert_says(s, "sync");
}

static void other_peoples_files_are_refused(void **state)
{
    struct scratch *s = *state;
    char path[128];

    write_file(s, "thesis.tex", "x");
    assert_int_equal(try_open(s, false), DBK_UNSUPPORTED);
    assert_says(s, "thesis.tex");
    path_in(s, "thesis.tex", path);
    unlink(path);
}

static void a_file_that_is_not_lmdbs_is_refused(void **state)
{
    struct scratch *s = *state;
    char text[9000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    write_file(s, "data.mdb", text);
    assert_int_equal(try_open(s, false), DBK_DAMAGED);
    assert_says(s, s->dir);
}

/* Change the meta database by plain LMDB. */
static void put_meta(const struct scratch *s, const char *database, const char *name,
                     uint32_t number)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value = {sizeof number, &number};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, database, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void an_lmdb_file_of_another_program_is_refused(void **state)
{
    struct scratch *s = *state;

    put_meta(s, "cookies", "a", 1);
    assert_int_equal(try_open(s, false), DBK_UNSUPPORTED);
    assert_says(s, "not a log of ours");
}

static void a_newer_format_is_refused_by_name(void **state)
{
    struct scratch *s = *state;

    scratch_open(s);
    dbk_log_close(s->log);
    s->log = NULL;
    put_meta(s, "meta", "format", 2);
    assert_int_equal(try_open(s, false), DBK_UNSUPPORTED);
    assert_says(s, "newer daybook");
}

static void a_file_cut_off_is_refused_not_read(void **state)
{
    struct scratch *s = *state;
    char email[32], path[128];
    struct stat st;

    scratch_open(s);
    for (int i = 0; i < 500; i++) {
        snprintf(email, sizeof email, "p%d@x.mock", i);
        add_person(s, email);
    }
    dbk_log_close(s->log);
    s->log = NULL;
    path_in(s, "data.mdb", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    assert_int_equal(try_open(s, false), DBK_DAMAGED);
    assert_says(s, "cut off");
}

static void the_store_id_stays(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid before, after;

    scratch_open(s);
    before = dbk_log_store_id(s->log);
    scratch_reopen(s);
    after = dbk_log_store_id(s->log);
    assert_true(dbk_uuid_equal(&before, &after));
}

static void files_are_for_their_owner_only(void **state)
{
    struct scratch *s = *state;
    char path[128];
    struct stat st;

    scratch_open(s);
    path_in(s, "data.mdb", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_log_is_made_only_when_asked),
        TEST(the_name_of_a_log_is_synced),
        TEST(a_log_whose_name_may_be_lost_is_not_opened),
        TEST(other_peoples_files_are_refused),
        TEST(a_file_that_is_not_lmdbs_is_refused),
        TEST(an_lmdb_file_of_another_program_is_refused),
        TEST(a_newer_format_is_refused_by_name),
        TEST(a_file_cut_off_is_refused_not_read),
        TEST(the_store_id_stays),
        TEST(files_are_for_their_owner_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
