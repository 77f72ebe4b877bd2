/* clock.h - the clock that nobody sets, points of it by which something must be done, and
 * waiting until then.
 *
 * All of it is CLOCK_MONOTONIC; what time it is for people is timestamp.h. Functions may
 * be called by any thread.
 */
#ifndef DBK_STORE_CLOCK_H
#define DBK_STORE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline int64_t dbk_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t dbk_clock_ms(void)
{
    return dbk_clock_us() / 1000;
}

/* As of the kernel's last tick, up to 10 ms ago, and several times cheaper. */
static inline int64_t dbk_clock_tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The millisecond of the clock by which something must be done. */
typedef int64_t dbk_deadline;

static inline dbk_deadline dbk_deadline_in(int ms)
{
    return dbk_clock_ms() + ms;
}

/* Milliseconds left, 0 when it has passed. */
static inline int dbk_deadline_left(dbk_deadline deadline)
{
    int64_t left = deadline - dbk_clock_ms();

    return left > 0 ? (int)left : 0;
}

/* Less where a signal comes. */
static inline void dbk_sleep_ms(int ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&pause, NULL);
}

/* A condition variable that dbk_cond_wait takes; destroyed by pthread_cond_destroy.
 * Answers as pthread_cond_init. */
static inline int dbk_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    int rc;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    rc = pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return rc;
}

/* Wait with the mutex held, as pthread_cond_wait does, but not past the deadline: false
 * when that has come. */
static inline bool dbk_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                 dbk_deadline deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000),
                                   .tv_nsec = (long)(deadline % 1000) * 1000000};

    return pthread_cond_timedwait(cond, mutex, &until) == 0;
}

#endif
