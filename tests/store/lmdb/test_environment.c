#include "scratch_log.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

static enum dbk_code try_open(struct scratch *s, bool read_only)
{
    struct dbk_log_options options = {.read_only = read_only,
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
    put_meta(s, "meta", "format", 8);
    assert_int_equal(try_open(s, false), DBK_UNSUPPORTED);
    assert_says(s, "written by a newer daybook (format 8, this one knows 7)");
}

/* Make a log of some pages; its file's size. */
static off_t make_log(struct scratch *s, char path[128])
{
    char email[32];
    struct stat st;

    scratch_open(s);
    for (int i = 0; i < 200; i++) {
        snprintf(email, sizeof email, "p%d@x.mock", i);
        add_person(s, email);
    }
    dbk_log_close(s->log);
    s->log = NULL;
    path_in(s, "data.mdb", path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void assert_size(const char *path, off_t size)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, size);
}

static void a_file_cut_off_is_refused_and_left_as_it_is(void **state)
{
    struct scratch *s = *state;
    char path[128];
    off_t size = make_log(s, path);
    off_t cuts[] = {size - 1, size / 2, 8192, 5000, 100};

    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        assert_int_equal(truncate(path, cuts[i]), 0);
        assert_int_equal(try_open(s, true), DBK_DAMAGED);
        assert_says(s, "cut off");
        assert_int_equal(try_open(s, false), DBK_DAMAGED);
        assert_says(s, "cut off");
        assert_size(path, cuts[i]);
    }
}

static void an_empty_file_is_no_log_until_one_is_made(void **state)
{
    struct scratch *s = *state;
    char path[128];

    write_file(s, "data.mdb", "");
    path_in(s, "data.mdb", path);
    assert_int_equal(try_open(s, true), DBK_NOT_FOUND);
    assert_size(path, 0);
    assert_int_equal(try_open(s, false), DBK_OK);
    assert_int_equal(head_of(s), 0);
}

/* Begin to make a log, and be killed before its first commit. */
static void an_lmdb_file_with_nothing_in_it_is_no_log(void **state)
{
    struct scratch *s = *state;
    char path[128];
    MDB_env *env;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    mdb_env_close(env);
    path_in(s, "data.mdb", path);
    assert_int_equal(try_open(s, true), DBK_NOT_FOUND);
    assert_size(path, 8192);
    assert_int_equal(try_open(s, false), DBK_OK);
}

/* Take pages at the end and give them back before they are written, by plain LMDB. How
 * long the file should be by its last commit. */
static off_t shorten_rightly(const struct scratch *s)
{
    char bytes[1000] = "";
    MDB_val value = {sizeof bytes, bytes};
    MDB_envinfo info;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "idempotency", 0, &dbi), 0);
    for (uint8_t i = 0; i < 200; i++)
        assert_int_equal(mdb_put(txn, dbi, &(MDB_val){1, &i}, &value, 0), 0);
    for (uint8_t i = 200; i-- > 0;)
        assert_int_equal(mdb_del(txn, dbi, &(MDB_val){1, &i}, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    return (off_t)(info.me_last_pgno + 1) * 4096;
}

static void a_file_that_is_short_by_free_pages_is_whole(void **state)
{
    struct scratch *s = *state;
    char path[128];
    off_t needed;
    struct stat st;

    make_log(s, path);
    needed = shorten_rightly(s);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < needed);
    assert_int_equal(try_open(s, true), DBK_OK);
    assert_int_equal(head_of(s), 200);
    dbk_log_close(s->log);
    assert_size(path, st.st_size);
    scratch_open(s);
    add_person(s, "one.more@x.mock");
    scratch_reopen(s);
    assert_int_equal(head_of(s), 201);
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(truncate(path, st.st_size / 2), 0); /* and now it lacks others */
    assert_int_equal(try_open(s, true), DBK_DAMAGED);
}

static uint64_t transaction_of(int fd, int page)
{
    uint64_t number;

    assert_int_equal(pread(fd, &number, sizeof number, page * 4096 + 144),
                     sizeof number);
    return number;
}

