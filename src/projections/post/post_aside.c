#include "post_aside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void post_aside_init(struct post_aside *aside)
{
    memset(aside, 0, sizeof *aside);
    pthread_mutex_init(&aside->lock, NULL);
    fold_index_init(&aside->index);
}

void post_aside_finish(struct post_aside *aside)
{
    fold_index_finish(&aside->index);
    free(aside->list);
    pthread_mutex_destroy(&aside->lock);
}

static struct dbk_set_aside *find(const struct post_aside *aside,
                                  const struct dbk_uuid *person)
{
    size_t place;

    if (atomic_load(&aside->count) == 0 ||
        !fold_index_find(&aside->index, person, &place))
        return NULL;
    assert(place < aside->count);
    return &aside->list[place];
}

bool post_aside_skips(struct post_aside *aside, const struct dbk_uuid *person,
                      uint64_t sequence)
{
    struct dbk_set_aside *one = find(aside, person);

    if (!one)
        return false;
    if (sequence > one->last) {
        pthread_mutex_lock(&aside->lock);
        one->last = sequence;
        pthread_mutex_unlock(&aside->lock);
    }
    return true;
}

static bool grow(struct post_aside *aside)
{
    size_t size = aside->size ? aside->size * 2 : 16;
    struct dbk_set_aside *grown;

    if (aside->count < aside->size)
        return true;
    grown = realloc(aside->list, size * sizeof *grown);
    if (!grown)
        return false;
    aside->list = grown;
    aside->size = size;
    return true;
}

bool post_aside_add(struct post_aside *aside, const struct dbk_set_aside *one)
{
    bool done;

    assert(one->first <= one->last);
    if (one->has_person && find(aside, &one->person_id))
        return true;
    pthread_mutex_lock(&aside->lock);
    done =
        grow(aside) && (!one->has_person ||
                        fold_index_add(&aside->index, &one->person_id, aside->count));
    if (done) {
        aside->list[aside->count] = *one;
        atomic_fetch_add(&aside->count, 1);
    }
    pthread_mutex_unlock(&aside->lock);
    return done;
}

static void keep_notes(const struct post_aside *before, struct post_aside *now)
{
    for (size_t i = 0; i < now->count; i++) {
        struct dbk_set_aside *one = &now->list[i];
        const struct dbk_set_aside *known =
            one->has_person ? find(before, &one->person_id) : NULL;

        if (known && known->first == one->first && known->last < one->last)
            one->last = known->last;
    }
}

void post_aside_replace(struct post_aside *aside, struct post_aside *other)
{
    struct fold_index index = other->index;
    struct dbk_set_aside *list = other->list;
    size_t size = other->size, count = other->count;

    keep_notes(aside, other);
    pthread_mutex_lock(&aside->lock);
    other->index = aside->index;
    other->list = aside->list;
    other->size = aside->size;
    aside->index = index;
    aside->list = list;
    aside->size = size;
    if (atomic_load(&aside->count) > 0)
        atomic_fetch_add(&aside->healed, 1);
    atomic_store(&aside->count, count);
    pthread_mutex_unlock(&aside->lock);
    fold_index_clear(&other->index);
    atomic_store(&other->count, 0);
}

bool post_aside_person(struct post_aside *aside, const struct dbk_uuid *person,
                       struct dbk_set_aside *out)
{
    const struct dbk_set_aside *one;

    if (atomic_load(&aside->count) == 0)
        return false;
    pthread_mutex_lock(&aside->lock);
    one = find(aside, person);
    if (one)
        *out = *one;
    pthread_mutex_unlock(&aside->lock);
    return one != NULL;
}

static bool concerns(const struct dbk_set_aside *one, enum dbk_set_aside_of of,
                     uint64_t after, uint64_t to)
{
    if (of == DBK_SET_ASIDE_PERSONS)
        return one->no_row && after < one->first && one->first <= to;
    return one->first <= to && after < one->last;
}

bool post_aside_between(struct post_aside *aside, enum dbk_set_aside_of of,
                        uint64_t after, uint64_t to, struct dbk_set_aside *out)
{
    bool found = false;

    if (atomic_load(&aside->count) == 0)
        return false;
    pthread_mutex_lock(&aside->lock);
    for (size_t i = 0; !found && i < aside->count; i++) {
        found = concerns(&aside->list[i], of, after, to);
        if (found)
            *out = aside->list[i];
    }
    pthread_mutex_unlock(&aside->lock);
    return found;
}
