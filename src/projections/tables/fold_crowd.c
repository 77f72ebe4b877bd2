#include "fold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

void fold_crowds_init(struct fold_crowds *crowds)
{
    *crowds = (struct fold_crowds){0};
    fold_index_init(&crowds->index);
    anonymous_secret_init(&crowds->secret);
}

void fold_crowds_finish(struct fold_crowds *crowds)
{
    free(crowds->list);
    fold_index_finish(&crowds->index);
    *crowds = (struct fold_crowds){0};
}

void fold_crowds_clear(struct fold_crowds *crowds)
{
    crowds->count = 0;
    fold_index_clear(&crowds->index);
}

bool fold_crowd_gone(const struct fold *fold, const struct fold_crowd *crowd)
{
    return fold_deleted(fold, &crowd->owner);
}

/* The first of the anonymous id, or NULL. */
static struct fold_crowd *first_of(const struct fold_crowds *crowds,
                                   const struct dbk_uuid *key)
{
    size_t at;

    if (!fold_index_find(&crowds->index, key, &at))
        return NULL;
    assert(at < crowds->count); /* both are cleared at once */
    return &crowds->list[at];
}

static struct fold_crowd *next_of(const struct fold_crowds *crowds,
                                  const struct fold_crowd *crowd)
{
    assert(crowd->next <= crowds->count);
    return crowd->next ? &crowds->list[crowd->next - 1] : NULL;
}

static bool has_rows_of(const struct fold_crowds *crowds, struct fold_crowd *crowd,
                        const struct dbk_uuid *before)
{
    for (; crowd; crowd = next_of(crowds, crowd)) {
        if (crowd->has_rows && dbk_uuid_equal(&crowd->before, before))
            return true;
    }
    return false;
}

static bool room(struct fold_crowds *crowds)
{
    size_t size = crowds->size ? crowds->size * 2 : FIRST_SIZE;
    struct fold_crowd *list;

    if (crowds->count < crowds->size)
        return true;
    list = realloc(crowds->list, size * sizeof *list);
    if (!list)
        return false;
    crowds->list = list;
    crowds->size = size;
    return true;
}

/* One more of the anonymous id, behind its first. It has the rows that are this owner's
 * now, unless another has them. */
static struct fold_crowd *add(struct fold_crowds *crowds, const struct dbk_uuid *key,
                              struct dbk_slice anonymous_id,
                              const struct dbk_uuid *owner)
{
    struct fold_crowd *crowd, *first;

    if (!room(crowds))
        return NULL;
    first = first_of(crowds, key);
    if (!first && !fold_index_add(&crowds->index, key, crowds->count))
        return NULL;
    crowd = &crowds->list[crowds->count++];
    *crowd = (struct fold_crowd){.anonymous_id = anonymous_id,
                                 .has_rows = !has_rows_of(crowds, first, owner),
                                 .before = *owner,
                                 .owner = *owner};
    if (first) {
        crowd->next = first->next;
        first->next = crowds->count;
    }
    return crowd;
}

bool fold_crowd_join(struct fold *fold, struct dbk_slice anonymous_id,
                     const struct dbk_uuid *owner, size_t *place)
{
    struct fold_crowds *crowds = &fold->crowds;
    struct dbk_uuid key = anonymous_key(&crowds->secret, anonymous_id);
    struct fold_crowd *crowd = first_of(crowds, &key);

    while (crowd && !dbk_uuid_equal(&crowd->owner, owner))
        crowd = next_of(crowds, crowd);
    if (!crowd)
        crowd = add(crowds, &key, anonymous_id, owner);
    if (crowd)
        *place = (size_t)(crowd - crowds->list);
    return crowd != NULL;
}

bool fold_crowd_move(struct fold *fold, struct dbk_slice anonymous_id,
                     const struct dbk_uuid *from, const struct dbk_uuid *to)
{
    struct fold_crowds *crowds = &fold->crowds;
    struct dbk_uuid key = anonymous_key(&crowds->secret, anonymous_id);

    if (!has_rows_of(crowds, first_of(crowds, &key), from) &&
        !add(crowds, &key, anonymous_id, from))
        return false;
    for (struct fold_crowd *crowd = first_of(crowds, &key); crowd;
         crowd = next_of(crowds, crowd)) {
        if (dbk_uuid_equal(&crowd->owner, from))
            crowd->owner = *to;
    }
    return true;
}
