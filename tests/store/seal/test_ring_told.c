/* A ring, or a master key, that is not the right one: told in a sentence that says what to do,
 * and never a key that is another's. */
#include "scratch_ring.h"

#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static enum dbk_code open_again(struct ring *r)
{
    close_keys(r);
    r->err = (struct dbk_error){.code = DBK_OK};
    return dbk_keys_open(r->dir, NULL, &r->keys, &r->err);
}

static void write_file(const struct ring *r, const char *name, const char *bytes,
                       size_t length)
{
    int fd = open(in_ring(r, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

/* The master key. */

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

/* The ring. */

static void a_lost_ring_is_told(void **state)
{
    struct ring *r = *state;

    unlink(in_ring(r, "ring"));
    assert_told(r, open_again(r), DBK_NOT_FOUND, "put back the copy");
}

static void a_ring_cut_in_its_page_is_told(void **state)
{
    struct ring *r = *state;

    assert_int_equal(truncate(in_ring(r, "ring"), RING_PAGE - 1), 0);
    assert_told(r, open_again(r), DBK_DAMAGED, "cut short");
    assert_int_equal(truncate(in_ring(r, "ring"), 0), 0);
    assert_told(r, open_again(r), DBK_DAMAGED, "cut short");
}

static void a_ring_cut_below_what_the_log_uses_is_told(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES];

    close_keys(r);
    assert_int_equal(truncate(in_ring(r, "ring"), RING_SLOT_AT(100) + 5), 0);
    open_keys(r);
    assert_told(r, get(r, 100, key), DBK_INVALID, "it ends before");
    assert_int_equal(get(r, 99, key), DBK_OK);
    assert_told(r, dbk_keys_ahead(r->keys, 100, &r->err), DBK_KEYS_AWAY,
                "ends at key 99, and the log uses 100");
    assert_told(r, get(r, 99, key), DBK_KEYS_AWAY, "put back the newest");
    reopen_keys(r);
    assert_told(r, dbk_keys_need(r->keys, 100, &r->err), DBK_KEYS_AWAY,
                "ends at key 99");
    reopen_keys(r);
    assert_int_equal(dbk_keys_ahead(r->keys, 99, &r->err), DBK_OK);
    assert_int_equal(get(r, 100, key), DBK_OK);
}

static void a_torn_slot_is_told_and_no_other_is_touched(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES], before[DBK_KEY_BYTES];
    struct dbk_keys_rotation rotation;
    struct dbk_keys_check found;
    uint64_t number;

    assert_int_equal(get(r, 51, before), DBK_OK);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(50)) + 10, "torn", 4);
    assert_told(r, get(r, 50, key), DBK_DAMAGED, "key 50");
    assert_int_equal(get(r, 51, key), DBK_OK);
    assert_memory_equal(key, before, sizeof key);
    assert_int_equal(dbk_keys_check(r->keys, &found, &r->err), DBK_OK);
    assert_int_equal(found.damaged, 1);
    assert_int_equal(found.first_damaged, 50);
    /* A copy may have it, which is not replaced, and must stay of use. */
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, "../copy"), &r->err),
                DBK_DAMAGED, "key 50");
    assert_int_not_equal(access(in_ring(r, "../copy"), F_OK), 0);
    assert_told(r, dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_DAMAGED, "key 50");
    assert_int_equal(dbk_keys_ahead(r->keys, 60, &r->err), DBK_OK);
    assert_told(r, get(r, 50, key), DBK_DAMAGED, "key 50");
    /* Nobody new gets it, or waits for it. */
    assert_int_equal(dbk_keys_next(r->keys, 49, &number, key, &r->err), DBK_OK);
    assert_int_equal(number, 51);
    assert_memory_equal(key, before, sizeof key);
}

static void another_numbers_slot_is_not_taken_for_it(void **state)
{
    struct ring *r = *state;
    uint8_t slot[RING_SLOT], wrapped[RING_WRAPPED], key[DBK_KEY_BYTES];

    peek(r, "ring", RING_SLOT_AT(UINT64_C(7)), slot, sizeof slot);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(8)), slot, sizeof slot);
    assert_told(r, get(r, 8, key), DBK_DAMAGED, "key 8");
    memcpy(wrapped, slot, sizeof wrapped); /* with a checksum that is right */
    ring_slot_write(8, wrapped, slot);
    poke(r, "ring", RING_SLOT_AT(UINT64_C(8)), slot, sizeof slot);
    assert_told(r, get(r, 8, key), DBK_DAMAGED, "key 8");
}

