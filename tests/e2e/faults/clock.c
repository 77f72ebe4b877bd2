/* A system clock that a test sets: preloaded into the program, it adds to what the clock
 * says the seconds in the file named by DAYBOOK_TEST_CLOCK, an int64_t. The test may
 * change them at any time. The monotonic clocks go on as they are, as they do where an
 * administrator sets the real one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static int (*real)(clockid_t, struct timespec *);
static const _Atomic int64_t *seconds; /* in the file; NULL: the clock is as it is */

/* In a process that may not read the file, the clock is as it is. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DAYBOOK_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0)
        return;
    map = mmap(NULL, sizeof *seconds, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        seconds = map;
    close(fd);
}

/* Called before begin(), too: by what other libraries and sanitizers do when they start. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc;

    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    rc = real(clock, now);
    if (rc == 0 && seconds &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += atomic_load(seconds);
    return rc;
}

time_t time(time_t *out)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec at = {0};

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &at);
    *now = (struct timeval){at.tv_sec, at.tv_nsec / 1000};
    return 0;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* Until a time of that clock, which the C library does not know: of librdkafka's waits some
 * would be over at once, or never, where it is asked by the functions above. */
int cnd_timedwait(cnd_t *restrict changed, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec at = *until;

    if (!wait)
        wait = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(
            RTLD_NEXT, "cnd_timedwait");
    at.tv_sec -= seconds ? atomic_load(seconds) : 0;
    return wait(changed, mutex, &at);
}
