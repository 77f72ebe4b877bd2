/* Tokens made and revoked: on disk before it is told, and at once by several. */
#include "tokens_place.h"

#include <errno.h>
#include <pthread.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, make_watched_place, remove_place)

/* What was synced and renamed, in order: 'f' a file, 'd' a folder, 'r' a rename. */
static char steps[8];
static int sync_error;

int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);

static void note_step(char step)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    size_t length;

    pthread_mutex_lock(&mutex);
    length = strlen(steps);
    if (length + 1 < sizeof steps)
        steps[length] = step;
    pthread_mutex_unlock(&mutex);
}

int __wrap_fsync(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    note_step(S_ISDIR(status.st_mode) ? 'd' : 'f');
    errno = sync_error;
    return sync_error ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to)
{
    note_step('r');
    return __real_rename(from, to);
}

static int make_watched_place(void **state)
{
    memset(steps, 0, sizeof steps);
    sync_error = 0;
    return make_place(state);
}

static void a_token_is_kept_without_its_secret(void **state)
{
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1], other[DBK_TOKEN_SECRET + 1], text[1024] = "";
    FILE *file;
    struct stat status;

    assert_int_equal(dbk_tokens_create(place->dir, "kate",
                                       DBK_SCOPE_READ | DBK_SCOPE_AUDIT, NULL, secret,
                                       &place->err),
                     DBK_OK);
    assert_int_equal(dbk_tokens_create(place->dir, "a-b_c.9", DBK_SCOPE_ADMIN, NULL,
                                       other, &place->err),
                     DBK_OK);
    assert_int_equal(strlen(secret), DBK_TOKEN_SECRET);
    assert_memory_equal(secret, "dbk_", 4);
    assert_string_not_equal(secret, other);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 2);
    assert_string_equal(place->tokens.list[0].name, "kate");
    assert_int_equal(place->tokens.list[0].scopes, DBK_SCOPE_READ | DBK_SCOPE_AUDIT);
    assert_true(place->tokens.list[0].created <= dbk_timestamp_now());
    assert_true(place->tokens.list[0].created > dbk_timestamp_now() - 60000000);
    assert_string_equal(place->tokens.list[1].name, "a-b_c.9");
    assert_memory_not_equal(place->tokens.list[0].hash, place->tokens.list[1].hash,
                            DBK_TOKEN_HASH);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(access(place->tmp, F_OK), -1);
    file = fopen(place->path, "r");
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_null(strstr(text, secret + 4));
}

static void names_are_taken_once_and_checked(void **state)
{
    static const char *const bad[] = {"",
                                      "a b",
                                      "a,b",
                                      "a\n",
                                      "\xC3\xA9",
                                      "a/b",
                                      "0123456789012345678901234567890123456789"
                                      "0123456789012345678901234"};
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];

    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret,
                                       &place->err),
                     DBK_OK);
    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_ADMIN, NULL,
                                       secret, &place->err),
                     DBK_EXISTS);
    assert_int_equal(dbk_tokens_create(place->dir, "x", 0, NULL, secret, &place->err),
                     DBK_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dbk_tokens_create(place->dir, bad[i], DBK_SCOPE_READ, NULL,
                                           secret, &place->err),
                         DBK_INVALID);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 1);
    assert_int_equal(place->tokens.list[0].scopes, DBK_SCOPE_READ);
}

static void revoking_takes_out_the_one(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];
    size_t left = 99;

    assert_int_equal(dbk_tokens_revoke(place->dir, "a", false, &left, &place->err),
                     DBK_NOT_FOUND);
    for (size_t i = 0; i < 3; i++)
        dbk_tokens_create(place->dir, names[i], DBK_SCOPE_READ, NULL, secret,
                          &place->err);
    assert_int_equal(dbk_tokens_revoke(place->dir, "d", false, &left, &place->err),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_tokens_revoke(place->dir, "b", false, &left, &place->err),
                     DBK_OK);
    assert_int_equal(left, 2);
    assert_int_equal(read_again(place), DBK_OK);
    assert_string_equal(place->tokens.list[0].name, "a");
    assert_string_equal(place->tokens.list[1].name, "c");
    dbk_tokens_revoke(place->dir, "c", false, &left, &place->err);
    assert_int_equal(dbk_tokens_revoke(place->dir, "a", false, &left, &place->err),
                     DBK_OK);
    assert_int_equal(left, 0);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 0);
}