static void a_damaged_page_is_told_and_one_torn_mark_is_not_missed(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 5;
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 70, &r->err), DBK_OK);
    poke(r, "ring", RING_MARK_AT(0), "torn", 4);
    assert_int_equal(open_again(r), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_true(is.erased_through == 70 || is.erased_through == 0);
    poke(r, "ring", RING_MARK_AT(1), "torn", 4);
    assert_told(r, open_again(r), DBK_DAMAGED, "put back the copy");
    poke(r, "ring", 0, "nope", 4);
    assert_told(r, open_again(r), DBK_DAMAGED, "no ring of keys");
}

/* Several processes, and files that come and go. */

/* Until the key is not given any more. */
static void await_refusal(struct ring *r, uint64_t number, enum dbk_code code)
{
    const dbk_deadline until = dbk_deadline_in(20000);
    uint8_t key[DBK_KEY_BYTES];

    while (get(r, number, key) != code) {
        if (dbk_deadline_left(until) == 0)
            fail_msg("key %u: %s", (unsigned)number, r->err.text);
        dbk_sleep_ms(5);
    }
}

static void in_another_process(struct ring *r, enum dbk_code (*work)(struct dbk_keys *))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct dbk_keys *keys;
        bool well =
            dbk_keys_open(r->dir, NULL, &keys, NULL) == DBK_OK && work(keys) == DBK_OK;

        _exit(well ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static enum dbk_code erase_seven(struct dbk_keys *keys)
{
    const uint64_t number = 7;

    return dbk_keys_erase(keys, &number, 1, 0, NULL);
}

static enum dbk_code rotate(struct dbk_keys *keys)
{
    struct dbk_keys_rotation out;

    return dbk_keys_rotate(keys, &out, NULL);
}

static void what_another_process_erases_is_forgotten_here(void **state)
{
    struct ring *r = *state;
    uint8_t key[DBK_KEY_BYTES];

    assert_int_equal(get(r, 7, key), DBK_OK);
    in_another_process(r, erase_seven);
    await_refusal(r, 7, DBK_NOT_FOUND);
}

static void a_rotation_of_another_process_is_followed(void **state)
{
    struct ring *r = *state;
    uint8_t before[DBK_KEY_BYTES], key[DBK_KEY_BYTES];
    struct dbk_keys_state is;

    assert_int_equal(get(r, 7, before), DBK_OK);
    in_another_process(r, rotate);
    in_another_process(r, erase_seven);
    await_refusal(r, 7, DBK_NOT_FOUND);
    assert_int_equal(get(r, 8, key), DBK_OK);
    assert_int_equal(dbk_keys_ahead(r->keys, 5000, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.epoch, 2);
    reopen_keys(r); /* all of it went into the file that has the name */
    assert_int_equal(get(r, 5000 + DBK_KEYS_AHEAD, key), DBK_OK);
    assert_told(r, get(r, 7, key), DBK_NOT_FOUND, "was erased");
}

static void an_older_copy_put_back_gives_nobody_back(void **state)
{
    struct ring *r = *state;
    const uint64_t number = 7;

    copy_file(r, "ring", "../older");
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 33, &r->err), DBK_OK);
    copy_file(r, "../older", "ring"); /* over its bytes */
    await_refusal(r, 8, DBK_KEYS_AWAY);
    assert_non_null(strstr(r->err.text, "start daybook again"));
    await_refusal(r, 7, DBK_KEYS_AWAY);
    assert_told(r, dbk_keys_erase(r->keys, &number, 1, 34, &r->err), DBK_KEYS_AWAY,
                "older copy");
}

static void a_ring_taken_away_is_told_and_found_again(void **state)
{
    struct ring *r = *state;

    assert_int_equal(dbk_keys_ahead(r->keys, 1, &r->err), DBK_OK);
    assert_int_equal(rename(in_ring(r, "ring"), in_ring(r, "away")), 0);
    await_refusal(r, 8, DBK_KEYS_AWAY);
    assert_int_equal(dbk_keys_ahead(r->keys, 1, &r->err), DBK_KEYS_AWAY);
    assert_int_equal(rename(in_ring(r, "away"), in_ring(r, "ring")), 0);
    await_refusal(r, 8, DBK_OK);
}

