#include "event_totals.h"

#include <string.h>

void event_totals_init(struct event_totals *totals)
{
    pthread_mutex_init(&totals->mutex, NULL);
}

void event_totals_finish(struct event_totals *totals)
{
    pthread_mutex_destroy(&totals->mutex);
}

void event_totals_tell(struct event_totals *totals, uint64_t tag)
{
    uint64_t before = atomic_load(&totals->tag);

    while (before < tag && !atomic_compare_exchange_weak(&totals->tag, &before, tag))
        ;
}

uint64_t event_totals_tag(const struct event_totals *totals)
{
    return atomic_load(&totals->tag);
}

/* The last bytes of an id are random, also where it is ordered by time. */
static struct event_totals_kept *set_of(struct event_totals *totals,
                                        const struct dbk_uuid *id)
{
    uint32_t last;

    memcpy(&last, (const char *)id + sizeof *id - sizeof last, sizeof last);
    return totals->kept[last % EVENT_TOTALS_SETS];
}

/* With the mutex held. NULL: it is not there. */
static struct event_totals_kept *find(struct event_totals *totals,
                                      const struct dbk_uuid *id)
{
    struct event_totals_kept *set = set_of(totals, id);

    for (size_t i = 0; i < EVENT_TOTALS_WAYS; i++) {
        if (set[i].tag != 0 && memcmp(&set[i].id, id, sizeof *id) == 0)
            return &set[i];
    }
    return NULL;
}

bool event_totals_find(struct event_totals *totals, uint64_t tag,
                       const struct dbk_uuid *id, struct event_total *total)
{
    const struct event_totals_kept *kept;
    bool known;

    *total = (struct event_total){0, 0};
    pthread_mutex_lock(&totals->mutex);
    kept = find(totals, id);
    known = kept && kept->tag == tag;
    if (known)
        *total = kept->total;
    pthread_mutex_unlock(&totals->mutex);
    return known;
}

void event_totals_keep(struct event_totals *totals, uint64_t tag,
                       const struct dbk_uuid *id, const struct event_total *total)
{
    struct event_totals_kept *kept;

    if (tag == 0)
        return;
    pthread_mutex_lock(&totals->mutex);
    kept = find(totals, id);
    if (!kept)
        kept = &set_of(totals, id)[totals->next++ % EVENT_TOTALS_WAYS];
    *kept = (struct event_totals_kept){*id, tag, *total};
    pthread_mutex_unlock(&totals->mutex);
}
