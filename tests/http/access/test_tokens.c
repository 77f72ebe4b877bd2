#include "check.h"
#include "http/tokens.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TIME "2026-11-25T10:16:17.330037"
#define LINE "kate read,write " TIME " " HASH "\n"
#define HEADER "daybook tokens 1\n"
#define HEADER_2 "daybook tokens 2\n"
#define HEADER_3 "daybook tokens 3\n"

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

struct place {
    char dir[64], path[80], tmp[80];
    struct dbk_tokens tokens;
    struct dbk_error err;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    memset(steps, 0, sizeof steps);
    sync_error = 0;
    strcpy(place->dir, "/tmp/daybook-tokens-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/tokens", place->dir);
    snprintf(place->tmp, sizeof place->tmp, "%s/tokens.tmp", place->dir);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    dbk_tokens_finish(&place->tokens);
    unlink(place->path);
    unlink(place->tmp);
    assert_int_equal(rmdir(place->dir), 0); /* nothing else is left in it */
    free(place);
    return 0;
}

static void write_file(const struct place *place, const char *text, size_t length)
{
    FILE *file = fopen(place->path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->path, 0600), 0);
}

static enum dbk_code read_again(struct place *place)
{
    dbk_tokens_finish(&place->tokens);
    return dbk_tokens_read(place->dir, &place->tokens, &place->err);
}

static enum dbk_code read_text(struct place *place, const char *text)
{
    write_file(place, text, strlen(text));
    return read_again(place);
}

