#include "aside.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct aside {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct aside_item *first, **last;
    bool ending;
};

/* With the mutex held: the first, or NULL at the end. */
static struct aside_item *wait_for_item(struct aside *aside)
{
    struct aside_item *item;

    while (!aside->first && !aside->ending)
        pthread_cond_wait(&aside->changed, &aside->mutex);
    item = aside->first;
    if (item)
        aside->first = item->next;
    if (!aside->first)
        aside->last = &aside->first;
    return item;
}

static void *run(void *argument)
{
    struct aside *aside = argument;
    struct aside_item *item;

    pthread_mutex_lock(&aside->mutex);
    while ((item = wait_for_item(aside)) != NULL) {
        pthread_mutex_unlock(&aside->mutex);
        item->run(item);
        pthread_mutex_lock(&aside->mutex);
    }
    pthread_mutex_unlock(&aside->mutex);
    return NULL;
}

static void free_aside(struct aside *aside)
{
    pthread_cond_destroy(&aside->changed);
    pthread_mutex_destroy(&aside->mutex);
    free(aside);
}

struct aside *aside_create(void)
{
    struct aside *aside = calloc(1, sizeof *aside);

    if (!aside)
        return NULL;
    aside->last = &aside->first;
    pthread_mutex_init(&aside->mutex, NULL);
    pthread_cond_init(&aside->changed, NULL);
    if (pthread_create(&aside->thread, NULL, run, aside) == 0)
        return aside;
    free_aside(aside);
    return NULL;
}

void aside_destroy(struct aside *aside)
{
    if (!aside)
        return;
    pthread_mutex_lock(&aside->mutex);
    aside->ending = true;
    pthread_cond_signal(&aside->changed);
    pthread_mutex_unlock(&aside->mutex);
    pthread_join(aside->thread, NULL);
    free_aside(aside);
}

void aside_put(struct aside *aside, struct aside_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&aside->mutex);
    *aside->last = item;
    aside->last = &item->next;
    pthread_cond_signal(&aside->changed);
    pthread_mutex_unlock(&aside->mutex);
}