static void a_ring_cut_while_it_is_open_ends_nobody(void **state)
{
    struct ring *r = *state;

    assert_int_equal(truncate(in_ring(r, "ring"), 0), 0);
    await_refusal(r, 8, DBK_KEYS_AWAY);
    assert_non_null(strstr(r->err.text, "cut short"));
}

static void another_logs_ring_in_its_place_is_refused(void **state)
{
    struct ring *r = *state, other = *r;
    const struct dbk_keys_options options = {.master = in_ring(r, "master")};

    snprintf(other.dir, sizeof other.dir, "%s/other", r->root);
    assert_int_equal(dbk_keys_make(other.dir, &options, &r->err), DBK_OK);
    assert_int_equal(rename(in_ring(&other, "ring"), in_ring(r, "ring")), 0);
    await_refusal(r, 8, DBK_KEYS_AWAY);
    assert_non_null(strstr(r->err.text, "another log"));
}

/* Copies. */

static void a_copy_takes_the_place_of_nothing_but_an_older_one(void **state)
{
    struct ring *r = *state, other = *r;
    const uint64_t number = 7;
    const char *const to = "../copy";
    struct dbk_keys_state is;

    write_file(r, to, "a letter", 8);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_EXISTS,
                "no ring of keys");
    unlink(in_ring(r, to));
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, "ring"), &r->err), DBK_INVALID,
                "the ring itself");
    assert_int_equal(dbk_keys_bind(r->keys, (const uint8_t[32]){1}, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(r->keys, &number, 1, 5, &r->err), DBK_OK);
    copy_file(r, to, "../older");
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &is, &r->err), DBK_OK);
    assert_int_equal(is.copied_epoch, 1);
    assert_int_equal(is.copied_count, is.count);
    assert_true(is.copied_at > 0);
    close_keys(r);
    copy_file(r, "../older", "ring");
    open_keys(r);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_CONFLICT,
                "is newer than");
    snprintf(other.dir, sizeof other.dir, "%s/other", r->root);
    assert_int_equal(dbk_keys_make(other.dir, NULL, &r->err), DBK_OK);
    close_keys(r);
    assert_int_equal(dbk_keys_open(other.dir, NULL, &r->keys, &r->err), DBK_OK);
    assert_told(r, dbk_keys_backup(r->keys, in_ring(r, to), &r->err), DBK_CONFLICT,
                "another log's");
}

