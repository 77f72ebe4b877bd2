#include "counted.h"

#include "exposition.h"
#include "request_count.h"

#include <stdio.h>

#define LABELS REQUEST_COUNT_LABELS

const char *counted_pool(enum dbk_metric_pool pool)
{
    return pool == DBK_POOL_LOOKUPS ? "lookups" : "lists";
}

static void label_forward(size_t series, char labels[LABELS])
{
    static const char *const outcomes[] = {
        [DBK_FORWARD_ANSWERED] = "answered",
        [DBK_FORWARD_NOT_SENT] = "not_sent",
        [DBK_FORWARD_UNKNOWN] = "unknown",
    };

    snprintf(labels, LABELS, "outcome=\"%s\"", outcomes[series]);
}

static void label_pool(size_t series, char labels[LABELS])
{
    snprintf(labels, LABELS, "pool=\"%s\"", counted_pool((enum dbk_metric_pool)series));
}

/* False: there is no such series. */
static bool label_counter(enum dbk_metric metric, size_t series, uint64_t count,
                          char labels[LABELS])
{
    labels[0] = '\0';
    if (metric == DBK_METRIC_REQUESTS)
        request_count_status(series, labels);
    else if (metric == DBK_METRIC_RECORDS)
        snprintf(labels, LABELS, "type=\"%s\"", dbk_type_name((enum dbk_type)series));
    else if (metric == DBK_METRIC_POOL_WAITS)
        label_pool(series, labels);
    else if (metric == DBK_METRIC_FORWARDS)
        label_forward(series, labels);
    return !(metric == DBK_METRIC_REQUESTS && count == 0) &&
           !(metric == DBK_METRIC_RECORDS && series == 0); /* types begin at 1 */
}

static bool label_histogram(enum dbk_histogram histogram, size_t series, uint64_t count,
                            char labels[LABELS])
{
    labels[0] = '\0';
    if (histogram == DBK_HISTOGRAM_REQUEST)
        request_count_route(series, labels);
    else if (histogram == DBK_HISTOGRAM_POOL_WAIT)
        label_pool(series, labels);
    return histogram != DBK_HISTOGRAM_REQUEST || count > 0;
}

static void render_counter(const struct dbk_metrics *metrics, enum dbk_metric metric,
                           struct dbk_render *out)
{
    const struct dbk_metric_kind *kind = dbk_metric_kind(metric);
    char labels[LABELS];

    exposition_begin(out, kind->name, "counter", kind->help);
    for (size_t i = 0; i < kind->series; i++) {
        uint64_t count = dbk_metrics_count(metrics, metric, i);
        if (label_counter(metric, i, count, labels))
            exposition_number(out, kind->name, labels, count);
    }
}

static void render_histogram(const struct dbk_metrics *metrics,
                             enum dbk_histogram histogram, struct dbk_render *out)
{
    const struct dbk_metric_kind *kind = dbk_histogram_kind(histogram);
    struct dbk_histogram_counts counts;
    char labels[LABELS];

    exposition_begin(out, kind->name, "histogram", kind->help);
    for (size_t i = 0; i < kind->series; i++) {
        dbk_metrics_histogram(metrics, histogram, i, &counts);
        if (label_histogram(histogram, i, counts.count, labels))
            exposition_histogram(out, kind, labels, &counts);
    }
}

void counted_render(const struct dbk_metrics *metrics, struct dbk_render *out)
{
    for (size_t i = 0; i < DBK_METRICS_COUNT; i++)
        render_counter(metrics, (enum dbk_metric)i, out);
    for (size_t i = 0; i < DBK_HISTOGRAMS_COUNT; i++)
        render_histogram(metrics, (enum dbk_histogram)i, out);
}
