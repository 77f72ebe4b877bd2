#include "store/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LINE 64 /* bytes of a line of cache */

/* Of a histogram's series: its buckets, and the sum. */
#define CELLS (DBK_HISTOGRAM_BOUNDS + 2)

/* One place for each series; where a metric begins is an offset in it. */
struct layout {
#define COUNTER_CELLS(id, name, series, help) uint64_t metric_##id[series];
#define HISTOGRAM_CELLS(id, name, bounds, series, help)                                \
    uint64_t histogram_##id[(series)*CELLS];
    DBK_METRICS(COUNTER_CELLS, HISTOGRAM_CELLS)
};

#define CELLS_ALL (sizeof(struct layout) / sizeof(uint64_t))
#define CELL_OF(member) (offsetof(struct layout, member) / sizeof(uint64_t))

/* Written by one thread, read by any. */
struct block {
    alignas(LINE) _Atomic uint64_t cells[CELLS_ALL];
    struct block *next, **link; /* guarded by blocks.mutex */
};

struct dbk_metrics {
    uint64_t cells[CELLS_ALL];
};

/* Of the process, as what it counts is. */
static struct {
    pthread_once_t once;
    pthread_mutex_t mutex; /* guards the list */
    pthread_key_t key;     /* its destructor is told that a thread ends */
    bool has_key;
    struct block *first;
    struct block gone; /* what threads that ended have counted, and who got no block */
} blocks = {.once = PTHREAD_ONCE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct block *own_block;

#define MICROSECONDS                                                                   \
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,      \
        1000000, 2500000, 5000000, 10000000
static const uint64_t bounds_LATENCY[] = {MICROSECONDS};
enum { in_seconds_LATENCY = true, in_seconds_SIZE = false };
static const uint64_t bounds_SIZE[] = {1,   2,   4,    8,    16,   32,   64,    128,
                                       256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
static_assert(sizeof bounds_LATENCY / sizeof *bounds_LATENCY == DBK_HISTOGRAM_BOUNDS &&
                  sizeof bounds_SIZE / sizeof *bounds_SIZE == DBK_HISTOGRAM_BOUNDS,
              "all histograms have as many bounds");

#define NOTHING(...)
#define COUNTER_KIND(id, name, series, help) {name, help, series, NULL, false},
#define HISTOGRAM_KIND(id, name, bounds, series, help)                                 \
    {name, help, series, bounds_##bounds, in_seconds_##bounds},
static const struct dbk_metric_kind metric_kinds[] = {
    DBK_METRICS(COUNTER_KIND, NOTHING)};
static const struct dbk_metric_kind histogram_kinds[] = {
    DBK_METRICS(NOTHING, HISTOGRAM_KIND)};

#define COUNTER_CELL(id, name, series, help) CELL_OF(metric_##id),
#define HISTOGRAM_CELL(id, name, bounds, series, help) CELL_OF(histogram_##id),
static const size_t metric_cells[] = {DBK_METRICS(COUNTER_CELL, NOTHING)};
static const size_t histogram_cells[] = {DBK_METRICS(NOTHING, HISTOGRAM_CELL)};

/* What others add to. */
static void add_shared(struct block *block, size_t cell, uint64_t n)
{
    atomic_fetch_add_explicit(&block->cells[cell], n, memory_order_relaxed);
}

/* Under the lock, so that who adds up sees each count once. */
static void fold(void *context)
{
    struct block *block = context;

    own_block = NULL;
    pthread_mutex_lock(&blocks.mutex);
    for (size_t i = 0; i < CELLS_ALL; i++) {
        uint64_t n = atomic_load_explicit(&block->cells[i], memory_order_relaxed);
        if (n > 0)
            add_shared(&blocks.gone, i, n);
    }
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    pthread_mutex_unlock(&blocks.mutex);
    free(block);
}

static void make_key(void)
{
    blocks.has_key = pthread_key_create(&blocks.key, fold) == 0;
}

/* The calling thread's; where it can have none, the one that is shared. */
static struct block *begin_block(void)
{
    struct block *block;

    pthread_once(&blocks.once, make_key);
    block = blocks.has_key ? aligned_alloc(LINE, sizeof *block) : NULL;
    if (!block)
        return &blocks.gone;
    if (pthread_setspecific(blocks.key, block) != 0) {
        free(block);
        return &blocks.gone;
    }
    for (size_t i = 0; i < CELLS_ALL; i++)
        atomic_init(&block->cells[i], 0);
    pthread_mutex_lock(&blocks.mutex);
    block->next = blocks.first;
    block->link = &blocks.first;
    if (block->next)
        block->next->link = &block->next;
    blocks.first = block;
    pthread_mutex_unlock(&blocks.mutex);
    own_block = block;
    return block;
}

static void add(size_t cell, uint64_t n)
{
    struct block *block = own_block ? own_block : begin_block();
    uint64_t before;

    if (block == &blocks.gone) {
        add_shared(block, cell, n);
        return;
    }
    /* Nobody else writes it: no instruction that locks is needed. */
    before = atomic_load_explicit(&block->cells[cell], memory_order_relaxed);
    atomic_store_explicit(&block->cells[cell], before + n, memory_order_relaxed);
}

void dbk_metric_add_to(enum dbk_metric metric, size_t series, uint64_t n)
{
    assert(series < metric_kinds[metric].series);
    add(metric_cells[metric] + series, n);
}

void dbk_metric_add(enum dbk_metric metric, uint64_t n)
{
    dbk_metric_add_to(metric, 0, n);
}

void dbk_metric_observe_in(enum dbk_histogram histogram, size_t series, uint64_t value)
{
    const uint64_t *bounds = histogram_kinds[histogram].bounds;
    size_t first = histogram_cells[histogram] + series * CELLS, bucket = 0;

    assert(series < histogram_kinds[histogram].series);
    while (bucket < DBK_HISTOGRAM_BOUNDS && value > bounds[bucket])
        bucket++;
    add(first + bucket, 1);
    add(first + CELLS - 1, value);
}

void dbk_metric_observe(enum dbk_histogram histogram, uint64_t value)
{
    dbk_metric_observe_in(histogram, 0, value);
}

const struct dbk_metric_kind *dbk_metric_kind(enum dbk_metric metric)
{
    return &metric_kinds[metric];
}

const struct dbk_metric_kind *dbk_histogram_kind(enum dbk_histogram histogram)
{
    return &histogram_kinds[histogram];
}

static void add_up(struct block *block, struct dbk_metrics *metrics)
{
    for (size_t i = 0; i < CELLS_ALL; i++)
        metrics->cells[i] +=
            atomic_load_explicit(&block->cells[i], memory_order_relaxed);
}

struct dbk_metrics *dbk_metrics_take(void)
{
    struct dbk_metrics *metrics = calloc(1, sizeof *metrics);

    if (!metrics)
        return NULL;
    pthread_mutex_lock(&blocks.mutex);
    for (struct block *block = blocks.first; block; block = block->next)
        add_up(block, metrics);
    add_up(&blocks.gone, metrics);
    pthread_mutex_unlock(&blocks.mutex);
    return metrics;
}

void dbk_metrics_free(struct dbk_metrics *metrics)
{
    free(metrics);
}

uint64_t dbk_metrics_count(const struct dbk_metrics *metrics, enum dbk_metric metric,
                           size_t series)
{
    assert(series < metric_kinds[metric].series);
    return metrics->cells[metric_cells[metric] + series];
}

void dbk_metrics_histogram(const struct dbk_metrics *metrics,
                           enum dbk_histogram histogram, size_t series,
                           struct dbk_histogram_counts *out)
{
    const uint64_t *cells = &metrics->cells[histogram_cells[histogram]];

    assert(series < histogram_kinds[histogram].series);
    cells += series * CELLS;
    *out = (struct dbk_histogram_counts){.sum = cells[CELLS - 1]};
    for (size_t i = 0; i <= DBK_HISTOGRAM_BOUNDS; i++) {
        out->buckets[i] = cells[i];
        out->count += cells[i];
    }
}
