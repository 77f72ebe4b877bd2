#include "latency.h"

#include <stdlib.h>
#include <time.h>

double latency_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void latency_add(struct latency *latency, double seconds)
{
    if (latency->count == latency->size) {
        latency->size = latency->size ? 2 * latency->size : 4096;
        latency->seconds =
            realloc(latency->seconds, latency->size * sizeof *latency->seconds);
        if (!latency->seconds)
            exit(1);
    }
    latency->seconds[latency->count++] = (float)seconds;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double at(const struct latency *latency, double share)
{
    if (latency->count == 0)
        return 0;
    return 1e6 *
           (double)latency->seconds[(size_t)((double)(latency->count - 1) * share)];
}

void latency_print(struct latency *latency, FILE *out)
{
    if (latency->count > 0)
        qsort(latency->seconds, latency->count, sizeof *latency->seconds, compare);
    fprintf(out,
            "{\"count\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
            latency->count, at(latency, 0.5), at(latency, 0.99), at(latency, 1));
}

void latency_finish(struct latency *latency)
{
    free(latency->seconds);
}
