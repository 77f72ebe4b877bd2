/* The notary: what it signs is the log, and extends what it signed before; and what it does
 * where it cannot be sure of that. */
#include "notary_world.h"

#include "log_state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static atomic_bool disk_fails;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (!atomic_load(&disk_fails))
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

/* How far the notary hashed, look by look. */
static const struct dbk_tree *_Atomic watched;
static _Atomic uint64_t looks[16];
static atomic_uint looked;

enum dbk_code __real_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch,
                                   struct dbk_error *err);
enum dbk_code __wrap_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch,
                                   struct dbk_error *err);
enum dbk_code __wrap_dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                                   const struct dbk_watch *watch, struct dbk_error *err)
{
    if (tree == atomic_load(&watched) && size > dbk_tree_size(tree)) {
        atomic_store(&looks[atomic_load(&looked) % 16], size);
        atomic_fetch_add(&looked, 1);
    }
    return __real_dbk_tree_grow(tree, size, watch, err);
}

static int teardown(void **state)
{
    atomic_store(&watched, NULL);
    atomic_store(&disk_fails, false);
    return world_teardown(state);
}

static void what_is_appended_is_signed_and_on_disk_before_it_is_shown(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint last;
    struct dbk_vkey key;

    start(w, "daybook.example/log");
    await_signed(w);
    for (unsigned i = 0; i < 3; i++) {
        fill(&w->s, &w->person, 200);
        await_signed(w);
        assert_int_equal(dbk_notary_vkey(w->notary, &key, &w->s.err), DBK_OK);
        assert_string_equal(key.name, "daybook.example/log");
        assert_int_equal(dbk_audit_last(w->audit, &key, &last, &w->s.err), DBK_OK);
        assert_string_equal(last.text, w->shown.text);
    }
}

static void a_record_is_proven_by_a_file_of_its_own(void **state)
{
    struct world *w = *state;
    char *text = malloc(DBK_LOG_PROOF_TEXT + 1);
    struct dbk_batch batch = {0};
    struct dbk_log_checkpoint read;
    struct dbk_log_proof proof;
    struct dbk_vkey key;
    struct dbk_hash entry;
    size_t length;

    fill(&w->s, &w->person, 400);
    start(w, NULL);
    await_signed(w);
    assert_int_equal(dbk_notary_vkey(w->notary, &key, NULL), DBK_OK);
    for (uint64_t sequence = 1; sequence <= 401; sequence += 80) {
        assert_int_equal(
            dbk_notary_proof(w->notary, sequence, text, &length, &w->s.err), DBK_OK);
        assert_int_equal(length, strlen(text));
        assert_int_equal(
            dbk_log_proof_parse((struct dbk_slice){text, length}, &proof, &w->s.err),
            DBK_OK);
        assert_int_equal(proof.index, sequence - 1);
        assert_int_equal(
            dbk_log_checkpoint_open(proof.checkpoint, &key, &read, NULL, &w->s.err),
            DBK_OK);
        assert_int_equal(
            dbk_log_read(w->s.log, sequence - 1, 1, 1 << 20, &batch, &w->s.err),
            DBK_OK);
        dbk_hash_entry(batch.bytes, batch.entries[0].length, &entry);
        assert_true(dbk_proof_includes(&proof.path, &entry, proof.index, read.size,
                                       &read.root));
    }
    assert_int_equal(dbk_notary_proof(w->notary, 402, text, &length, &w->s.err),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_notary_proof(w->notary, 0, text, &length, &w->s.err),
                     DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
    free(text);
}

static void it_goes_on_where_it_was_with_or_without_the_trees_file(void **state)
{
    struct world *w = *state;
    struct stat status;

    fill(&w->s, &w->person, 1000);
    for (unsigned i = 0; i < 4; i++) {
        start(w, "a.example/log");
        await_signed(w);
        stop_notary(w);
        assert_int_equal(stat(path(w, "tree"), &status), 0);
        assert_int_equal(status.st_size, 32 + (1001 + 100 * i) / 256 * 32);
        if (i == 1)
            assert_int_equal(unlink(path(w, "tree")), 0);
        if (i == 2)
            assert_int_equal(truncate(path(w, "tree"), 40), 0);
        fill(&w->s, &w->person, 100);
    }
    /* One line, when the key was made. */
    assert_ptr_equal(strstr(w->told, "the log is signed from now on by a.example/log+"),
                     w->told);
    assert_ptr_equal(strchr(w->told, '\n'), strrchr(w->told, '\n'));
}

static void keep_older(struct world *w)
{
    char file[128];

    snprintf(file, sizeof file, "%s/data.mdb", w->s.dir);
    dbk_log_close(w->s.log);
    copy_file(file, w->older);
    scratch_open(&w->s);
}

static void put_older_back(struct world *w)
{
    char file[128];

    snprintf(file, sizeof file, "%s/data.mdb", w->s.dir);
    dbk_log_close(w->s.log);
    copy_file(w->older, file);
    scratch_open(&w->s);
}

/* Also where it has more records by now than were signed. */
static void a_log_that_was_put_back_goes_on_and_is_not_signed(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint last;
    struct dbk_notary_state told;
    struct dbk_skey key;

    fill(&w->s, &w->person, 500);
    keep_older(w);
    fill(&w->s, &w->person, 11 + 256);
    start(w, "a.example/log");
    await_signed(w);
    last = w->shown;
    stop_notary(w);
    put_older_back(w);
    start(w, "a.example/log");
    told = await_code(w, DBK_MOVED);
    assert_false(told.signs);
    assert_non_null(strstr(told.why, "it has 501 records, and 768 were signed"));
    assert_int_equal(dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err),
                     DBK_UNAVAILABLE);
    assert_non_null(strstr(w->s.err.text, "it was put back to an earlier state"));
    fill(&w->s, &w->person, 600); /* it goes on */
    assert_int_equal(
        dbk_notary_await(w->notary, 700, PATIENCE_MS, &w->shown, &w->s.err),
        DBK_UNAVAILABLE);
    stop_notary(w);
    start(w, "a.example/log");
    told = await_code(w, DBK_MOVED);
    assert_non_null(
        strstr(told.why, "its first 768 records are not those that were signed"));
    stop_notary(w);
    assert_int_equal(dbk_audit_key(w->audit, &key, &w->s.err), DBK_OK);
    assert_int_equal(dbk_audit_last(w->audit, &key.vkey, &w->shown, &w->s.err), DBK_OK);
    assert_string_equal(w->shown.text, last.text); /* it is as it was */
}

