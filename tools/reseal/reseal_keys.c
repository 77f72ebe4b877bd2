#include "reseal_keys.h"

#include "store/proof/tree.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

void reseal_keys_init(struct reseal_keys *keys, struct reseal_numbers *numbers,
                      bool sealed, bool keep_deleted)
{
    *keys = (struct reseal_keys){
        .keep_deleted = keep_deleted, .sealed = sealed, .numbers = numbers};
    reseal_table_init(&keys->known);
    reseal_table_init(&keys->anonymous);
    reseal_table_init(&keys->doomed);
}

void reseal_keys_finish(struct reseal_keys *keys)
{
    reseal_table_finish(&keys->known);
    reseal_table_finish(&keys->anonymous);
    reseal_table_finish(&keys->doomed);
    *keys = (struct reseal_keys){.persons = 0};
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

/* In the first walk, its person's key being destroyed, its own is to be, too. */
static enum dbk_code doom(struct reseal_keys *keys,
                          const struct reseal_entry *anonymous, struct dbk_error *err)
{
    struct dbk_uuid key = doom_of(anonymous);

    if (!keys->sealed)
        return reseal_table_have(&keys->doomed, &key, err) ? DBK_OK : DBK_NO_MEMORY;
    return anonymous->number > 0
               ? reseal_numbers_destroy(keys->numbers, anonymous->number, err)
               : DBK_OK;
}

/* Where its person is deleted, what it does from here on is somebody else's. */
static enum dbk_code begin_anew(struct reseal_keys *keys,
                                struct reseal_entry *anonymous, struct dbk_error *err)
{
    const struct reseal_entry *owner =
        reseal_table_find(&keys->known, &anonymous->owner);

    if (!owner || !owner->deleted)
        return DBK_OK;
    if (owner->gone && doom(keys, anonymous, err) != DBK_OK)
        return err->code;
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
    entry = reseal_table_have(&keys->anonymous, &key, err);
    return entry && begin_anew(keys, entry, err) == DBK_OK ? entry : NULL;
}

/* What the record changes, in either walk. */
static enum dbk_code follow(struct reseal_keys *keys, const struct dbk_record *record,
                            struct dbk_error *err)
{
    struct reseal_entry *person = NULL, *anonymous = NULL;

    if (record->type == DBK_PERSON_CREATED &&
        !reseal_table_have(&keys->known, &record->subject, err))
        return DBK_NO_MEMORY;
    if (dbk_type_subject(record->type) == DBK_SUBJECT_PERSON) {
        person = reseal_table_find(&keys->known, &record->subject);
        if (!person)
            return contradicts(record, err);
    }
    if (record->anonymous_id.length > 0) {
        anonymous = anonymous_of(keys, record->anonymous_id, err);
        if (!anonymous)
            return err->code;
    }
    if (record->type == DBK_PERSON_DELETED || record->type == DBK_PERSON_ERASED)
        person->deleted = true;
    else if (record->type == DBK_PERSON_ALIASED && anonymous)
        anonymous->owner = record->subject;
    else if (record->type == DBK_PERSON_UNALIASED && anonymous)
        anonymous->owner = (struct dbk_uuid){{0}};
    return DBK_OK;
}

/* Of a sealed log: the keys that the record says are destroyed, or that are. */
static enum dbk_code look_at_destroyed(struct reseal_keys *keys,
                                       const struct dbk_record *record,
                                       struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    uint64_t number;

    for (size_t at = 0; code == DBK_OK && at + sizeof number <= record->keys.length;
         at += sizeof number) {
        memcpy(&number, record->keys.data + at, sizeof number);
        code = reseal_numbers_destroy(keys->numbers, be64toh(number), err);
    }
    if (code == DBK_OK && record->erased && !record->expired)
        code = reseal_numbers_destroy(keys->numbers, record->key, err);
    return code;
}

/* Of a sealed log: whose the record's key is. */
static enum dbk_code note_key(struct reseal_keys *keys, const struct dbk_record *record,
                              struct dbk_error *err)
{
    struct reseal_entry *entry = NULL;

    if (record->type == DBK_PERSON_CREATED)
        entry = reseal_table_find(&keys->known, &record->subject);
    else if (record->type == DBK_EVENT_RECORDED && record->anonymous_id.length > 0)
        entry = anonymous_of(keys, record->anonymous_id, err);
    else
        return DBK_OK;
    if (!entry)
        return err->code;
    entry->number = record->key;
    return DBK_OK;
}

enum dbk_code reseal_keys_look(struct reseal_keys *keys,
                               const struct dbk_record *record, struct dbk_error *err)
{
    enum dbk_code code = follow(keys, record, err);
    struct reseal_entry *person;

    if (code == DBK_OK && keys->sealed)
        code = look_at_destroyed(keys, record, err);
    if (code == DBK_OK && keys->sealed)
        code = note_key(keys, record, err);
    if (code != DBK_OK ||
        (record->type != DBK_PERSON_DELETED && record->type != DBK_PERSON_ERASED))
        return code;
    person = reseal_table_find(&keys->known, &record->subject);
    person->erased = person->erased || record->type == DBK_PERSON_ERASED;
    person->gone = person->erased || !keys->keep_deleted;
    return DBK_OK;
}

static enum dbk_code destroy_person(struct reseal_keys *keys,
                                    const struct reseal_entry *person,
                                    struct dbk_error *err)
{
    keys->persons += !person->erased;
    if (keys->sealed)
        return reseal_numbers_destroy(keys->numbers, person->number, err);
    reseal_numbers_count(keys->numbers);
    return DBK_OK;
}

enum dbk_code reseal_keys_looked(struct reseal_keys *keys, struct dbk_error *err)
{
    struct reseal_table *anonymous = &keys->anonymous, *known = &keys->known;
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < anonymous->size && code == DBK_OK; i++) {
        if (anonymous->entries[i].used)
            code = begin_anew(keys, &anonymous->entries[i], err);
    }
    for (size_t i = 0; i < known->size && code == DBK_OK; i++) {
        if (known->entries[i].used && known->entries[i].gone)
            code = destroy_person(keys, &known->entries[i], err);
        known->entries[i].deleted = false;
    }
    reseal_table_finish(anonymous);
    reseal_table_init(anonymous);
    for (size_t i = 0; i < keys->doomed.count; i++)
        reseal_numbers_count(keys->numbers);
    return code;
}

