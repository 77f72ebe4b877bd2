#include "exposition.h"

#include <stdio.h>

static void put_line(struct dbk_render *out, const char *mark, const char *name,
                     const char *text)
{
    dbk_render_text(out, mark);
    dbk_render_text(out, name);
    dbk_render_text(out, " ");
    dbk_render_text(out, text);
    dbk_render_text(out, "\n");
}

void exposition_begin(struct dbk_render *out, const char *name, const char *type,
                      const char *help)
{
    put_line(out, "# HELP ", name, help);
    put_line(out, "# TYPE ", name, type);
}

static void put_name(struct dbk_render *out, const char *name, const char *suffix,
                     const char *labels)
{
    dbk_render_text(out, name);
    dbk_render_text(out, suffix);
    if (*labels) {
        dbk_render_text(out, "{");
        dbk_render_text(out, labels);
        dbk_render_text(out, "}");
    }
    dbk_render_text(out, " ");
}

static void put_number(struct dbk_render *out, uint64_t value)
{
    dbk_render_number(out, value);
    dbk_render_text(out, "\n");
}

static void put_seconds(struct dbk_render *out, uint64_t microseconds)
{
    char text[32];

    snprintf(text, sizeof text, "%llu.%06u\n",
             (unsigned long long)(microseconds / 1000000),
             (unsigned)(microseconds % 1000000));
    dbk_render_text(out, text);
}

void exposition_number(struct dbk_render *out, const char *name, const char *labels,
                       uint64_t value)
{
    put_name(out, name, "", labels);
    put_number(out, value);
}

void exposition_seconds(struct dbk_render *out, const char *name, const char *labels,
                        uint64_t microseconds)
{
    put_name(out, name, "", labels);
    put_seconds(out, microseconds);
}

void exposition_gauge(struct dbk_render *out, const char *name, const char *help,
                      uint64_t value)
{
    exposition_begin(out, name, "gauge", help);
    exposition_number(out, name, "", value);
}

void exposition_gauge_seconds(struct dbk_render *out, const char *name,
                              const char *help, uint64_t microseconds)
{
    exposition_begin(out, name, "gauge", help);
    exposition_seconds(out, name, "", microseconds);
}

/* A bound as it is read and written elsewhere: 0.0025, 1, 10. */
static void put_bound(const struct dbk_metric_kind *kind, size_t bucket, char out[32])
{
    if (bucket == DBK_HISTOGRAM_BOUNDS)
        snprintf(out, 32, "+Inf");
    else if (kind->seconds)
        snprintf(out, 32, "%g", (double)kind->bounds[bucket] / 1e6);
    else
        snprintf(out, 32, "%llu", (unsigned long long)kind->bounds[bucket]);
}

void exposition_histogram(struct dbk_render *out, const struct dbk_metric_kind *kind,
                          const char *labels, const struct dbk_histogram_counts *counts)
{
    char with_bound[256], bound[32];
    uint64_t so_far = 0;

    for (size_t i = 0; i <= DBK_HISTOGRAM_BOUNDS; i++) {
        so_far += counts->buckets[i];
        put_bound(kind, i, bound);
        snprintf(with_bound, sizeof with_bound, "%s%sle=\"%s\"", labels,
                 *labels ? "," : "", bound);
        put_name(out, kind->name, "_bucket", with_bound);
        put_number(out, so_far);
    }
    put_name(out, kind->name, "_sum", labels);
    if (kind->seconds)
        put_seconds(out, counts->sum);
    else
        put_number(out, counts->sum);
    put_name(out, kind->name, "_count", labels);
    put_number(out, counts->count);
}
