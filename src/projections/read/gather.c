#include "gather.h"

#include "store/clock.h"
#include "store/thread.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

/* With the mutex held. */
static size_t take(struct gather *gather, struct dbk_look_up **asked)
{
    size_t count = 0;

    while (count < gather->most && gather->first) {
        asked[count++] = gather->first;
        gather->first = gather->first->next;
    }
    if (!gather->first)
        gather->last = &gather->first;
    return count;
}

void gather_pass_on(struct carrying *carrying)
{
    struct gather *gather = carrying->gather;

    if (carrying->passed_on)
        return;
    carrying->passed_on = true;
    pthread_mutex_lock(&gather->mutex);
    gather->carriers--;
    if (gather->first && gather->parked > gather->called) {
        gather->called++;
        pthread_cond_signal(&gather->ready);
    }
    pthread_mutex_unlock(&gather->mutex);
}

/* The caller has been counted among the carriers. */
static void carry(struct gather *gather)
{
    struct carrying carrying = {.gather = gather};
    struct dbk_look_up *asked[GATHER_MAX];
    size_t count;

    sched_yield(); /* those about to ask are taken along */
    pthread_mutex_lock(&gather->mutex);
    count = take(gather, asked);
    pthread_mutex_unlock(&gather->mutex);
    if (count > 0)
        gather->carry(gather->context, &carrying, asked, count);
    gather_pass_on(&carrying);
    for (size_t i = 0; i < count; i++)
        asked[i]->answered(asked[i]);
}

/* With the mutex held. */
static bool may_carry(const struct gather *gather)
{
    return gather->first && gather->carriers < gather->carriers_max;
}

static void *carry_on(void *argument)
{
    struct gather *gather = argument;

    pthread_mutex_lock(&gather->mutex);
    while (!gather->stopping) {
        if (may_carry(gather)) {
            gather->carriers++;
            pthread_mutex_unlock(&gather->mutex);
            carry(gather);
            pthread_mutex_lock(&gather->mutex);
            continue;
        }
        gather->parked++;
        pthread_cond_wait(&gather->ready, &gather->mutex);
        gather->parked--;
        if (gather->called > 0)
            gather->called--;
    }
    pthread_mutex_unlock(&gather->mutex);
    return NULL;
}

void gather_finish(struct gather *gather)
{
    if (!gather->threads)
        return;
    pthread_mutex_lock(&gather->mutex);
    gather->stopping = true;
    pthread_cond_broadcast(&gather->ready);
    pthread_mutex_unlock(&gather->mutex);
    for (unsigned i = 0; i < gather->thread_count; i++)
        pthread_join(gather->threads[i], NULL);
    free(gather->threads);
    gather->threads = NULL;
    pthread_cond_destroy(&gather->ready);
    pthread_mutex_destroy(&gather->mutex);
}

/* One thread more than statements, so that one can answer while the others ask. */
enum dbk_code gather_init(struct gather *gather, size_t most, unsigned carriers,
                          gather_carry *run, void *context, struct dbk_error *err)
{
    *gather = (struct gather){
        .carry = run, .context = context, .most = most, .carriers_max = carriers};
    gather->threads = calloc(carriers + 1, sizeof *gather->threads);
    if (!gather->threads)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    gather->last = &gather->first;
    pthread_mutex_init(&gather->mutex, NULL);
    pthread_cond_init(&gather->ready, NULL);
    for (; gather->thread_count < carriers + 1; gather->thread_count++)
        if (dbk_thread_start(&gather->threads[gather->thread_count], "dbk-gather",
                             carry_on, gather, err) != DBK_OK)
            break;
    if (gather->thread_count == carriers + 1)
        return DBK_OK;
    gather_finish(gather);
    return dbk_fail(err, DBK_NO_MEMORY, "no thread to look events and persons up");
}

void gather_ask(struct gather *gather, struct dbk_look_up *look_up)
{
    bool carries;

    look_up->next = NULL;
    pthread_mutex_lock(&gather->mutex);
    carries = gather->carriers < gather->carriers_max;
    gather->carriers += carries;
    *gather->last = look_up;
    gather->last = &look_up->next;
    pthread_mutex_unlock(&gather->mutex);
    if (carries)
        carry(gather);
}

struct waiting {
    struct dbk_look_up look_up;
    sem_t answered;
};

static void wake(struct dbk_look_up *look_up)
{
    struct waiting *waiting = (struct waiting *)look_up;

    sem_post(&waiting->answered);
}

void gather_wait(struct gather *gather, struct dbk_look_up *look_up)
{
    struct waiting waiting = {.look_up = *look_up};

    waiting.look_up.answered = wake;
    sem_init(&waiting.answered, 0, 0);
    gather_ask(gather, &waiting.look_up);
    while (sem_wait(&waiting.answered) != 0)
        ; /* a signal handler ran */
    sem_destroy(&waiting.answered);
    *look_up = waiting.look_up;
}