static void set_transaction(int fd, int page, uint64_t number)
{
    assert_int_equal(pwrite(fd, &number, sizeof number, page * 4096 + 144),
                     sizeof number);
}

/* LMDB would go by the older state, and write over the later one. */
static void meta_pages_that_contradict_each_other_are_damage(void **state)
{
    struct scratch *s = *state;
    char path[128];
    int fd;

    make_log(s, path);
    fd = open(path, O_RDWR);
    for (int page = 0; page < 2; page++) {
        uint64_t right = transaction_of(fd, page), other = transaction_of(fd, !page);

        for (int bit = 0; bit < 64; bit++) {
            uint64_t wrong = right ^ UINT64_C(1) << bit;

            if (wrong + 1 == other || other + 1 == wrong)
                continue; /* looks like the commit before */
            set_transaction(fd, page, wrong);
            assert_int_equal(try_open(s, true), DBK_DAMAGED);
        }
        set_transaction(fd, page, right);
    }
    close(fd);
    assert_int_equal(try_open(s, true), DBK_OK);
}

#define NOBODY 65534

/* A folder that may only be read: another user's, for root may write everywhere. */
static void close_to_writing(const struct scratch *s, const char *path)
{
    if (geteuid() == 0)
        assert_int_equal(chown(s->dir, NOBODY, NOBODY) | chown(path, NOBODY, NOBODY),
                         0);
    assert_int_equal(chmod(path, 0400) | chmod(s->dir, 0500), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(NOBODY), 0);
}

static void open_to_writing(const struct scratch *s)
{
    assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(chmod(s->dir, 0700), 0);
}

static void what_may_only_be_read_is_read(void **state)
{
    struct scratch *s = *state;
    char path[128], lock[128];
    enum dbk_code opened;

    make_log(s, path);
    path_in(s, "lock.mdb", lock);
    unlink(lock);
    close_to_writing(s, path);
    opened = try_open(s, true);
    open_to_writing(s);
    if (opened != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_int_equal(head_of(s), 200);
    assert_int_not_equal(access(lock, F_OK), 0);
}

/* Without a lock that keeps it from using pages again, a writer is not read beside. */
static void what_may_only_be_read_is_not_read_beside_others(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct dbk_log *writer;
    int ready[2], done[2];
    char path[128], byte = 0;
    pid_t child;

    make_log(s, path);
    assert_int_equal(pipe(ready) | pipe(done), 0);
    child = fork();
    if (child == 0) {
        close(done[1]);
        if (dbk_log_open(s->dir, &options, &writer, NULL) != DBK_OK)
            _exit(1);
        _exit(write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    path_in(s, "lock.mdb", path);
    assert_int_equal(chmod(path, 0400), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    path_in(s, "data.mdb", path);
    close_to_writing(s, path);
    assert_int_equal(try_open(s, true), DBK_BUSY);
    open_to_writing(s);
    close(done[1]);
    waitpid(child, NULL, 0);
    close_to_writing(s, path);
    assert_int_equal(try_open(s, true), DBK_OK);
    open_to_writing(s);
    close(ready[0]);
    close(ready[1]);
    close(done[0]);
}

static void what_is_opened_for_reading_is_not_written(void **state)
{
    struct scratch *s = *state;
    struct dbk_record draft = draft_person("late@x.mock");
    struct dbk_command *command = command_of(&draft);
    char path[128];

    make_log(s, path);
    assert_int_equal(try_open(s, true), DBK_OK);
    assert_int_not_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err),
                         DBK_OK);
    assert_int_equal(head_of(s), 200);
    dbk_command_destroy(command);
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
        TEST(a_file_cut_off_is_refused_and_left_as_it_is),
        TEST(an_empty_file_is_no_log_until_one_is_made),
        TEST(an_lmdb_file_with_nothing_in_it_is_no_log),
        TEST(a_file_that_is_short_by_free_pages_is_whole),
        TEST(meta_pages_that_contradict_each_other_are_damage),
        TEST(what_may_only_be_read_is_read),
        TEST(what_may_only_be_read_is_not_read_beside_others),
        TEST(what_is_opened_for_reading_is_not_written),
        TEST(the_store_id_stays),
        TEST(files_are_for_their_owner_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
