/* What threads count comes to, whatever becomes of them. */
#include "store/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 20000 };

static uint64_t count_of(enum dbk_metric metric, size_t series)
{
    struct dbk_metrics *metrics = dbk_metrics_take();
    uint64_t count = dbk_metrics_count(metrics, metric, series);

    dbk_metrics_free(metrics);
    return count;
}

static struct dbk_histogram_counts histogram_of(enum dbk_histogram histogram,
                                                size_t series)
{
    struct dbk_metrics *metrics = dbk_metrics_take();
    struct dbk_histogram_counts counts;

    dbk_metrics_histogram(metrics, histogram, series, &counts);
    dbk_metrics_free(metrics);
    return counts;
}

static void what_is_counted_is_there_at_once(void **state)
{
    uint64_t before = count_of(DBK_METRIC_COMMITS, 0);

    (void)state;
    dbk_metric_add(DBK_METRIC_COMMITS, 1);
    dbk_metric_add(DBK_METRIC_COMMITS, 41);
    assert_int_equal(count_of(DBK_METRIC_COMMITS, 0), before + 42);
}

static void a_series_is_counted_apart_from_its_neighbours(void **state)
{
    const size_t last = (size_t)DBK_METRIC_ROUTES * DBK_METRIC_STATUSES - 1;

    (void)state;
    dbk_metric_add_to(DBK_METRIC_REQUESTS, last, 3);
    dbk_metric_add_to(DBK_METRIC_RECORDS, 0, 5);
    assert_int_equal(count_of(DBK_METRIC_REQUESTS, last), 3);
    assert_int_equal(count_of(DBK_METRIC_REQUESTS, last - 1), 0);
    assert_int_equal(count_of(DBK_METRIC_RECORDS, 0), 5);
    assert_int_equal(count_of(DBK_METRIC_RECORDS, 1), 0);
}

static void a_value_falls_into_the_first_bucket_that_holds_it(void **state)
{
    const uint64_t *bounds = dbk_histogram_kind(DBK_HISTOGRAM_COMMIT)->bounds;
    struct dbk_histogram_counts counts;

    (void)state;
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, 0);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, bounds[0]);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, bounds[0] + 1);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, bounds[DBK_HISTOGRAM_BOUNDS - 1]);
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, bounds[DBK_HISTOGRAM_BOUNDS - 1] + 1);
    counts = histogram_of(DBK_HISTOGRAM_COMMIT, 0);
    assert_int_equal(counts.buckets[0], 2);
    assert_int_equal(counts.buckets[1], 1);
    assert_int_equal(counts.buckets[DBK_HISTOGRAM_BOUNDS - 1], 1);
    assert_int_equal(counts.buckets[DBK_HISTOGRAM_BOUNDS], 1);
    assert_int_equal(counts.count, 5);
    assert_int_equal(counts.sum,
                     2 * bounds[0] + 2 + 2 * bounds[DBK_HISTOGRAM_BOUNDS - 1]);
}

static void bounds_rise(void **state)
{
    (void)state;
    for (size_t i = 0; i < DBK_HISTOGRAMS_COUNT; i++) {
        const uint64_t *bounds = dbk_histogram_kind((enum dbk_histogram)i)->bounds;
        for (size_t j = 1; j < DBK_HISTOGRAM_BOUNDS; j++)
            assert_true(bounds[j] > bounds[j - 1]);
    }
}

/* Names are one another's once, and say by their end what they are. */
static void names_keep_to_the_conventions(void **state)
{
    const char *names[DBK_METRICS_COUNT + DBK_HISTOGRAMS_COUNT];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < DBK_METRICS_COUNT; i++) {
        const char *name = dbk_metric_kind((enum dbk_metric)i)->name;
        assert_string_equal(name + strlen(name) - strlen("_total"), "_total");
        names[count++] = name;
    }
    for (size_t i = 0; i < DBK_HISTOGRAMS_COUNT; i++) {
        const struct dbk_metric_kind *kind = dbk_histogram_kind((enum dbk_histogram)i);
        assert_true((strstr(kind->name, "_seconds") != NULL) == kind->seconds);
        names[count++] = kind->name;
    }
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(strstr(names[i], "daybook_"), names[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void *count_some(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        dbk_metric_add(DBK_METRIC_READS_GATHERED, 1);
        dbk_metric_observe(DBK_HISTOGRAM_COMMIT_RECORDS, 2);
    }
    return NULL;
}

static atomic_bool done;

/* Counts never fall, and buckets are never more than there are values. */
static void *look(void *context)
{
    uint64_t *falls = context, before = 0;

    while (!atomic_load(&done)) {
        uint64_t now = count_of(DBK_METRIC_READS_GATHERED, 0);
        *falls += now < before;
        before = now;
    }
    return NULL;
}

static void each_count_is_seen_once_while_threads_come_and_go(void **state)
{
    uint64_t before = count_of(DBK_METRIC_READS_GATHERED, 0), falls = 0;
    struct dbk_histogram_counts counts;
    pthread_t threads[THREADS], looker;

    (void)state;
    atomic_store(&done, false);
    pthread_create(&looker, NULL, look, &falls);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, count_some, NULL), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(count_of(DBK_METRIC_READS_GATHERED, 0),
                         before + (uint64_t)(round + 1) * THREADS * ROUNDS);
    }
    atomic_store(&done, true);
    pthread_join(looker, NULL);
    assert_int_equal(falls, 0);
    counts = histogram_of(DBK_HISTOGRAM_COMMIT_RECORDS, 0);
    assert_int_equal(counts.count, 4 * THREADS * ROUNDS);
    assert_int_equal(counts.buckets[1], counts.count);
    assert_int_equal(counts.sum, 2 * counts.count);
}

static bool no_block;
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return no_block ? NULL : __real_aligned_alloc(alignment, size);
}

static void without_memory_threads_count_together(void **state)
{
    uint64_t before = count_of(DBK_METRIC_READS_GATHERED, 0);
    pthread_t threads[THREADS];

    (void)state;
    no_block = true;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_some, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    no_block = false;
    assert_int_equal(count_of(DBK_METRIC_READS_GATHERED, 0),
                     before + (uint64_t)THREADS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_is_there_at_once),
        cmocka_unit_test(a_series_is_counted_apart_from_its_neighbours),
        cmocka_unit_test(a_value_falls_into_the_first_bucket_that_holds_it),
        cmocka_unit_test(bounds_rise),
        cmocka_unit_test(names_keep_to_the_conventions),
        cmocka_unit_test(each_count_is_seen_once_while_threads_come_and_go),
        cmocka_unit_test(without_memory_threads_count_together),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL) != 0;
}
