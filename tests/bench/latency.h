/* latency.h - how long each of many things took. Not thread-safe. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stddef.h>
#include <stdio.h>

/* Zero it before first use. */
struct latency {
    float *seconds;
    size_t count, size; /* private */
};

double latency_now(void); /* seconds on the monotonic clock */
void latency_add(struct latency *latency, double seconds);

/* Print {"count": .., "p50_us": .., "p99_us": .., "max_us": ..} and a line's end. */
void latency_print(struct latency *latency, FILE *out);
void latency_finish(struct latency *latency);

#endif
