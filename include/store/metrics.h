/* metrics.h - what the program counts, one list for all layers.
 *
 * A thread counts in a block of its own, so counting is an addition to memory that nobody
 * else writes: no lock, and no line of cache that processors pass around. Who asks adds the
 * blocks up. What a thread has counted stays when it ends. A count never falls while the
 * process lives; it begins at zero with it, and is of the process, not of one log.
 *
 * To add one is a line of the list below: GET /metrics shows it from then on. What is not
 * counted but looked up (a depth, a size) is not here: src/http/metrics/ asks its owner.
 */
#ifndef DBK_STORE_METRICS_H
#define DBK_STORE_METRICS_H

#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a metric is counted by: so many series. Those of a label that the store does not
 * know are numbered by their owner. */
#define DBK_METRIC_ONE 1
#define DBK_METRIC_TYPES DBK_TYPE_COUNT /* enum dbk_type */
#define DBK_METRIC_POOLS 2              /* enum dbk_metric_pool */
#define DBK_METRIC_FORWARD_OUTCOMES 3   /* enum dbk_metric_forward */
#define DBK_METRIC_ROUTES                                                              \
    64 /* by place in the table of routes; what is on none: the last */
#define DBK_METRIC_STATUSES                                                            \
    32 /* by place in a table of statuses; any other: the last */

enum dbk_metric_pool { DBK_POOL_LOOKUPS, DBK_POOL_LISTS };
enum dbk_metric_forward {
    DBK_FORWARD_ANSWERED,
    DBK_FORWARD_NOT_SENT,
    DBK_FORWARD_UNKNOWN, /* sent, and not answered */
};

/* COUNTER(ID, NAME, SERIES, HELP) and HISTOGRAM(ID, NAME, BOUNDS, SERIES, HELP), by the
 * conventions of Prometheus; BOUNDS is LATENCY (observed in microseconds, shown in
 * seconds) or SIZE. */
#define DBK_METRICS(COUNTER, HISTOGRAM)                                                \
    COUNTER(REQUESTS, "daybook_http_requests_total",                                   \
            DBK_METRIC_ROUTES *DBK_METRIC_STATUSES, "Requests that were answered.")    \
    HISTOGRAM(REQUEST, "daybook_http_request_duration_seconds", LATENCY,               \
              DBK_METRIC_ROUTES, "From a request's head to the end of its answer.")    \
    COUNTER(RECORDS, "daybook_records_total", DBK_METRIC_TYPES,                        \
            "Records that were appended.")                                             \
    COUNTER(COMMITS, "daybook_commits_total", DBK_METRIC_ONE,                          \
            "Transactions of the log that were committed.")                            \
    COUNTER(COMMIT_FAILURES, "daybook_commit_failures_total", DBK_METRIC_ONE,          \
            "Transactions of the log that failed.")                                    \
    HISTOGRAM(COMMIT, "daybook_commit_duration_seconds", LATENCY, DBK_METRIC_ONE,      \
              "How long a commit took, its sync included.")                            \
    HISTOGRAM(COMMIT_RECORDS, "daybook_commit_records", SIZE, DBK_METRIC_ONE,          \
              "Records that one commit appended.")                                     \
    COUNTER(PROJECTION_BATCHES, "daybook_projection_batches_total", DBK_METRIC_ONE,    \
            "Transactions that posted records into the read tables.")                  \
    COUNTER(READS_GATHERED, "daybook_reads_gathered_total", DBK_METRIC_ONE,            \
            "Reads of one person, or its events, that went along with others.")        \
    COUNTER(POOL_WAITS, "daybook_pool_waits_total", DBK_METRIC_POOLS,                  \
            "Reads that found no connection free.")                                    \
    HISTOGRAM(POOL_WAIT, "daybook_pool_wait_duration_seconds", LATENCY,                \
              DBK_METRIC_POOLS, "How long those waited for one.")                      \
    COUNTER(STANDBY_READS, "daybook_standby_reads_total", DBK_METRIC_ONE,              \
            "Reads that a standby of PostgreSQL answered.")                            \
    COUNTER(STREAMS_DROPPED, "daybook_streams_dropped_total", DBK_METRIC_ONE,          \
            "Streams that were ended because their reader was too slow.")              \
    COUNTER(FORWARDS, "daybook_cluster_forwards_total", DBK_METRIC_FORWARD_OUTCOMES,   \
            "Writes that were sent on to the server that leads.")                      \
    COUNTER(AUDIT_MISMATCHES, "daybook_audit_mismatches_total", DBK_METRIC_ONE,        \
            "Tiles and proofs that the log no longer bears out.")

#define DBK_METRIC_ID(id, ...) DBK_METRIC_##id,
#define DBK_HISTOGRAM_ID(id, ...) DBK_HISTOGRAM_##id,
#define DBK_METRIC_NONE(...)
enum dbk_metric { DBK_METRICS(DBK_METRIC_ID, DBK_METRIC_NONE) DBK_METRICS_COUNT };
enum dbk_histogram {
    DBK_METRICS(DBK_METRIC_NONE, DBK_HISTOGRAM_ID) DBK_HISTOGRAMS_COUNT
};

#define DBK_HISTOGRAM_BOUNDS                                                           \
    16 /* of each; what is above the last is in a bucket, too */

/* Add to a count. Thread-safe; never fails. */
void dbk_metric_add(enum dbk_metric metric, uint64_t n);
/* The same, of one of its series, which is less than there are. */
void dbk_metric_add_to(enum dbk_metric metric, size_t series, uint64_t n);

/* Count a value in its bucket: microseconds, or a size. Thread-safe; never fails. */
void dbk_metric_observe(enum dbk_histogram histogram, uint64_t value);
void dbk_metric_observe_in(enum dbk_histogram histogram, size_t series, uint64_t value);

/* What the metrics are. Static. */
struct dbk_metric_kind {
    const char *name, *help;
    size_t series;
    const uint64_t
        *bounds;  /* of a histogram, rising: a value up to one is in its bucket */
    bool seconds; /* of a histogram: values are microseconds */
};
const struct dbk_metric_kind *dbk_metric_kind(enum dbk_metric metric);
const struct dbk_metric_kind *dbk_histogram_kind(enum dbk_histogram histogram);

/* All counts, added up at one moment: each at least what had been counted before, by
 * whichever thread, when it was taken. */
struct dbk_metrics;

/* NULL: no memory. Takes a short lock that only threads that begin and end want too. */
struct dbk_metrics *dbk_metrics_take(void);
void dbk_metrics_free(struct dbk_metrics *metrics);

uint64_t dbk_metrics_count(const struct dbk_metrics *metrics, enum dbk_metric metric,
                           size_t series);

struct dbk_histogram_counts {
    uint64_t buckets[DBK_HISTOGRAM_BOUNDS + 1]; /* each alone, not those before it */
    uint64_t count;                             /* of all */
    uint64_t sum;                               /* of the values */
};
void dbk_metrics_histogram(const struct dbk_metrics *metrics,
                           enum dbk_histogram histogram, size_t series,
                           struct dbk_histogram_counts *out);

#endif
