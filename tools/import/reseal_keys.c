#include "reseal_keys.h"

#include "store/proof/tree.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct reseal_entry {
    struct dbk_uuid key;   /* of a person; or of an anonymous id's hash */
    struct dbk_uuid owner; /* of an anonymous id, the nil UUID where nobody's */
    uint64_t number;       /* 0: none yet */
    uint32_t times;        /* how often it began anew */
    bool used, deleted, gone;
};

void reseal_keys_init(struct reseal_keys *keys, bool keep_deleted)
{
    *keys = (struct reseal_keys){.keep_deleted = keep_deleted};
    if (getrandom(&keys->secret, sizeof keys->secret, 0) != sizeof keys->secret)
        keys->secret = (uint64_t)(uintptr_t)keys;
    keys->secret |= 1;
}

void reseal_keys_finish(struct reseal_keys *keys)
{
    free(keys->known.entries);
    free(keys->anonymous.entries);
    free(keys->doomed.entries);
    *keys = (struct reseal_keys){.gone = 0};
}

/* Ids are the clients' own: by a secret, so that nobody makes them fall together. */
static size_t place_of(const struct reseal_keys *keys, const struct reseal_table *table,
                       const struct dbk_uuid *key)
{
    uint64_t a, b;

    memcpy(&a, key->bytes, sizeof a);
    memcpy(&b, key->bytes + 8, sizeof b);
    a = (a ^ keys->secret) * 0x9E3779B97F4A7C15u;
    a = (a ^ (a >> 29) ^ b) * (keys->secret ^ 0xBF58476D1CE4E5B9u);
    return (size_t)(a ^ (a >> 32)) & (table->size - 1);
}

/* Where it is, or would be. */
static struct reseal_entry *find(const struct reseal_keys *keys,
                                 const struct reseal_table *table,
                                 const struct dbk_uuid *key)
{
    size_t at;

    if (table->size == 0)
        return NULL;
    at = place_of(keys, table, key);
    while (table->entries[at].used && !dbk_uuid_equal(&table->entries[at].key, key))
        at = (at + 1) & (table->size - 1);
    return &table->entries[at];
}

static enum dbk_code grow(const struct reseal_keys *keys, struct reseal_table *table,
                          struct dbk_error *err)
{
    struct reseal_table grown = {.size = table->size ? 2 * table->size : 1024,
                                 .count = table->count};

    grown.entries = calloc(grown.size, sizeof *grown.entries);
    if (!grown.entries)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to know %zu persons by",
                        table->count);
    for (size_t i = 0; i < table->size; i++) {
        if (table->entries[i].used)
            *find(keys, &grown, &table->entries[i].key) = table->entries[i];
    }
    free(table->entries);
    *table = grown;
    return DBK_OK;
}

/* The entry, which is made where there is none. NULL: no memory. */
static struct reseal_entry *have(const struct reseal_keys *keys,
                                 struct reseal_table *table, const struct dbk_uuid *key,
                                 struct dbk_error *err)
{
    struct reseal_entry *entry;

    if (2 * table->count >= table->size && grow(keys, table, err) != DBK_OK)
        return NULL;
    entry = find(keys, table, key);
    if (!entry->used) {
        *entry = (struct reseal_entry){.key = *key, .used = true};
        table->count++;
    }
    return entry;
}

static struct reseal_entry *person_of(const struct reseal_keys *keys,
                                      const struct dbk_uuid *id)
{
    struct reseal_entry *entry = find(keys, &keys->known, id);

    return entry && entry->used ? entry : NULL;
}

static enum dbk_code contradicts(const struct dbk_record *record, struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED,
                    "record %" PRIu64 " is of a person who was never created: daybook "
                    "verify tells more",
                    record->sequence);
}

/* Of an anonymous id, and how often it began anew. */
static struct dbk_uuid doom_of(const struct reseal_entry *anonymous)
{
    struct dbk_uuid key = anonymous->key;

    for (size_t i = 0; i < sizeof anonymous->times; i++)
        key.bytes[i] ^= (uint8_t)(anonymous->times >> (8 * i));
    return key;
}

/* Where its person is deleted, what it does from here on is somebody else's. */
static enum dbk_code begin_anew(struct reseal_keys *keys,
                                struct reseal_entry *anonymous, struct dbk_error *err)
{
    const struct reseal_entry *owner = person_of(keys, &anonymous->owner);
    struct dbk_uuid doom = doom_of(anonymous);

