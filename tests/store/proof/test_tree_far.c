/* A tree that is far behind: what two threads hash is what one would have, in its order,
 * whoever is late, whatever fails. */
#include "made_entries.h"
#include "tree_private.h"

#include "store/clock.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, SIZE = 3 * TREE_FAR + 1000, LATE = 10, NEVER = INT32_MAX };

/* A source that is late, or fails. */
static struct {
    pthread_t grows;
    atomic_uint calls;
    _Atomic uint64_t highest;   /* entry that was asked for */
    atomic_bool helped;         /* another thread than who grows has asked */
    bool first_is_late;         /* ... until later ones are there */
    bool helper_is_late;        /* ... at first, until the other has asked more */
    uint64_t broken;            /* that entry cannot be read */
    _Atomic unsigned broken_at; /* nor can what this call, and a later one, asks for */
    bool no_thread;
    atomic_int helpers_nice;
} made;

enum dbk_code __real_dbk_thread_start(pthread_t *thread, const char *name,
                                      void *(*body)(void *argument), void *argument,
                                      struct dbk_error *err);
enum dbk_code __wrap_dbk_thread_start(pthread_t *thread, const char *name,
                                      void *(*body)(void *argument), void *argument,
                                      struct dbk_error *err);
enum dbk_code __wrap_dbk_thread_start(pthread_t *thread, const char *name,
                                      void *(*body)(void *argument), void *argument,
                                      struct dbk_error *err)
{
    if (made.no_thread)
        return dbk_fail(err, DBK_IO, "no thread");
    return __real_dbk_thread_start(thread, name, body, argument, err);
}

static atomic_int callocs_left, reallocs_left;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return atomic_fetch_sub(&callocs_left, 1) > 0 ? __real_calloc(count, size) : NULL;
}

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return atomic_fetch_sub(&reallocs_left, 1) > 0
               ? __real_reallocarray(old, count, size)
               : NULL;
}

static bool has_two_processors(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* Until others have come that far. False: they do not. */
static bool await(bool (*over)(unsigned), unsigned than)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);

    while (!over(than) && dbk_deadline_left(until) > 0)
        dbk_sleep_ms(1);
    return over(than);
}

static bool is_past(unsigned entry)
{
    return atomic_load(&made.highest) > entry;
}

static bool is_called_more(unsigned calls)
{
    return atomic_load(&made.calls) > calls;
}

/* Of this thread. */
static int own_nice(void)
{
    return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

static enum dbk_code entries(void *context, uint64_t first, size_t count,
                             struct dbk_hash *out, struct dbk_error *err)
{
    const bool helps = !pthread_equal(pthread_self(), made.grows);
    const unsigned call = atomic_fetch_add(&made.calls, 1) + 1;
    uint64_t highest = atomic_load(&made.highest);

    (void)context;
    while (first > highest &&
           !atomic_compare_exchange_weak(&made.highest, &highest, first))
        ;
    if (made.first_is_late && first == 0 && !await(is_past, LATE * 4096))
        return dbk_fail(err, DBK_TIMEOUT, "nobody hashes what is behind it");
    if (helps)
        atomic_store(&made.helpers_nice, own_nice());
    if (helps && !atomic_exchange(&made.helped, true) && made.helper_is_late &&
        !await(is_called_more, call + LATE))
        return dbk_fail(err, DBK_TIMEOUT, "nobody hashes meanwhile");
    if (call >= atomic_load(&made.broken_at) ||
        (first <= made.broken && made.broken < first + count))
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 " is damaged",
                        made.broken + 1);
    return made_entries(NULL, first, count, out, err);
}

static struct dbk_hash expected[SIZE + 1]; /* entries */

static void *end_at_once(void *argument)
{
    return argument;
}

/* A sanitizer may begin a thread of its own with the first. */
static int make_expected(void **state)
{
    pthread_t thread;

    (void)state;
    if (pthread_create(&thread, NULL, end_at_once, NULL) != 0 ||
        pthread_join(thread, NULL) != 0)
        return -1;
    return made_entries(NULL, 0, SIZE + 1, expected, NULL);
}

static int setup(void **state)
{
    const struct dbk_tree_source source = {.entries = entries};

    memset(&made, 0, sizeof made);
    made.grows = pthread_self();
    made.broken = UINT64_MAX;
    atomic_store(&made.broken_at, NEVER);
    atomic_store(&callocs_left, NEVER);
    atomic_store(&reallocs_left, NEVER);
    return dbk_tree_create(&source, (struct dbk_tree **)state, NULL);
}

static int teardown(void **state)
{
    atomic_store(&callocs_left, NEVER);
    dbk_tree_destroy(*state);
    return 0;
}

/* As one thread makes it, without a source. */
static void assert_is(struct dbk_tree *tree, uint64_t size)
{
    struct dbk_hash root, other;
    struct dbk_tree *plain;

    assert_int_equal(dbk_tree_size(tree), size);
    assert_int_equal(dbk_tree_create(NULL, &plain, NULL), DBK_OK);
    assert_int_equal(dbk_tree_add(plain, expected, size, NULL), DBK_OK);
    assert_int_equal(dbk_tree_root(plain, size, &root, NULL), DBK_OK);
    assert_int_equal(dbk_tree_root(tree, size, &other, NULL), DBK_OK);
    assert_true(dbk_hash_equal(&root, &other));
    assert_int_equal(plain->kept[0].count, tree->kept[0].count);
    assert_memory_equal(plain->kept[0].nodes, tree->kept[0].nodes,
                        plain->kept[0].count * sizeof root);
    dbk_tree_destroy(plain);
}

