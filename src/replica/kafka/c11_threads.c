/* C11's threads by POSIX's, for ThreadSanitizer only: it knows none but these, and dies in the
 * first thread of librdkafka, which uses the others. Linked into programs, these are taken
 * before the C library's; and so it sees librdkafka's locks, too. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "as in glibc");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "as in glibc");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "as in glibc");

struct start {
    thrd_start_t body;
    void *argument;
};

static void *run(void *context)
{
    struct start start = *(struct start *)context;

    free(context);
    return (void *)(intptr_t)start.body(start.argument);
}

static int outcome(int rc)
{
    return rc == 0 ? thrd_success : rc == ETIMEDOUT ? thrd_timedout : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t body, void *argument)
{
    struct start *start = malloc(sizeof *start);
    int rc;

    if (!start)
        return thrd_nomem;
    *start = (struct start){body, argument};
    rc = pthread_create((pthread_t *)thread, NULL, run, start);
    if (rc != 0)
        free(start);
    return outcome(rc);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int rc = pthread_join((pthread_t)thread, &value);

    if (rc == 0 && result)
        *result = (int)(intptr_t)value;
    return outcome(rc);
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    int rc;

    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    rc = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return outcome(rc);
}

int mtx_lock(mtx_t *mutex)
{
    return outcome(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return outcome(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *cond)
{
    return outcome(pthread_cond_init((pthread_cond_t *)cond, NULL));
}

int cnd_signal(cnd_t *cond)
{
    return outcome(pthread_cond_signal((pthread_cond_t *)cond));
}

int cnd_broadcast(cnd_t *cond)
{
    return outcome(pthread_cond_broadcast((pthread_cond_t *)cond));
}

int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return outcome(pthread_cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    return outcome(pthread_cond_timedwait((pthread_cond_t *)cond,
                                          (pthread_mutex_t *)mutex, until));
}

void cnd_destroy(cnd_t *cond)
{
    pthread_cond_destroy((pthread_cond_t *)cond);
}
