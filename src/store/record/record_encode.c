#include "record_layout.h"
#include "store/record.h"

#include <msgpack.h>

/* Offset of the marker before the sequence: behind array header, format and type. */
static size_t sequence_offset(const char *bytes)
{
    size_t type_length = (unsigned char)bytes[2] & 0x1f;

    return 3 + type_length;
}

/* Where the packer writes: fails rather than run over. */
struct target {
    char *bytes;
    size_t used;
    size_t size;
};

static int target_write(void *context, const char *bytes, size_t length)
{
    struct target *target = context;

    if (length > target->size - target->used)
        return -1;
    memcpy(target->bytes + target->used, bytes, length);
    target->used += length;
    return 0;
}

/* Most texts are shorter than 32 bytes, keys all are: their header is one byte, and goes
 * out with them. */
static int pack_short(msgpack_packer *packer, struct dbk_slice text)
{
    char bytes[32];

    bytes[0] = (char)(0xa0 | text.length);
    if (text.length)
        memcpy(bytes + 1, text.data, text.length);
    return target_write(packer->data, bytes, text.length + 1);
}

static int pack_text(msgpack_packer *packer, struct dbk_slice text)
{
    if (text.length < 32)
        return pack_short(packer, text);
    return msgpack_pack_str(packer, text.length) ||
           (text.length && msgpack_pack_str_body(packer, text.data, text.length));
}

static int pack_id(msgpack_packer *packer, const struct dbk_uuid *id)
{
    return msgpack_pack_bin(packer, sizeof id->bytes) ||
           msgpack_pack_bin_body(packer, id->bytes, sizeof id->bytes);
}

static int pack_entry(msgpack_packer *packer, const char *key, struct dbk_slice value)
{
    return pack_text(packer, dbk_slice(key)) || pack_text(packer, value);
}

static int pack_time_entry(msgpack_packer *packer, const char *key, dbk_timestamp value)
{
    return pack_text(packer, dbk_slice(key)) || msgpack_pack_int64(packer, value);
}

static int pack_id_entry(msgpack_packer *packer, const char *key,
                         const struct dbk_uuid *id)
{
    return pack_text(packer, dbk_slice(key)) || pack_id(packer, id);
}

static size_t count_bits(unsigned bits)
{
    size_t count = 0;

    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

static int pack_person(msgpack_packer *packer, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;
    bool timed = record->type == DBK_PERSON_CREATED && record->has_datetime_created;

    if (msgpack_pack_map(packer, count_bits(person->has) + timed))
        return -1;
    if (person->has & DBK_HAS_EMAIL && pack_entry(packer, "email", person->email))
        return -1;
    if (person->has & DBK_HAS_FIRST_NAME &&
        pack_entry(packer, "first_name", person->first_name))
        return -1;
    if (person->has & DBK_HAS_LAST_NAME &&
        pack_entry(packer, "last_name", person->last_name))
        return -1;
    if (person->has & DBK_HAS_ROLE &&
        pack_entry(packer, "role", dbk_slice(dbk_role_name(person->role))))
        return -1;
    if (timed)
        return pack_time_entry(packer, "datetime_created", record->datetime_created);
    return 0;
}

static int pack_event(msgpack_packer *packer, const struct dbk_record *record)
{
    size_t entries =
        2 + (size_t)(record->properties.length > 0) + record->has_datetime_created;

    if (msgpack_pack_map(packer, entries) ||
        pack_id_entry(packer, "person_id", &record->person_id) ||
        pack_entry(packer, "event_type", record->event_type))
        return -1;
    if (record->properties.length > 0 &&
        pack_entry(packer, "properties", record->properties))
        return -1;
    if (record->has_datetime_created)
        return pack_time_entry(packer, "datetime_created", record->datetime_created);
    return 0;
}

static int pack_data(msgpack_packer *packer, const struct dbk_record *record)
{
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
        return pack_person(packer, record);
    case DBK_PERSON_DELETED:
        return msgpack_pack_map(packer, 0);
    case DBK_EVENT_RECORDED:
        return pack_event(packer, record);
    case DBK_EVENT_DELETED:
        return msgpack_pack_map(packer, 1) ||
               pack_id_entry(packer, "person_id", &record->person_id);
    }
    return -1;
}

static int pack_meta(msgpack_packer *packer, const struct dbk_record *record)
{
    size_t entries = (size_t)(record->request_id.length > 0) +
                     (size_t)(record->actor.length > 0) +
                     (size_t)(record->source.length > 0);

    if (msgpack_pack_map(packer, entries))
        return -1;
    if (record->request_id.length &&
        pack_entry(packer, "request_id", record->request_id))
        return -1;
    if (record->actor.length && pack_entry(packer, "actor", record->actor))
        return -1;
    if (record->source.length && pack_entry(packer, "source", record->source))
        return -1;
    return 0;
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
    struct target target = {out, 0, size};
    msgpack_packer packer;

    if (!within_bounds(record, err))
        return DBK_TOO_LARGE;
    if (record->has_datetime_created && !dbk_timestamp_valid(record->datetime_created))
        return dbk_fail(err, DBK_INVALID, "datetime_created is not in years 1 to 9999");
    msgpack_packer_init(&packer, &target, target_write);
    if (msgpack_pack_array(&packer, 7) ||
        msgpack_pack_unsigned_int(&packer, DBK_RECORD_FORMAT) ||
        pack_text(&packer, dbk_slice(dbk_type_name(record->type))) ||
        msgpack_pack_fix_uint64(&packer, 0) || msgpack_pack_fix_int64(&packer, 0) ||
        pack_id(&packer, &record->subject) || pack_data(&packer, record) ||
        pack_meta(&packer, record))
        return dbk_fail(err, DBK_TOO_LARGE, "a record does not fit %zu bytes", size);
    *length = target.used;
    dbk_record_stamp(out, record->sequence, record->recorded_at);
    return DBK_OK;
}

static void put_big_endian(char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (char)(value >> (56 - 8 * i));
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
