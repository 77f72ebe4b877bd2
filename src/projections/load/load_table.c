#include "load_table.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct load_table *)0)->key),
               "the key is as long as the hash wants it");

enum { BLOCK_ENTRIES = 1 << 14, SLOTS_MIN = 1 << 10 };

void load_table_init(struct load_table *table, size_t entry_size)
{
    *table = (struct load_table){.entry_size = entry_size};
    randombytes_buf(table->key, sizeof table->key);
}

void load_table_finish(struct load_table *table)
{
    for (size_t i = 0; i < table->block_count; i++)
        free(table->blocks[i]);
    free(table->blocks);
    free(table->slots);
    *table = (struct load_table){.entry_size = table->entry_size};
}

static char *entry_at(const struct load_table *table, size_t position)
{
    assert(position < table->block_count * BLOCK_ENTRIES);
    return table->blocks[position / BLOCK_ENTRIES] +
           position % BLOCK_ENTRIES * table->entry_size;
}

/* The slot that has the id, or the free one where it belongs. One is free. */
static uint32_t *slot_of(const struct load_table *table, const struct dbk_uuid *id)
{
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t at;

    assert(table->count < table->slot_count); /* or it looks for ever */
    crypto_shorthash(hash, id->bytes, sizeof id->bytes, table->key);
    memcpy(&at, hash, sizeof at);
    for (;; at++) {
        uint32_t *slot = &table->slots[at & (table->slot_count - 1)];

        if (*slot == 0 || !memcmp(entry_at(table, *slot - 1), id->bytes, sizeof *id))
            return slot;
    }
}

void *load_table_find(const struct load_table *table, const struct dbk_uuid *id)
{
    uint32_t slot;

    if (table->count == 0)
        return NULL;
    slot = *slot_of(table, id);
    return slot ? entry_at(table, slot - 1) : NULL;
}

static enum dbk_code no_memory(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

/* The old slots are not needed to make the new ones, so both are never there. */
static enum dbk_code grow_slots(struct load_table *table, struct dbk_error *err)
{
    size_t count = table->slot_count ? table->slot_count * 2 : SLOTS_MIN;
    struct dbk_uuid id;

    free(table->slots);
    table->slots = calloc(count, sizeof *table->slots);
    if (!table->slots) {
        table->slot_count = table->count = 0;
        return no_memory(err);
    }
    table->slot_count = count;
    for (size_t i = 0; i < table->count; i++) {
        memcpy(id.bytes, entry_at(table, i), sizeof id);
        *slot_of(table, &id) = (uint32_t)i + 1;
    }
    return DBK_OK;
}

static enum dbk_code add_block(struct load_table *table, struct dbk_error *err)
{
    char **blocks =
        realloc(table->blocks, (table->block_count + 1) * sizeof *table->blocks);

    if (!blocks)
        return no_memory(err);
    table->blocks = blocks;
    blocks[table->block_count] = calloc(BLOCK_ENTRIES, table->entry_size);
    if (!blocks[table->block_count])
        return no_memory(err);
    table->block_count++;
    return DBK_OK;
}

enum dbk_code load_table_add(struct load_table *table, const struct dbk_uuid *id,
                             void **entry, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    uint32_t *slot;

    if (table->count >= UINT32_MAX - 1)
        return dbk_fail(err, DBK_TOO_LARGE, "more than 4 billion ids in one log");
    if (4 * (table->count + 1) > 3 * table->slot_count)
        code = grow_slots(table, err);
    if (code == DBK_OK && table->count == table->block_count * BLOCK_ENTRIES)
        code = add_block(table, err);
    if (code != DBK_OK)
        return code;
    slot = slot_of(table, id);
    assert(*slot == 0); /* else the entry that has the id would be lost */
    *slot = (uint32_t)table->count + 1;
    *entry = entry_at(table, table->count++);
    memcpy(*entry, id->bytes, sizeof *id);
    return DBK_OK;
}
