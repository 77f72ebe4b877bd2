#include "store/history.h"

#include <endian.h>
#include <string.h>

enum dbk_code dbk_person_records_init(struct dbk_person_records *records,
                                      struct dbk_log *log, const struct dbk_uuid *id,
                                      struct dbk_error *err)
{
    *records = (struct dbk_person_records){.id = *id, .log = log};
    return dbk_log_aliases(log, id, &records->aliases, err);
}

void dbk_person_records_erased(struct dbk_person_records *records, struct dbk_log *log,
                               const struct dbk_uuid *id, struct dbk_slice keys)
{
    *records = (struct dbk_person_records){.id = *id, .log = log, .keys = keys};
}

void dbk_person_records_finish(struct dbk_person_records *records)
{
    dbk_aliases_finish(&records->aliases);
}

/* The log tells whose an event is now: one that went with another person is nobody's. */
static bool is_by_alias(const struct dbk_person_records *records,
                        const struct dbk_record *record)
{
    struct dbk_event_state event;

    if (record->type != DBK_EVENT_RECORDED || record->anonymous_id.length == 0)
        return false;
    for (size_t i = 0; i < records->aliases.count; i++) {
        if (dbk_slice_equal(records->aliases.list[i].anonymous_id,
                            record->anonymous_id))
            return dbk_log_event(records->log, &record->subject, &event, NULL) ==
                       DBK_OK &&
                   dbk_uuid_equal(&event.person_id, &records->id);
    }
    return false;
}

/* In format 1 the nil UUID could be a person's; since then it says nobody's. */
static bool is_nobodys(const struct dbk_record *record)
{
    return record->format > 1 && dbk_uuid_is_nil(dbk_record_person(record));
}

static bool is_sealed_by(struct dbk_slice keys, uint64_t number)
{
    uint64_t key;

    for (size_t at = 0; at + sizeof key <= keys.length; at += sizeof key) {
        memcpy(&key, keys.data + at, sizeof key);
        if (be64toh(key) == number)
            return true;
    }
    return false;
}

/* What it says is damaged. Whose an event is the log tells without it, but where it was done by
 * an anonymous id: that is known by its key. */
static bool is_by_key(const struct dbk_person_records *records,
                      const struct dbk_record *record)
{
    struct dbk_event_state event;

    if (record->type != DBK_EVENT_RECORDED)
        return dbk_uuid_equal(dbk_record_person(record), &records->id);
    if (dbk_log_event(records->log, &record->subject, &event, NULL) == DBK_OK)
        return dbk_uuid_equal(&event.person_id, &records->id);
    for (size_t i = 0; i < records->aliases.count; i++) {
        if (records->aliases.list[i].key == record->key)
            return true;
    }
    return dbk_uuid_equal(&record->person_id, &records->id);
}

bool dbk_person_records_has(const struct dbk_person_records *records,
                            const struct dbk_record *record)
{
    if (records->keys.length > 0)
        return record->key > 0 && is_sealed_by(records->keys, record->key);
    if (record->erased)
        return false;
    if (record->damaged > 0)
        return is_by_key(records, record);
    return (!is_nobodys(record) &&
            dbk_uuid_equal(dbk_record_person(record), &records->id)) ||
           is_by_alias(records, record);
}
