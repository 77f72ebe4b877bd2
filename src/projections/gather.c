#include "gather.h"

void gather_init(struct gather *gather, size_t most, gather_carry *carry, void *context)
{
    *gather = (struct gather){.carry = carry, .context = context, .most = most};
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

static void carry(struct gather *gather, struct look_up *look_up)
{
    struct look_up *asked[GATHER_MAX] = {look_up}, *next;
    size_t count = 1;

    pthread_mutex_lock(&gather->mutex);
    while (count < gather->most && gather->first)
        asked[count++] = take_first(gather);
    pthread_mutex_unlock(&gather->mutex);

    gather->carry(gather->context, asked, count);

    pthread_mutex_lock(&gather->mutex);
    next = take_first(gather);
    if (next)
        next->carries = true;
    else
        gather->carriers--;
    pthread_mutex_unlock(&gather->mutex);
    /* The next carrier first: PostgreSQL has nothing to do until it asks. A look-up is
     * gone once its thread wakes. */
    if (next)
        sem_post(&next->woken);
    for (size_t i = 1; i < count; i++)
        sem_post(&asked[i]->woken);
}

void gather_ask(struct gather *gather, struct look_up *look_up)
{
    bool carries;

    look_up->next = NULL;
    look_up->carries = false;
    sem_init(&look_up->woken, 0, 0);
    pthread_mutex_lock(&gather->mutex);
    carries = gather->carriers < GATHER_CARRIERS;
    if (carries) {
        gather->carriers++;
    } else {
        *gather->last = look_up;
        gather->last = &look_up->next;
    }
    pthread_mutex_unlock(&gather->mutex);
    if (carries || wait_for_turn(look_up))
        carry(gather, look_up);
    sem_destroy(&look_up->woken);
}
