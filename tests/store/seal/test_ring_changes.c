/* A ring that changes while it is open: by other processes, by threads, and by files that come
 * and go. */
#include "scratch_ring.h"

#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

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
        TEST(what_another_process_erases_is_forgotten_here),
        TEST(a_rotation_of_another_process_is_followed),
        TEST(an_older_copy_put_back_gives_nobody_back),
        TEST(a_ring_taken_away_is_told_and_found_again),
        TEST(a_ring_cut_while_it_is_open_ends_nobody),
        TEST(another_logs_ring_in_its_place_is_refused),
        TEST(threads_share_a_ring_that_changes),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
