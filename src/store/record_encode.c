#include "pack.h"
#include "record_layout.h"
#include "store/record.h"

/* Offset of the marker before the sequence: behind array header, format and type. */
static size_t sequence_offset(const char *bytes)
{
    size_t type_length = (unsigned char)bytes[2] & 0x1f;

    return 3 + type_length;
}

/* A key of data or meta. Inlined, so that its length is known where it is compiled. */
static inline void pack_key(struct dbk_pack *pack, const char *key)
{
    dbk_pack_str(pack, dbk_slice(key));
}

static inline void pack_entry(struct dbk_pack *pack, const char *key,
                              struct dbk_slice value)
{
    pack_key(pack, key);
    dbk_pack_str(pack, value);
}

static void pack_time_entry(struct dbk_pack *pack, const struct dbk_record *record)
{
    pack_key(pack, "datetime_created");
    dbk_pack_int(pack, record->datetime_created);
}

static void pack_person_id_entry(struct dbk_pack *pack, const struct dbk_record *record)
{
    pack_key(pack, "person_id");
    dbk_pack_bin(pack, record->person_id.bytes, sizeof record->person_id.bytes);
}

static size_t count_bits(unsigned bits)
{
    size_t count = 0;

    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

static void pack_person(struct dbk_pack *pack, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;
    bool timed = record->type == DBK_PERSON_CREATED && record->has_datetime_created;

    dbk_pack_map(pack, count_bits(person->has) + timed);
    if (person->has & DBK_HAS_EMAIL)
        pack_entry(pack, "email", person->email);
    if (person->has & DBK_HAS_FIRST_NAME)
        pack_entry(pack, "first_name", person->first_name);
    if (person->has & DBK_HAS_LAST_NAME)
        pack_entry(pack, "last_name", person->last_name);
    if (person->has & DBK_HAS_ROLE)
        pack_entry(pack, "role", dbk_slice(dbk_role_name(person->role)));
    if (timed)
        pack_time_entry(pack, record);
}

static void pack_event(struct dbk_pack *pack, const struct dbk_record *record)
{
    bool has_properties = record->properties.length > 0;

    dbk_pack_map(pack, 2 + (size_t)has_properties + record->has_datetime_created);
    pack_person_id_entry(pack, record);
    pack_entry(pack, "event_type", record->event_type);
    if (has_properties)
        pack_entry(pack, "properties", record->properties);
    if (record->has_datetime_created)
        pack_time_entry(pack, record);
}

static void pack_data(struct dbk_pack *pack, const struct dbk_record *record)
{
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
        pack_person(pack, record);
        break;
    case DBK_PERSON_DELETED:
        dbk_pack_map(pack, 0);
        break;
    case DBK_EVENT_RECORDED:
        pack_event(pack, record);
        break;
    case DBK_EVENT_DELETED:
        dbk_pack_map(pack, 1);
        pack_person_id_entry(pack, record);
        break;
    }
}

static void pack_meta(struct dbk_pack *pack, const struct dbk_record *record)
{
    dbk_pack_map(pack, (size_t)(record->request_id.length > 0) +
                           (size_t)(record->actor.length > 0) +
                           (size_t)(record->source.length > 0));
    if (record->request_id.length > 0)
        pack_entry(pack, "request_id", record->request_id);
    if (record->actor.length > 0)
        pack_entry(pack, "actor", record->actor);
    if (record->source.length > 0)
        pack_entry(pack, "source", record->source);
}

static bool too_long(struct dbk_slice text, size_t bound, const char *name,
                     struct dbk_error *err)
{
    if (text.length <= bound)
        return false;
    dbk_fail(err, DBK_TOO_LARGE, "%s has %zu bytes, at most %zu can be kept", name,
             text.length, bound);
    return true;
}

static bool within_bounds(const struct dbk_record *record, struct dbk_error *err)
{
    const struct dbk_person_fields *person = &record->person;

    return !(too_long(person->email, DBK_EMAIL_MAX, "email", err) ||
             too_long(person->first_name, DBK_NAME_MAX, "first_name", err) ||
             too_long(person->last_name, DBK_NAME_MAX, "last_name", err) ||
             too_long(record->event_type, DBK_EVENT_TYPE_MAX, "event_type", err) ||
             too_long(record->properties, DBK_PROPERTIES_MAX, "properties", err) ||
             too_long(record->request_id, DBK_META_MAX, "request_id", err) ||
             too_long(record->actor, DBK_META_MAX, "actor", err) ||
             too_long(record->source, DBK_META_MAX, "source", err));
}

enum dbk_code dbk_record_encode(const struct dbk_record *record, char *out, size_t size,
                                size_t *length, struct dbk_error *err)
{
    struct dbk_pack pack = {.at = out, .end = out + size};

    if (!within_bounds(record, err))
        return DBK_TOO_LARGE;
    if (record->has_datetime_created && !dbk_timestamp_valid(record->datetime_created))
        return dbk_fail(err, DBK_INVALID, "datetime_created is not in years 1 to 9999");
    dbk_pack_array(&pack, 7);
    dbk_pack_uint(&pack, DBK_RECORD_FORMAT);
    dbk_pack_str(&pack, dbk_slice(dbk_type_name(record->type)));
    dbk_pack_number(&pack, 0xcf, 8,
                    record->sequence); /* whole: to be filled in later */
    dbk_pack_number(&pack, 0xd3, 8, (uint64_t)record->recorded_at);
    dbk_pack_bin(&pack, record->subject.bytes, sizeof record->subject.bytes);
    pack_data(&pack, record);
    pack_meta(&pack, record);
    if (pack.full)
        return dbk_fail(err, DBK_TOO_LARGE, "a record does not fit %zu bytes", size);
    *length = (size_t)(pack.at - out);
    return DBK_OK;
}

static void put_big_endian(char *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

void dbk_record_stamp(char *bytes, uint64_t sequence, dbk_timestamp recorded_at)
{
    char *at = bytes + sequence_offset(bytes);

    put_big_endian(at + 1, sequence);
    put_big_endian(at + 10, (uint64_t)recorded_at);
}

void dbk_record_set_person(char *bytes, const struct dbk_uuid *person_id)
{
    /* sequence and time, subject, map header, the key "person_id", bin header */
    char *at = bytes + sequence_offset(bytes) + 18 + 18 + 1 + 10 + 2;

    memcpy(at, person_id->bytes, sizeof person_id->bytes);
}