static void no_file_is_no_tokens(void **state)
{
    struct place *place = *state;

    assert_int_equal(read_again(place), DBK_OK);
    assert_int_equal(place->tokens.count, 0);
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

/* In part it would let in, or keep out, others than its owner thinks. */
static void a_malformed_file_is_refused_whole_with_its_line(void **state)
{
    static const struct {
        const char *text, *saying;
        enum dbk_code code;
    } cases[] = {
        {HEADER LINE, NULL, DBK_OK},
        {HEADER, NULL, DBK_OK},
        {"", "does not begin", DBK_DAMAGED},
        {"daybook tokens 1", "newer", DBK_UNSUPPORTED},
        {LINE, "does not begin", DBK_DAMAGED},
        {HEADER "\n", "line 2", DBK_DAMAGED},
        {HEADER LINE "\n", "line 3", DBK_DAMAGED},
        {HEADER LINE LINE, "line 3", DBK_DAMAGED},
        {HEADER LINE "kate", "cut", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH, "cut", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH " x\n", "line 2", DBK_DAMAGED},
        {HEADER "kate  read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER " kate read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH "\r\n", "line 2", DBK_DAMAGED},
        {HEADER "kate root " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read, " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read yesterday " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " " HASH "0\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " 0123\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " x" HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "k\xC3\xA9te read " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "web ingest " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "kate read " TIME " rate=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER "grafana metrics " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "grafana metrics " TIME " " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_3 "grafana metrics " TIME " " HASH "\n", NULL, DBK_OK},
        {HEADER_3 "web ingest " TIME " rate=5 " HASH "\n", NULL, DBK_OK},
        {HEADER_3 LINE, NULL, DBK_OK},
        {"daybook tokens 4\n" LINE, "newer", DBK_UNSUPPORTED},
        {HEADER_2, NULL, DBK_OK},
        {HEADER_2 LINE, NULL, DBK_OK},
        {HEADER_2 "web ingest " TIME " " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "kate read " TIME " rate=5 " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "web ingest " TIME " origins=* " HASH "\n", NULL, DBK_OK},
        {HEADER_2 "kate read " TIME "  " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=05 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate= " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=0 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=-1 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=1000001 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " rate=5 rate=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " bytes-a-day=5 rate=5 " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " bytes-a-day=9999999999999999999 " HASH "\n",
         "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " burst=5 " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " TIME " origins=https://x " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins= " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=https://x, " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=*,https://x " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "web ingest " TIME " origins=https://X " HASH "\n", "line 2",
         DBK_DAMAGED},
        {HEADER_2 "kate read " TIME "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate read " HASH "\n", "line 2", DBK_DAMAGED},
        {HEADER_2 "kate\n", "line 2", DBK_DAMAGED},
        {HEADER_2 " \n", "line 2", DBK_DAMAGED},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum dbk_code code = read_text(place, cases[i].text);

        if (code != cases[i].code)
            fail_msg("%d, not %d: %s", code, cases[i].code, cases[i].text);
        if (code != DBK_OK) {
            assert_non_null(strstr(place->err.text, cases[i].saying));
            assert_null(place->tokens.list);
            assert_null(strstr(place->err.text, "0123"));
        }
    }
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
    dbk_tokens_revoke(place->dir, "scraper", false, &left, &place->err);
    read_head(place, head);
    assert_string_equal(head, HEADER_2);
    assert_int_equal(dbk_tokens_revoke(place->dir, "web", false, &left, &place->err),
                     DBK_OK);
    read_head(place, head);
    assert_string_equal(head, HEADER);
}

static void origins_are_of_tokens_that_only_ingest(void **state)
{
    struct place *place = *state;
    struct dbk_token_bounds bounds = {.origins = "https://shop.example"};
    char secret[DBK_TOKEN_SECRET + 1];

    assert_int_equal(dbk_tokens_create(place->dir, "web",
                                       DBK_SCOPE_INGEST | DBK_SCOPE_READ, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    strcpy(bounds.origins, "https://shop.example ");
    assert_int_equal(dbk_tokens_create(place->dir, "web", DBK_SCOPE_INGEST, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    bounds = (struct dbk_token_bounds){.rate = DBK_RATE_MAX + 1};
    assert_int_equal(dbk_tokens_create(place->dir, "web", DBK_SCOPE_INGEST, &bounds,
                                       secret, &place->err),
                     DBK_INVALID);
    assert_int_equal(access(place->path, F_OK), -1);
}

static void an_origin_is_let_as_a_whole(void **state)
{
    struct dbk_token_bounds bounds = {.origins =
                                          "https://shop.example,http://localhost:3000"};

    (void)state;
    assert_true(dbk_token_origin_let(&bounds, "https://shop.example"));
    assert_true(dbk_token_origin_let(&bounds, "http://localhost:3000"));
    assert_false(dbk_token_origin_let(&bounds, "http://localhost:300"));
    assert_false(dbk_token_origin_let(&bounds, "http://localhost:30000"));
    assert_false(dbk_token_origin_let(&bounds, bounds.origins));
    assert_false(dbk_token_origin_let(&bounds, ""));
    assert_false(dbk_token_origin_let(&bounds, "*"));
    assert_false(dbk_token_origin_let(&bounds, "null"));
    strcpy(bounds.origins, "*");
    assert_true(dbk_token_origin_let(&bounds, "null"));
    strcpy(bounds.origins, "");
    assert_false(dbk_token_origin_let(&bounds, ""));
    assert_false(dbk_token_origin_let(&bounds, "https://shop.example"));
}

static void a_nul_ends_nothing(void **state)
{
    static const char text[] = HEADER "ka\0te read " TIME " " HASH "\n";
    struct place *place = *state;

    write_file(place, text, sizeof text - 1);
    assert_int_equal(read_again(place), DBK_DAMAGED);
}

static void more_than_there_may_be_are_refused(void **state)
{
    struct place *place = *state;
    FILE *file;

    for (int count = DBK_TOKENS_MAX; count <= DBK_TOKENS_MAX + 1; count++) {
        char secret[DBK_TOKEN_SECRET + 1];

        write_file(place, HEADER, strlen(HEADER));
        file = fopen(place->path, "a");
        for (int i = 0; i < count; i++)
            fprintf(file, "t%d read " TIME " " HASH "\n", i);
        fclose(file);
        assert_int_equal(read_again(place),
                         count == DBK_TOKENS_MAX ? DBK_OK : DBK_DAMAGED);
        assert_int_equal(dbk_tokens_create(place->dir, "more", DBK_SCOPE_READ, NULL,
                                           secret, &place->err),
                         count == DBK_TOKENS_MAX ? DBK_TOO_LARGE : DBK_DAMAGED);
    }
}

static void what_others_may_change_is_not_believed(void **state)
{
    static const mode_t bad[] = {0640, 0620, 0604, 0666, 0610};
    struct place *place = *state;

    assert_int_equal(read_text(place, HEADER LINE), DBK_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(place->path, bad[i]), 0);
        assert_int_equal(read_again(place), DBK_IO);
        assert_non_null(strstr(place->err.text, "chmod 600"));
    }
    assert_int_equal(chmod(place->path, 0400), 0);
    assert_int_equal(read_again(place), DBK_OK);
}

static void only_a_file_is_read(void **state)
{
    struct place *place = *state;

    assert_int_equal(symlink("/dev/zero", place->path), 0);
    assert_int_equal(read_again(place), DBK_IO);
    unlink(place->path);
    assert_int_equal(mkfifo(place->path, 0600), 0); /* does not wait for a writer */
    assert_int_equal(read_again(place), DBK_IO);
    unlink(place->path);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_int_equal(read_again(place), DBK_IO);
    rmdir(place->path);
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

static void scopes_are_named_in_order(void **state)
{
    static const char *const bad[] = {"",     ",",         "read,",     ",read",
                                      "Read", "readwrite", "read write"};
    char text[DBK_SCOPES_TEXT];
    unsigned scopes = 0;

    (void)state;
    assert_true(dbk_scopes_parse("admin,audit,read,write,read", 27, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin");
    dbk_scopes_format(DBK_SCOPE_AUDIT, text);
    assert_string_equal(text, "audit");
    assert_true(dbk_scopes_parse("ingest", 6, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin,ingest");
    assert_true(dbk_scopes_parse("metrics", 7, &scopes));
    dbk_scopes_format(scopes, text);
    assert_string_equal(text, "read,write,audit,admin,ingest,metrics");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dbk_scopes_parse(bad[i], strlen(bad[i]), &scopes));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        TEST(no_file_is_no_tokens),
        TEST(a_token_is_kept_without_its_secret),
        TEST(names_are_taken_once_and_checked),
        TEST(revoking_takes_out_the_one),
        TEST(the_last_with_admin_is_kept_where_that_is_asked),
        TEST(a_malformed_file_is_refused_whole_with_its_line),
        TEST(what_is_newer_makes_the_file_so_and_only_that),
        TEST(origins_are_of_tokens_that_only_ingest),
        cmocka_unit_test(an_origin_is_let_as_a_whole),
        TEST(a_nul_ends_nothing),
        TEST(more_than_there_may_be_are_refused),
        TEST(what_others_may_change_is_not_believed),
        TEST(only_a_file_is_read),
        TEST(what_a_killed_run_left_is_written_over),
        TEST(a_token_is_on_disk_before_it_is_told),
        TEST(a_failed_sync_changes_nothing),
        TEST(what_was_put_in_its_place_is_left_alone),
        TEST(made_by_root_it_belongs_to_the_folders_owner),
        TEST(writers_at_once_lose_nothing_and_readers_see_it_whole),
        cmocka_unit_test(scopes_are_named_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