static void a_copy_counts_once_it_is_noted(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_copied first, second;
    struct dbk_keys_rotation rotation;
    struct dbk_keys_state told;

    assert_int_equal(dbk_keys_copy(r->keys, in_ring(r, "../copy"), &first, &r->err),
                     DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_int_equal(told.copied_epoch, 0);
    assert_int_equal(dbk_keys_note_copy(r->keys, &first, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_true(told.copied_epoch == 1 && told.copied_count == told.count &&
                told.copied_at == first.at);

    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_copy(r->keys, in_ring(r, "../copy"), &second, &r->err),
                     DBK_OK);
    assert_int_equal(dbk_keys_note_copy(r->keys, &second, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_note_copy(r->keys, &first, &r->err), DBK_OK);
    assert_int_equal(dbk_keys_state(r->keys, &told, &r->err), DBK_OK);
    assert_int_equal(told.copied_epoch, 2);
}

static void a_rotation_makes_the_older_copy_worthless(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_rotation rotation;
    uint8_t key[DBK_KEY_BYTES], before[DBK_KEY_BYTES];

    assert_int_equal(get(r, 7, before), DBK_OK);
    assert_int_equal(dbk_keys_backup(r->keys, in_ring(r, "../copy"), &r->err), DBK_OK);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
    assert_true(rotation.done && rotation.epoch == 2 && rotation.erased == 0);
    assert_int_equal(get(r, 7, key), DBK_OK);
    assert_memory_equal(key, before, sizeof key);
    copy_file(r, "../copy", "ring");
    assert_told(r, open_again(r), DBK_CONFLICT, "not the master key");
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

static void a_ring_is_read_where_nothing_can_be_written(void **state)
{
    struct ring *r = *state;
    const struct dbk_keys_options options = {.read_only = true};
    struct dbk_keys_rotation rotation;
    const uint64_t number = 1;
    uint8_t key[DBK_KEY_BYTES];

    close_keys(r);
    unlink(in_ring(r, "lock"));
    assert_int_equal(chmod(in_ring(r, "ring"), 0400), 0);
    assert_int_equal(chmod(r->dir, 0500), 0);
    assert_int_equal(dbk_keys_open(r->dir, &options, &r->keys, &r->err), DBK_OK);
    assert_int_equal(get(r, 1, key), DBK_OK);
    assert_told(r, dbk_keys_erase(r->keys, &number, 1, 0, &r->err), DBK_UNSUPPORTED,
                "reading only");
    assert_int_equal(dbk_keys_ahead(r->keys, 1, &r->err), DBK_UNSUPPORTED);
    assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_UNSUPPORTED);
    assert_int_equal(dbk_keys_backup(r->keys, "/nowhere", &r->err), DBK_UNSUPPORTED);
    assert_int_equal(chmod(r->dir, 0700), 0);
}

/* Threads. */

enum { READERS = 3, NUMBERS = 400 };

static struct racing {
    struct dbk_keys *keys;
    uint8_t before[NUMBERS + 1][DBK_KEY_BYTES];
    atomic_uint erased; /* all up to this number */
    atomic_bool ends, wrong;
} racing;

static void *read_keys(void *unused)
{
    uint8_t key[DBK_KEY_BYTES];

    for (uint64_t i = 1; !atomic_load(&racing.ends); i = i % NUMBERS + 1) {
        unsigned erased = atomic_load(&racing.erased);
        enum dbk_code code = dbk_keys_get(racing.keys, i, key, NULL);

        if (code == DBK_OK ? i <= erased || memcmp(key, racing.before[i], sizeof key)
                           : code != DBK_NOT_FOUND)
            atomic_store(&racing.wrong, true);
    }
    return unused;
}

static void threads_share_a_ring_that_changes(void **state)
{
    struct ring *r = *state;
    struct dbk_keys_rotation rotation;
    pthread_t readers[READERS];

    racing.keys = r->keys;
    for (uint64_t i = 1; i <= NUMBERS; i++)
        assert_int_equal(get(r, i, racing.before[i]), DBK_OK);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_keys, NULL), 0);
    for (uint64_t i = 1; i <= 40; i++) {
        assert_int_equal(dbk_keys_erase(r->keys, &i, 1, i, &r->err), DBK_OK);
        atomic_store(&racing.erased, (unsigned)i);
        if (i == 20)
            assert_int_equal(dbk_keys_rotate(r->keys, &rotation, &r->err), DBK_OK);
        assert_int_equal(dbk_keys_ahead(r->keys, i * 300, &r->err), DBK_OK);
    }
    atomic_store(&racing.ends, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_false(atomic_load(&racing.wrong));
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
        TEST(a_lost_ring_is_told),
        TEST(a_ring_cut_in_its_page_is_told),
        TEST(a_ring_cut_below_what_the_log_uses_is_told),
        TEST(a_torn_slot_is_told_and_no_other_is_touched),
        TEST(another_numbers_slot_is_not_taken_for_it),
        TEST(a_damaged_page_is_told_and_one_torn_mark_is_not_missed),
        TEST(what_another_process_erases_is_forgotten_here),
        TEST(a_rotation_of_another_process_is_followed),
        TEST(an_older_copy_put_back_gives_nobody_back),
        TEST(a_ring_taken_away_is_told_and_found_again),
        TEST(a_ring_cut_while_it_is_open_ends_nobody),
        TEST(another_logs_ring_in_its_place_is_refused),
        TEST(a_copy_takes_the_place_of_nothing_but_an_older_one),
        TEST(a_copy_counts_once_it_is_noted),
        TEST(a_rotation_makes_the_older_copy_worthless),
        TEST(a_master_key_that_cannot_be_written_is_the_operators_to_replace),
        TEST(a_ring_is_read_where_nothing_can_be_written),
        TEST(threads_share_a_ring_that_changes),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