static void records_that_were_changed_are_not_signed_again(void **state)
{
    struct world *w = *state;
    struct dbk_hash tile[DBK_TILE_WIDTH];

    fill(&w->s, &w->person, 800);
    start(w, "a.example/log");
    await_signed(w);
    stop_notary(w);
    change_record(&w->s, 300);
    start(w, "a.example/log"); /* the tree's file knows what was signed */
    await_code(w, DBK_OK);
    assert_int_equal(
        dbk_tree_tile(dbk_notary_tree(w->notary), 0, 1, 256, tile, &w->s.err),
        DBK_DAMAGED);
    stop_notary(w);
    assert_int_equal(unlink(path(w, "tree")), 0);
    start(w, "a.example/log");
    await_code(w, DBK_MOVED);
}

static void what_cannot_be_put_on_disk_is_not_shown(void **state)
{
    struct world *w = *state;
    struct dbk_signed_checkpoint before;

    start(w, "a.example/log");
    await_signed(w);
    before = w->shown;
    assert_int_equal(mkdir(path(w, "last.tmp"), 0700), 0); /* where it would write */
    fill(&w->s, &w->person, 5);
    assert_int_equal(
        dbk_notary_await(w->notary, head_of(&w->s), PATIENCE_MS, &w->shown, &w->s.err),
        DBK_UNAVAILABLE);
    await_code(w, DBK_IO);
    assert_int_equal(dbk_notary_checkpoint(w->notary, &w->shown, &w->s.err), DBK_OK);
    assert_string_equal(w->shown.text, before.text);
    assert_int_equal(rmdir(path(w, "last.tmp")), 0);
    await_signed(w);
    await_told(w, "the log is signed again");
}

/* Nobody waits for it, so it signs by the interval; between two trials nothing is better. */
static void that_nothing_is_signed_is_so_until_something_is(void **state)
{
    struct world *w = *state;
    const struct dbk_notary_options options = {
        .apart_ms = 10, .interval_ms = 1500, .report = note_line, .report_context = w};
    struct dbk_notary_state now;

    assert_int_equal(
        dbk_notary_start(w->audit, w->s.log, &options, &w->notary, &w->s.err), DBK_OK);
    await_signed(w);
    assert_int_equal(mkdir(path(w, "last.tmp"), 0700), 0); /* where it would write */
    fill(&w->s, &w->person, 5);
    await_code(w, DBK_IO);
    dbk_sleep_ms(1200); /* it has tried again */
    dbk_notary_state(w->notary, &now);
    assert_false(now.signs);
    assert_int_equal(rmdir(path(w, "last.tmp")), 0);
    await_code(w, DBK_OK);
    dbk_notary_state(w->notary, &now);
    assert_true(now.signed_size == head_of(&w->s));
}

/* As after a commit that failed: what is visible may not be on disk. */
static void what_is_not_known_to_be_on_disk_is_not_signed(void **state)
{
    struct world *w = *state;

    start(w, "a.example/log");
    await_signed(w);
    atomic_store(&disk_fails, true);
    atomic_store(&w->s.log->settled, false);
    await_code(w, DBK_IO);
    atomic_store(&disk_fails, false);
    await_signed(w);
    assert_true(atomic_load(&w->s.log->settled));
}

static void who_waits_is_told_when_there_is_none_in_time(void **state)
{
    struct world *w = *state;

    start(w, "a.example/log");
    await_signed(w);
    assert_int_equal(
        dbk_notary_await(w->notary, head_of(&w->s) + 1, 10, &w->shown, &w->s.err),
        DBK_TIMEOUT);
}

