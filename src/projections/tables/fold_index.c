#include "fold_index.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct fold_index *)0)->key),
               "the key is as long as the hash wants it");

enum { SIZE_MIN = 64 };

void fold_index_init(struct fold_index *index)
{
    memset(index, 0, sizeof *index);
    randombytes_buf(index->key, sizeof index->key);
}

void fold_index_finish(struct fold_index *index)
{
    free(index->slots);
    index->slots = NULL;
    index->size = index->count = 0;
}

void fold_index_clear(struct fold_index *index)
{
    if (index->count > 0)
        memset(index->slots, 0, index->size * sizeof *index->slots);
    index->count = 0;
}

/* The slot that has the id, or the free one where it belongs. */
static struct fold_slot *slot_of(const struct fold_index *index,
                                 const struct dbk_uuid *id)
{
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t at;

    assert(index->count < index->size); /* or it looks for ever */
    crypto_shorthash(hash, id->bytes, sizeof id->bytes, index->key);
    memcpy(&at, hash, sizeof at);
    for (;; at++) {
        struct fold_slot *slot = &index->slots[at & (index->size - 1)];

        if (slot->position == 0 || dbk_uuid_equal(&slot->id, id))
            return slot;
    }
}

bool fold_index_find(const struct fold_index *index, const struct dbk_uuid *id,
                     size_t *position)
{
    const struct fold_slot *slot;

    if (index->count == 0)
        return false;
    slot = slot_of(index, id);
    if (slot->position == 0)
        return false;
    if (position)
        *position = slot->position - 1;
    return true;
}

static bool grow(struct fold_index *index)
{
    struct fold_index larger = *index;

    larger.size = index->size ? index->size * 2 : SIZE_MIN;
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < index->size; i++) {
        if (index->slots[i].position)
            *slot_of(&larger, &index->slots[i].id) = index->slots[i];
    }
    free(index->slots);
    *index = larger;
    return true;
}

bool fold_index_add(struct fold_index *index, const struct dbk_uuid *id,
                    size_t position)
{
    struct fold_slot *slot;

    if (2 * (index->count + 1) > index->size && !grow(index))
        return false;
    slot = slot_of(index, id);
    assert(slot->position == 0); /* else its first position would be lost */
    slot->id = *id;
    slot->position = position + 1;
    index->count++;
    return true;
}

bool fold_index_put(struct fold_index *index, const struct dbk_uuid *id)
{
    return fold_index_find(index, id, NULL) || fold_index_add(index, id, 0);
}
