#include "gather.h"

#include <sched.h>

void gather_init(struct gather *gather, size_t most, unsigned carriers,
                 gather_carry *carry, void *context)
{
    *gather = (struct gather){
        .carry = carry, .context = context, .most = most, .carriers_max = carriers};
    gather->last = &gather->first;
    pthread_mutex_init(&gather->mutex, NULL);
}

void gather_finish(struct gather *gather)
{
    pthread_mutex_destroy(&gather->mutex);
}

/* With the mutex held. */
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

/* Wait to be answered, or to be the next to carry: true. */
static bool wait_for_turn(struct look_up *look_up)
{
    while (sem_wait(&look_up->woken) != 0)
        ; /* a signal handler ran */
    return look_up->carries;
}

void gather_pass_on(struct gather *gather, struct look_up *carrier)
{
    struct look_up *next;

    if (!carrier->carries)
        return;
    carrier->carries = false;
    pthread_mutex_lock(&gather->mutex);
    next = take_first(gather);
    if (next)
        next->carries = true;
    else
        gather->carriers--;
    pthread_mutex_unlock(&gather->mutex);
    if (next)
        sem_post(&next->woken);
}

static void carry(struct gather *gather, struct look_up *carrier)
{
    struct look_up *asked[GATHER_MAX] = {carrier};
    size_t count = 1;

    sched_yield(); /* those about to ask are taken along */
    pthread_mutex_lock(&gather->mutex);
    while (count < gather->most && gather->first)
        asked[count++] = take_first(gather);
    pthread_mutex_unlock(&gather->mutex);
    gather->carry(gather->context, asked, count);
    gather_pass_on(gather, carrier);
    for (size_t i = 1; i < count; i++)
        sem_post(&asked[i]->woken); /* it is gone once its thread wakes */
}

void gather_ask(struct gather *gather, struct look_up *look_up)
{
    bool carries;

    look_up->next = NULL;
    sem_init(&look_up->woken, 0, 0);
    pthread_mutex_lock(&gather->mutex);
    look_up->carries = gather->carriers < gather->carriers_max;
    if (look_up->carries) {
        gather->carriers++;
    } else {
        *gather->last = look_up;
        gather->last = &look_up->next;
    }
    carries = look_up->carries; /* from here on, another may say that it does */
    pthread_mutex_unlock(&gather->mutex);
    if (carries || wait_for_turn(look_up))
        carry(gather, look_up);
    sem_destroy(&look_up->woken);
}