/* Killed at any moment. */

enum { KILLS = 24, LINES_MAX = 20000 };

struct shown_line {
    uint64_t size;
    struct dbk_hash root;
};

static void *append(void *argument)
{
    struct world *w = argument;

    for (;;)
        fill(&w->s, &w->person, 17);
    return NULL;
}

/* Tells what it shows, by fd. */
static void be_server(struct world *w, int fd)
{
    pthread_t thread;

    scratch_open(&w->s);
    start(w, "a.example/log");
    pthread_create(&thread, NULL, append, w);
    for (uint64_t size = 0;;) {
        struct shown_line line;

        if (dbk_notary_await(w->notary, size + 1, PATIENCE_MS, &w->shown, NULL) !=
            DBK_OK) {
            dbk_sleep_ms(1);
            continue;
        }
        size = w->shown.checkpoint.size;
        line = (struct shown_line){size, w->shown.checkpoint.root};
        if (write(fd, &line, sizeof line) != sizeof line)
            _exit(1);
    }
}

/* After ms, or with ms 0 when it has shown something, which `from` reads. */
/* One more of those that were shown. False: none within ms. */
static bool take_line(int fd, int ms, struct shown_line *line)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    return poll(&poller, 1, ms) == 1 && read(fd, line, sizeof *line) == sizeof *line;
}

/* Somewhere in its start, or, where it is to have shown one before, behind that. */
static bool run_and_kill(struct world *w, const int fds[2], bool shown, int ms,
                         struct shown_line *line)
{
    pid_t child = fork();
    bool taken;

    assert_true(child >= 0);
    if (child == 0)
        be_server(w, fds[1]);
    taken = shown && take_line(fds[0], PATIENCE_MS, line);
    dbk_sleep_ms(ms);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return taken;
}

static void what_was_shown_before_any_kill_is_extended(void **state)
{
    struct world *w = *state;
    struct shown_line lines[LINES_MAX];
    struct dbk_tree_source of_log;
    struct dbk_hash root;
    struct dbk_tree *tree;
    size_t count = 0;
    int fds[2];

    dbk_log_close(w->s.log);
    w->s.log = NULL;
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < KILLS; i++) {
        count += run_and_kill(w, fds, i % 2 == 0, i * 13 % 37, &lines[count]);
        while (count < LINES_MAX - 1 && take_line(fds[0], 0, &lines[count]))
            count++;
    }
    scratch_open(&w->s);
    start(w, "a.example/log");
    await_signed(w);
    of_log = dbk_tree_of_log(w->s.log);
    assert_int_equal(dbk_tree_create(&of_log, &tree, NULL), DBK_OK);
    assert_int_equal(dbk_tree_grow(tree, head_of(&w->s), NULL, NULL), DBK_OK);
    assert_true(count >= KILLS / 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(dbk_tree_root(tree, lines[i].size, &root, &w->s.err), DBK_OK);
        assert_true(dbk_hash_equal(&root, &lines[i].root));
    }
    close(fds[0]);
    close(fds[1]);
    dbk_tree_destroy(tree);
}

static uint64_t await_look(unsigned number)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    while (atomic_load(&looked) <= number) {
        assert_true(dbk_deadline_left(until) > 0);
        dbk_sleep_ms(5);
    }
    return atomic_load(&looks[number]);
}

/* It comes by one commit, so that the look behind it finds no more. */
static void most_of_a_burst_is_hashed_behind_it(void **state)
{
    struct world *w = *state;
    const struct dbk_notary_options options = {.apart_ms = 10, .at_once = 10};
    uint64_t head;

    assert_int_equal(
        dbk_notary_start(w->audit, w->s.log, &options, &w->notary, &w->s.err), DBK_OK);
    await_signed(w);
    head = head_of(&w->s);
    atomic_store(&looked, 0);
    atomic_store(&watched, dbk_notary_tree(w->notary));
    fill(&w->s, &w->person, 100);
    assert_int_equal(await_look(0), head + 10);
    assert_int_equal(await_look(1), head + 100);
    fill(&w->s, &w->person, 100);
    await_signed(w); /* who waits does not wait for that */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_shown_before_any_kill_is_extended),
        TEST(what_is_appended_is_signed_and_on_disk_before_it_is_shown),
        TEST(a_record_is_proven_by_a_file_of_its_own),
        TEST(it_goes_on_where_it_was_with_or_without_the_trees_file),
        TEST(a_log_that_was_put_back_goes_on_and_is_not_signed),
        TEST(records_that_were_changed_are_not_signed_again),
        TEST(what_cannot_be_put_on_disk_is_not_shown),
        TEST(that_nothing_is_signed_is_so_until_something_is),
        TEST(what_is_not_known_to_be_on_disk_is_not_signed),
        TEST(who_waits_is_told_when_there_is_none_in_time),
        TEST(most_of_a_burst_is_hashed_behind_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
