#include "gather.h"

#include "store/metrics.h"

#include <assert.h>
#include <sched.h>

/* With the mutex held. NULL: nobody waits. */
static struct look_up *take_first(struct gather *gather)
{
    struct look_up *first = gather->first;

    if (!first)
        return NULL;
    gather->first = first->next;
    if (!gather->first)
        gather->last = &gather->first;
    return first;
}

void gather_pass_on(struct carrying *carrying)
{
    struct gather *gather = carrying->gather;
    struct look_up *next;

    if (carrying->passed_on)
        return;
    carrying->passed_on = true;
    pthread_mutex_lock(&gather->mutex);
    assert(gather->carriers > 0 && gather->carriers <= gather->carriers_max);
    next = take_first(gather);
    if (next)
        next->carries = true;
    else
        gather->carriers--;
    pthread_mutex_unlock(&gather->mutex);
    if (next)
        sem_post(&next->woken);
}

/* Those about to ask are taken along, too. */
static size_t take_along(struct gather *gather, struct look_up **asked)
{
    size_t count = 1;

    sched_yield();
    pthread_mutex_lock(&gather->mutex);
    while (count < gather->most && (asked[count] = take_first(gather)) != NULL)
        count++;
    pthread_mutex_unlock(&gather->mutex);
    return count;
}

void gather_now(struct gather *gather, struct look_up *const *asked, size_t count)
{
    struct carrying carrying = {.gather = gather, .passed_on = true};

    assert(count > 0 && count <= gather->most);
    if (count > 1)
        dbk_metric_add(DBK_METRIC_READS_GATHERED, count);
    gather->carry(gather->context, &carrying, asked, count);
}

/* The caller has been counted among the carriers. */
static void carry(struct gather *gather, struct look_up *own)
{
    struct carrying carrying = {.gather = gather};
    struct look_up *asked[GATHER_MAX] = {own};
    size_t count = take_along(gather, asked);

    if (count > 1)
        dbk_metric_add(DBK_METRIC_READS_GATHERED, count);
    gather->carry(gather->context, &carrying, asked, count);
    gather_pass_on(&carrying);
    for (size_t i = 1; i < count; i++)
        sem_post(&asked[i]->woken);
}

void gather_init(struct gather *gather, size_t most, unsigned carriers,
                 gather_carry *run, void *context)
{
    assert(most > 0 && most <= GATHER_MAX && carriers > 0);
    *gather = (struct gather){
        .carry = run, .context = context, .most = most, .carriers_max = carriers};
    gather->last = &gather->first;
    pthread_mutex_init(&gather->mutex, NULL);
}

void gather_finish(struct gather *gather)
{
    assert(gather->carriers == 0 && !gather->first);
    pthread_mutex_destroy(&gather->mutex);
}

/* Whether the caller carries, and is counted; else its look-up waits. */
static bool begin(struct gather *gather, struct look_up *look_up)
{
    bool carries;

    pthread_mutex_lock(&gather->mutex);
    carries = gather->carriers < gather->carriers_max;
    assert(!carries ||
           !gather->first); /* who ends a statement sees to those that wait */
    gather->carriers += carries;
    if (!carries) {
        *gather->last = look_up;
        gather->last = &look_up->next;
    }
    pthread_mutex_unlock(&gather->mutex);
    return carries;
}

void gather_ask(struct gather *gather, struct look_up *look_up)
{
    look_up->next = NULL;
    look_up->carries = false;
    sem_init(&look_up->woken, 0, 0);
    if (begin(gather, look_up)) {
        carry(gather, look_up);
    } else {
        while (sem_wait(&look_up->woken) != 0)
            ; /* a signal handler ran */
        if (look_up->carries)
            carry(gather, look_up);
    }
    sem_destroy(&look_up->woken);
}
