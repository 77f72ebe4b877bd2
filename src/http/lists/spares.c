#include "spares.h"

#include <assert.h>

void spares_init(struct spares *spares)
{
    *spares = (struct spares){.count = 0};
    pthread_mutex_init(&spares->mutex, NULL);
}

void spares_finish(struct spares *spares)
{
    while (spares->count > 0)
        dbk_render_finish(&spares->list[--spares->count]);
    pthread_mutex_destroy(&spares->mutex);
}

void spares_lend(struct spares *spares, struct dbk_render *to)
{
    assert(to->length == 0);
    if (to->size >= SPARES_LEAST)
        return;
    pthread_mutex_lock(&spares->mutex);
    if (spares->count > 0)
        dbk_render_take(to, &spares->list[--spares->count]);
    pthread_mutex_unlock(&spares->mutex);
}

void spares_keep(struct spares *spares, struct dbk_render *from)
{
    if (from->size < SPARES_LEAST || from->size > SPARES_MOST)
        return;
    pthread_mutex_lock(&spares->mutex);
    if (spares->count < SPARES_MAX)
        dbk_render_take(&spares->list[spares->count++], from);
    pthread_mutex_unlock(&spares->mutex);
}