static bool is_doomed(const struct reseal_keys *keys,
                      const struct reseal_entry *anonymous)
{
    struct dbk_uuid key = doom_of(anonymous);

    return reseal_table_find(&keys->doomed, &key);
}

/* Of a log that is not sealed. */
static enum dbk_code give(struct reseal_keys *keys, const struct dbk_record *record,
                          struct reseal_number *out, struct dbk_error *err)
{
    bool anonymous =
        record->type == DBK_EVENT_RECORDED && record->anonymous_id.length > 0;
    struct reseal_entry *entry =
        anonymous ? anonymous_of(keys, record->anonymous_id, err)
                  : reseal_table_find(&keys->known, dbk_record_person(record));

    if (!entry)
        return anonymous ? err->code : contradicts(record, err);
    out->gone = anonymous ? is_doomed(keys, entry) : entry->gone;
    if (entry->number == 0)
        entry->number = reseal_numbers_take(keys->numbers, out->gone).number;
    out->number = entry->number;
    return DBK_OK;
}

enum dbk_code reseal_keys_of(struct reseal_keys *keys, const struct dbk_record *record,
                             struct reseal_number *out, struct dbk_error *err)
{
    *out = (struct reseal_number){0};
    if (!keys->sealed && follow(keys, record, err) != DBK_OK)
        return err->code;
    if (!dbk_type_is_sealed(record->type))
        return DBK_OK;
    return keys->sealed ? reseal_numbers_become(keys->numbers, record->key, out, err)
                        : give(keys, record, out, err);
}