static void the_last_with_admin_is_kept_where_that_is_asked(void **state)
{
    static const struct {
        const char *name;
        unsigned scopes;
    } made[] = {{"a", DBK_SCOPE_ADMIN},
                {"b", DBK_SCOPE_READ | DBK_SCOPE_ADMIN},
                {"c", DBK_SCOPE_READ}};
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];
    size_t left = 99;

    for (size_t i = 0; i < 3; i++)
        dbk_tokens_create(place->dir, made[i].name, made[i].scopes, NULL, secret,
                          &place->err);
    assert_int_equal(dbk_tokens_revoke(place->dir, "a", true, &left, &place->err),
                     DBK_OK);
    assert_int_equal(dbk_tokens_revoke(place->dir, "b", true, &left, &place->err),
                     DBK_CONFLICT);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 2);
    assert_int_equal(dbk_tokens_revoke(place->dir, "c", true, &left, &place->err),
                     DBK_OK);
    assert_int_equal(dbk_tokens_revoke(place->dir, "b", false, &left, &place->err),
                     DBK_OK);
    assert_int_equal(left, 0);
}

static void read_head(const struct place *place, char head[20])
{
    FILE *file = fopen(place->path, "r");

    assert_non_null(file);
    assert_non_null(fgets(head, 20, file));
    fclose(file);
}

/* So an older program reads the file as long as it can know what is in it. */
static void what_is_newer_makes_the_file_so_and_only_that(void **state)
{
    static const struct dbk_token_bounds most = {
        .rate = DBK_RATE_MAX,
        .address_rate = 5,
        .bytes_a_day = DBK_BYTES_A_DAY_MAX,
        .origins = "https://shop.example,http://localhost:3000"};
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1], head[20];
    size_t left;

    dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret, &place->err);
    read_head(place, head);
    assert_string_equal(head, HEADER);
    assert_int_equal(dbk_tokens_create(place->dir, "web", DBK_SCOPE_INGEST, &most,
                                       secret, &place->err),
                     DBK_OK);
    read_head(place, head);
    assert_string_equal(head, HEADER_2);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.list[0].bounds.rate, 0);
    assert_int_equal(place->tokens.list[1].scopes, DBK_SCOPE_INGEST);
    assert_memory_equal(&place->tokens.list[1].bounds, &most, sizeof most);
    assert_int_equal(dbk_tokens_create(place->dir, "scraper", DBK_SCOPE_METRICS, NULL,
                                       secret, &place->err),
                     DBK_OK);
    read_head(place, head);
    assert_string_equal(head, HEADER_3);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.list[2].scopes, DBK_SCOPE_METRICS);
    assert_int_equal(dbk_tokens_create(place->dir, "dpo", DBK_SCOPE_ERASE, NULL, secret,
                                       &place->err),
                     DBK_OK);
    read_head(place, head);
    assert_string_equal(head, HEADER_4);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.list[3].scopes, DBK_SCOPE_ERASE);
    dbk_tokens_revoke(place->dir, "dpo", false, &left, &place->err);
    dbk_tokens_revoke(place->dir, "scraper", false, &left, &place->err);
    read_head(place, head);
    assert_string_equal(head, HEADER_2);
    assert_int_equal(dbk_tokens_revoke(place->dir, "web", false, &left, &place->err),
                     DBK_OK);
    read_head(place, head);
    assert_string_equal(head, HEADER);
}

static void what_a_killed_run_left_is_written_over(void **state)
{
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1], junk[4096];
    FILE *file = fopen(place->tmp, "w");

    memset(junk, 'x', sizeof junk);
    fwrite(junk, 1, sizeof junk, file);
    fclose(file);
    assert_int_equal(chmod(place->tmp, 0644), 0);
    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret,
                                       &place->err),
                     DBK_OK);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 1);
}