    if (!owner || !owner->deleted)
        return DBK_OK;
    if (owner->gone && !have(keys, &keys->doomed, &doom, err))
        return DBK_NO_MEMORY;
    anonymous->times++;
    anonymous->number = 0;
    anonymous->owner = (struct dbk_uuid){{0}};
    return DBK_OK;
}

static struct reseal_entry *anonymous_of(struct reseal_keys *keys, struct dbk_slice id,
                                         struct dbk_error *err)
{
    struct reseal_entry *entry;
    struct dbk_hash hash;
    struct dbk_uuid key;

    dbk_hash_entry(id.data, id.length, &hash);
    memcpy(key.bytes, hash.bytes, sizeof key.bytes);
    entry = have(keys, &keys->anonymous, &key, err);
    return entry && begin_anew(keys, entry, err) == DBK_OK ? entry : NULL;
}

/* What the record changes, in either walk. */
static enum dbk_code follow(struct reseal_keys *keys, const struct dbk_record *record,
                            struct dbk_error *err)
{
    struct reseal_entry *person = NULL, *anonymous = NULL;

    if (record->type == DBK_PERSON_CREATED &&
        !have(keys, &keys->known, &record->subject, err))
        return DBK_NO_MEMORY;
    if (dbk_type_subject(record->type) == DBK_SUBJECT_PERSON) {
        person = person_of(keys, &record->subject);
        if (!person)
            return contradicts(record, err);
    }
    if (record->anonymous_id.length > 0) {
        anonymous = anonymous_of(keys, record->anonymous_id, err);
        if (!anonymous)
            return DBK_NO_MEMORY;
    }
    if (record->type == DBK_PERSON_DELETED)
        person->deleted = true;
    else if (record->type == DBK_PERSON_ALIASED)
        anonymous->owner = record->subject;
    else if (record->type == DBK_PERSON_UNALIASED)
        anonymous->owner = (struct dbk_uuid){{0}};
    return DBK_OK;
}

enum dbk_code reseal_keys_look(struct reseal_keys *keys,
                               const struct dbk_record *record, struct dbk_error *err)
{
    enum dbk_code code = follow(keys, record, err);

    if (code == DBK_OK && record->type == DBK_PERSON_DELETED && !keys->keep_deleted) {
        person_of(keys, &record->subject)->gone = true;
        keys->persons++;
    }
    return code;
}

enum dbk_code reseal_keys_looked(struct reseal_keys *keys, struct dbk_error *err)
{
    struct reseal_table *table = &keys->anonymous;
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < table->size && code == DBK_OK; i++) {
        if (table->entries[i].used)
            code = begin_anew(keys, &table->entries[i], err);
    }
    free(table->entries);
    *table = (struct reseal_table){.size = 0};
    for (size_t i = 0; i < keys->known.size; i++)
        keys->known.entries[i].deleted = false;
    keys->gone = keys->persons + keys->doomed.count;
    return code;
}

void reseal_keys_begin(struct reseal_keys *keys, uint64_t free)
{
    assert(free > keys->gone);
    keys->highest = free - 1;
}

static uint64_t take(struct reseal_keys *keys, bool gone)
{
    return gone ? ++keys->next_gone : ++keys->highest;
}

static bool is_doomed(const struct reseal_keys *keys,
                      const struct reseal_entry *anonymous)
{
    struct dbk_uuid doom = doom_of(anonymous);
    const struct reseal_entry *entry = find(keys, &keys->doomed, &doom);

    return entry && entry->used;
}

enum dbk_code reseal_keys_of(struct reseal_keys *keys, const struct dbk_record *record,
                             uint64_t *number, bool *gone, struct dbk_error *err)
{
    bool anonymous =
        record->type == DBK_EVENT_RECORDED && record->anonymous_id.length > 0;
    struct reseal_entry *entry;

    *number = 0;
    *gone = false;
    if (follow(keys, record, err) != DBK_OK)
        return err->code;
    if (!dbk_type_is_sealed(record->type))
        return DBK_OK;
    entry = anonymous ? anonymous_of(keys, record->anonymous_id, err)
                      : person_of(keys, dbk_record_person(record));
    if (!entry)
        return anonymous ? DBK_NO_MEMORY : contradicts(record, err);
    *gone = anonymous ? is_doomed(keys, entry) : entry->gone;
    if (entry->number == 0)
        entry->number = take(keys, *gone);
    *number = entry->number;
    return DBK_OK;
}
