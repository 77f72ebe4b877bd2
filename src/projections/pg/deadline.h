/* deadline.h - a point of the monotonic clock by which something must be done. */
#ifndef DBK_PROJECTIONS_DEADLINE_H
#define DBK_PROJECTIONS_DEADLINE_H

#include <stdint.h>
#include <time.h>

typedef int64_t dbk_deadline; /* milliseconds */

static inline dbk_deadline dbk_deadline_in(int timeout_ms)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
}

/* Milliseconds left, 0 when it has passed. */
static inline int dbk_deadline_left(dbk_deadline deadline)
{
    int64_t left = deadline - dbk_deadline_in(0);

    return left > 0 ? (int)left : 0;
}

#endif
