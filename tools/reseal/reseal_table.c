#include "reseal_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void reseal_table_init(struct reseal_table *table)
{
    *table = (struct reseal_table){.size = 0};
    if (getrandom(&table->secret, sizeof table->secret, 0) != sizeof table->secret)
        table->secret = (uint64_t)(uintptr_t)table;
    table->secret |= 1;
}

void reseal_table_finish(struct reseal_table *table)
{
    free(table->entries);
    *table = (struct reseal_table){.size = 0};
}

static size_t place_of(const struct reseal_table *table, const struct dbk_uuid *key)
{
    uint64_t a, b;

    memcpy(&a, key->bytes, sizeof a);
    memcpy(&b, key->bytes + 8, sizeof b);
    a = (a ^ table->secret) * 0x9E3779B97F4A7C15u;
    a = (a ^ (a >> 29) ^ b) * (table->secret ^ 0xBF58476D1CE4E5B9u);
    return (size_t)(a ^ (a >> 32)) & (table->size - 1);
}

/* Where it is, or would be. */
static struct reseal_entry *seek(const struct reseal_table *table,
                                 const struct dbk_uuid *key)
{
    size_t at = place_of(table, key);

    while (table->entries[at].used && !dbk_uuid_equal(&table->entries[at].key, key))
        at = (at + 1) & (table->size - 1);
    return &table->entries[at];
}

static enum dbk_code grow(struct reseal_table *table, struct dbk_error *err)
{
    struct reseal_table grown = *table;

    grown.size = table->size ? 2 * table->size : 1024;
    grown.entries = calloc(grown.size, sizeof *grown.entries);
    if (!grown.entries)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to know %zu persons by",
                        table->count);
    for (size_t i = 0; i < table->size; i++) {
        if (table->entries[i].used)
            *seek(&grown, &table->entries[i].key) = table->entries[i];
    }
    free(table->entries);
    *table = grown;
    return DBK_OK;
}

struct reseal_entry *reseal_table_find(const struct reseal_table *table,
                                       const struct dbk_uuid *key)
{
    struct reseal_entry *entry = table->size > 0 ? seek(table, key) : NULL;

    return entry && entry->used ? entry : NULL;
}

struct reseal_entry *reseal_table_have(struct reseal_table *table,
                                       const struct dbk_uuid *key,
                                       struct dbk_error *err)
{
    struct reseal_entry *entry;

    if (2 * table->count >= table->size && grow(table, err) != DBK_OK)
        return NULL;
    entry = seek(table, key);
    if (!entry->used) {
        *entry = (struct reseal_entry){.key = *key, .used = true};
        table->count++;
    }
    return entry;
}
