#include "parked.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct parked {
    pthread_mutex_t mutex; /* guards what follows */
    int size;              /* descriptors are below it */
    bool *in;
};

struct parked *parked_create(void)
{
    struct parked *parked = calloc(1, sizeof *parked);

    if (parked)
        pthread_mutex_init(&parked->mutex, NULL);
    return parked;
}

void parked_destroy(struct parked *parked)
{
    if (!parked)
        return;
    pthread_mutex_destroy(&parked->mutex);
    free(parked->in);
    free(parked);
}

/* Descriptors are small numbers, for a new one is the lowest that is free. */
static bool reserve(struct parked *parked, int fd)
{
    int size = fd + 64;
    bool *grown;

    if (fd < parked->size)
        return true;
    grown = realloc(parked->in, (size_t)size);
    if (!grown)
        return false;
    memset(grown + parked->size, 0, (size_t)(size - parked->size));
    parked->in = grown;
    parked->size = size;
    return true;
}

bool parked_add(struct parked *parked, int fd)
{
    bool added;

    pthread_mutex_lock(&parked->mutex);
    added = reserve(parked, fd);
    if (added)
        parked->in[fd] = true;
    pthread_mutex_unlock(&parked->mutex);
    return added;
}

void parked_remove(struct parked *parked, int fd)
{
    pthread_mutex_lock(&parked->mutex);
    if (fd < parked->size)
        parked->in[fd] = false;
    pthread_mutex_unlock(&parked->mutex);
}

bool parked_has(struct parked *parked, int fd)
{
    bool has;

    if (!parked)
        return false;
    pthread_mutex_lock(&parked->mutex);
    has = fd < parked->size && parked->in[fd];
    pthread_mutex_unlock(&parked->mutex);
    return has;
}
