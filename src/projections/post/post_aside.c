#include "post_aside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void post_aside_init(struct post_aside *aside)
{
    memset(aside, 0, sizeof *aside);
    pthread_mutex_init(&aside->lock, NULL);
    fold_index_init(&aside->index);
    fold_index_init(&aside->anonymous);
    anonymous_secret_init(&aside->secret);
}

void post_aside_finish(struct post_aside *aside)
{
    fold_index_finish(&aside->index);
    fold_index_finish(&aside->anonymous);
    free(aside->list);
    pthread_mutex_destroy(&aside->lock);
}

static struct dbk_set_aside *find(const struct post_aside *aside,
                                  const struct fold_index *index,
                                  const struct dbk_uuid *key)
{
    size_t place;

    if (!fold_index_find(index, key, &place))
        return NULL;
    assert(place < aside->count);
    return &aside->list[place];
}

static struct dbk_set_aside *find_party(const struct post_aside *aside,
                                        const struct post_party *party)
{
    struct dbk_uuid key;

    if (party->anonymous_id.length == 0)
        return find(aside, &aside->index, &party->person_id);
    key = anonymous_key(&aside->secret, party->anonymous_id);
    return find(aside, &aside->anonymous, &key);
}

/* Where the same one, of this list or of another, is; NULL also for who is nobody. */
static struct dbk_set_aside *find_same(const struct post_aside *aside,
                                       const struct dbk_set_aside *one)
{
    const struct post_party party = {.person_id = one->person_id,
                                     .anonymous_id = dbk_slice(one->anonymous_id)};

    return one->has_person || *one->anonymous_id ? find_party(aside, &party) : NULL;
}

bool post_aside_skips(struct post_aside *aside, const struct post_party *party,
                      uint64_t sequence)
{
    struct dbk_set_aside *one = find_party(aside, party);

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

static bool add_to_index(struct post_aside *aside, const struct dbk_set_aside *one)
{
    struct dbk_uuid key;

    if (one->has_person)
        return fold_index_add(&aside->index, &one->person_id, aside->count);
    if (!*one->anonymous_id)
        return true;
    key = anonymous_key(&aside->secret, dbk_slice(one->anonymous_id));
    return fold_index_add(&aside->anonymous, &key, aside->count);
}

bool post_aside_add(struct post_aside *aside, const struct dbk_set_aside *one)
{
    bool done;

    assert(one->first <= one->last);
    if (find_same(aside, one))
        return true;
    pthread_mutex_lock(&aside->lock);
    done = grow(aside) && add_to_index(aside, one);
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
        const struct dbk_set_aside *known = find_same(before, one);

        if (known && known->first == one->first && known->last < one->last)
            one->last = known->last;
    }
}

static void swap_index(struct fold_index *one, struct fold_index *other)
{
    struct fold_index before = *one;

    *one = *other;
    *other = before;
}

void post_aside_replace(struct post_aside *aside, struct post_aside *other)
{
    struct anonymous_secret secret = other->secret;
    struct dbk_set_aside *list = other->list;
    size_t size = other->size, count = other->count;

    keep_notes(aside, other);
    pthread_mutex_lock(&aside->lock);
    swap_index(&aside->index, &other->index);
    swap_index(&aside->anonymous, &other->anonymous);
    other->list = aside->list;
    other->size = aside->size;
    other->secret = aside->secret;
    aside->list = list;
    aside->size = size;
    aside->secret = secret;
    if (atomic_load(&aside->count) > 0)
        atomic_fetch_add(&aside->healed, 1);
    atomic_store(&aside->count, count);
    pthread_mutex_unlock(&aside->lock);
    fold_index_clear(&other->index);
    fold_index_clear(&other->anonymous);
    atomic_store(&other->count, 0);
}

bool post_aside_person(struct post_aside *aside, const struct dbk_uuid *person,
                       struct dbk_set_aside *out)
{
    const struct dbk_set_aside *one;

    if (atomic_load(&aside->count) == 0)
        return false;
    pthread_mutex_lock(&aside->lock);
    one = find(aside, &aside->index, person);
    if (one)
        *out = *one;
    pthread_mutex_unlock(&aside->lock);
    return one != NULL;
}

bool post_aside_anonymous(struct post_aside *aside, size_t *i,
                          struct dbk_set_aside *out)
{
    bool found = false;

    pthread_mutex_lock(&aside->lock);
    while (!found && *i < aside->count) {
        found = *aside->list[*i].anonymous_id != '\0';
        if (found)
            *out = aside->list[*i];
        ++*i;
    }
    pthread_mutex_unlock(&aside->lock);
    return found;
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