static void a_token_is_on_disk_before_it_is_told(void **state)
{
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];
    size_t left;

    dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret, &place->err);
    assert_string_equal(steps, "frd");
    memset(steps, 0, sizeof steps);
    dbk_tokens_revoke(place->dir, "kate", false, &left, &place->err);
    assert_string_equal(steps, "frd");
}

static void a_failed_sync_changes_nothing(void **state)
{
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];
    size_t left;

    dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret, &place->err);
    sync_error = ENOSPC;
    assert_int_equal(dbk_tokens_create(place->dir, "bobby", DBK_SCOPE_READ, NULL,
                                       secret, &place->err),
                     DBK_NO_ROOM);
    sync_error = EIO;
    assert_int_equal(dbk_tokens_revoke(place->dir, "kate", false, &left, &place->err),
                     DBK_IO);
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 1);
    assert_int_equal(access(place->tmp, F_OK), -1);
}

/* The folder's owner might want root to write to, and give away, what is not theirs. */
static void what_was_put_in_its_place_is_left_alone(void **state)
{
    struct place *place = *state;
    char other[96], secret[DBK_TOKEN_SECRET + 1];
    struct stat status;
    FILE *file;

    snprintf(other, sizeof other, "%s/other", place->dir);
    file = fopen(other, "w");
    fputs("mine\n", file);
    fclose(file);
    assert_int_equal(link(other, place->tmp), 0);
    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret,
                                       &place->err),
                     DBK_IO);
    assert_int_equal(stat(other, &status), 0);
    assert_int_equal(status.st_size, 5);
    unlink(place->tmp);
    assert_int_equal(symlink(other, place->tmp), 0);
    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret,
                                       &place->err),
                     DBK_IO);
    assert_int_equal(stat(other, &status), 0);
    assert_int_equal(status.st_size, 5);
    unlink(place->tmp);
    unlink(other);
}

static void made_by_root_it_belongs_to_the_folders_owner(void **state)
{
    struct place *place = *state;
    char secret[DBK_TOKEN_SECRET + 1];
    struct stat status;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(place->dir, 65534, 65534), 0);
    assert_int_equal(dbk_tokens_create(place->dir, "kate", DBK_SCOPE_READ, NULL, secret,
                                       &place->err),
                     DBK_OK);
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(status.st_mode & 0777, 0600);
}

struct writer {
    const struct place *place;
    pthread_t thread;
    int number, failures;
};

/* Makes ten, and takes back five of them. */
static void *write_many(void *argument)
{
    struct writer *writer = argument;
    char name[32], secret[DBK_TOKEN_SECRET + 1];
    struct dbk_error err;
    size_t left;

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "w%d.%d", writer->number, i);
        if (dbk_tokens_create(writer->place->dir, name, DBK_SCOPE_READ, NULL, secret,
                              &err))
            writer->failures++;
        if (i % 2 && dbk_tokens_revoke(writer->place->dir, name, false, &left, &err))
            writer->failures++;
    }
    return NULL;
}

static void writers_at_once_lose_nothing_and_readers_see_it_whole(void **state)
{
    struct place *place = *state;
    struct writer writers[4];

    for (int i = 0; i < 4; i++) {
        writers[i] = (struct writer){.place = place, .number = i};
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 200; i++)
        assert_int_equal(read_again(place), DBK_OK);
    for (int i = 0; i < 4; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failures, 0);
    }
    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 20);
    assert_int_equal(access(place->tmp, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_kept_without_its_secret),
        TEST(names_are_taken_once_and_checked),
        TEST(revoking_takes_out_the_one),
        TEST(the_last_with_admin_is_kept_where_that_is_asked),
        TEST(what_is_newer_makes_the_file_so_and_only_that),
        TEST(what_a_killed_run_left_is_written_over),
        TEST(a_token_is_on_disk_before_it_is_told),
        TEST(a_failed_sync_changes_nothing),
        TEST(what_was_put_in_its_place_is_left_alone),
        TEST(made_by_root_it_belongs_to_the_folders_owner),
        TEST(writers_at_once_lose_nothing_and_readers_see_it_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