static void assert_grows(struct dbk_tree *tree, uint64_t size)
{
    struct dbk_error err;

    if (dbk_tree_grow(tree, size, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_is(tree, size);
}

static unsigned count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;

    assert_non_null(tasks);
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count;
}

/* One that was joined is listed for a moment more. */
static bool are_threads(unsigned count)
{
    return count_threads() == count;
}

static void two_hash_while_it_is_far_behind_and_one_when_it_is_not(void **state)
{
    const unsigned before = count_threads();

    made.first_is_late = has_two_processors();
    assert_grows(*state, TREE_FAR);
    assert_int_equal(atomic_load(&made.helped), has_two_processors());
    assert_true(await(are_threads, before));
    atomic_store(&made.helped, false);
    assert_grows(*state, 2 * TREE_FAR - 1);
    assert_false(atomic_load(&made.helped));
}

static void it_is_the_same_from_and_to_any_size(void **state)
{
    assert_grows(*state, 77);
    assert_grows(*state, 77 + TREE_FAR);
    assert_grows(*state, 2 * TREE_FAR + 256);
    assert_grows(*state, SIZE);
}

static void it_is_the_same_where_the_helper_is_late(void **state)
{
    made.helper_is_late = true;
    assert_grows(*state, SIZE);
    assert_int_equal(atomic_load(&made.helped), has_two_processors());
}

/* Each half, and the border; it is as far as one thread would have come. */
static void a_damaged_record_is_named_and_what_is_before_it_stays(void **state)
{
    static const uint64_t places[] = {0, 5000, 8191, 8192, TREE_FAR + 300, SIZE - 1};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct dbk_error err;
        char text[40];

        dbk_tree_clear(*state);
        made.broken = places[i];
        assert_int_equal(dbk_tree_grow(*state, SIZE, NULL, &err), DBK_DAMAGED);
        snprintf(text, sizeof text, "record %" PRIu64 " is damaged", places[i] + 1);
        assert_string_equal(err.text, text);
        assert_is(*state, places[i] / 256 * 256);
        made.broken = UINT64_MAX;
        assert_grows(*state, SIZE);
    }
}

static void what_failed_once_is_tried_again(void **state)
{
    struct dbk_error err;

    atomic_store(&made.broken_at, 9);
    assert_int_equal(dbk_tree_grow(*state, SIZE, NULL, &err), DBK_DAMAGED);
    assert_is(*state, dbk_tree_size(*state));
    atomic_store(&made.broken_at, NEVER);
    assert_grows(*state, SIZE);
}

static bool stop_after(void *context)
{
    unsigned *left = context;

    return (*left)-- == 0;
}

static void it_stops_in_between_and_goes_on_from_there(void **state)
{
    const unsigned before = count_threads();
    unsigned left = 5;
    const struct dbk_watch watch = {.stop = stop_after, .context = &left};
    struct dbk_error err;

    assert_int_equal(dbk_tree_grow(*state, SIZE, &watch, &err), DBK_INTERRUPTED);
    assert_is(*state, 6 * 4096);
    assert_true(await(are_threads, before));
    assert_grows(*state, SIZE);
}

/* It does not come back from there: the last test. */
static void who_helps_gives_way_as_who_grows_it_does(void **state)
{
    const int nice = own_nice() + 3;

    assert_int_equal(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice), 0);
    made.first_is_late = has_two_processors();
    assert_grows(*state, TREE_FAR);
    if (has_two_processors())
        assert_int_equal(atomic_load(&made.helpers_nice), own_nice());
}

static void one_goes_on_without_a_thread_or_memory_for_two(void **state)
{
    made.no_thread = true;
    assert_grows(*state, TREE_FAR);
    made.no_thread = false;
    atomic_store(&callocs_left, 0);
    assert_int_equal(dbk_tree_grow(*state, 2 * TREE_FAR, NULL, NULL), DBK_OK);
    atomic_store(&callocs_left, NEVER);
    assert_is(*state, 2 * TREE_FAR);
    assert_false(atomic_load(&made.helped));
}

/* There is some for 256 nodes and for one over them; the next is in the midst of a block. */
static void without_memory_for_the_tree_it_is_as_it_was(void **state)
{
    struct dbk_error err;

    assert_grows(*state, 77);
    atomic_store(&reallocs_left, 2);
    assert_int_equal(dbk_tree_grow(*state, SIZE, NULL, &err), DBK_NO_MEMORY);
    atomic_store(&reallocs_left, NEVER);
    assert_is(*state, 256 * 256);
    assert_grows(*state, SIZE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_hash_while_it_is_far_behind_and_one_when_it_is_not),
        TEST(it_is_the_same_from_and_to_any_size),
        TEST(it_is_the_same_where_the_helper_is_late),
        TEST(a_damaged_record_is_named_and_what_is_before_it_stays),
        TEST(what_failed_once_is_tried_again),
        TEST(it_stops_in_between_and_goes_on_from_there),
        TEST(one_goes_on_without_a_thread_or_memory_for_two),
        TEST(without_memory_for_the_tree_it_is_as_it_was),
        TEST(who_helps_gives_way_as_who_grows_it_does),
    };

    return cmocka_run_group_tests(tests, make_expected, NULL) != 0;
}
