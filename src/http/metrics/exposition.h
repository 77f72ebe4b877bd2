/* exposition.h - Prometheus' text format, version 0.0.4: a family of metrics begins with
 * what it is, and has a sample a line.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#ifndef DBK_HTTP_EXPOSITION_H
#define DBK_HTTP_EXPOSITION_H

#include "store/metrics.h"
#include "store/render.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All that follow are in the family that was begun last, whose name they are given again.
 * labels: `route="/events",method="GET"`, which need no escaping; "" for none. */
void exposition_begin(struct dbk_render *out, const char *name, const char *type,
                      const char *help);
void exposition_number(struct dbk_render *out, const char *name, const char *labels,
                       uint64_t value);
/* Seconds, of microseconds. */
void exposition_seconds(struct dbk_render *out, const char *name, const char *labels,
                        uint64_t microseconds);

/* A gauge alone in its family. */
void exposition_gauge(struct dbk_render *out, const char *name, const char *help,
                      uint64_t value);
void exposition_gauge_seconds(struct dbk_render *out, const char *name,
                              const char *help, uint64_t microseconds);

/* The lines of one series of a histogram. */
void exposition_histogram(struct dbk_render *out, const struct dbk_metric_kind *kind,
                          const char *labels,
                          const struct dbk_histogram_counts *counts);

#endif
