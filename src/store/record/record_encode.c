#include "record_layout.h"
#include "record_types.h"
#include "seal.h"

#include <assert.h>
#include <msgpack.h>

/* The header of a type's name, and of a key, is one byte. */
#define TYPE(number, type, name, ...) _Static_assert(sizeof name <= 32, "one byte");
DBK_TYPES(TYPE)
#undef TYPE

/* Offset of the marker before the sequence: behind array header, format and type. */
static size_t sequence_offset(const char *bytes)
{
    size_t type_length = (unsigned char)bytes[2] & 0x1f;

    return 3 + type_length;
}

size_t record_data_offset(const char *bytes)
{
    return sequence_offset(bytes) + 18 + 18; /* sequence and time, subject */
}

/* msgpack's markers of what is filled in later. */
enum { NIL = 0xc0, BIN = 0xc4, UINT64 = 0xcf, INT64 = 0xd3 };

/* Where the packer writes: fails rather than run over. */
struct target {
    char *bytes;
    size_t used;
    size_t size;
};

static int target_write(void *context, const char *bytes, size_t length)
{
    struct target *target = context;

    assert(target->used <= target->size);
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
    struct target *target = packer->data;
    char *at = target->bytes + target->used;

    assert(text.length < 32);
    if (text.length >= target->size - target->used)
        return -1;
    *at = (char)(0xa0 | text.length);
    if (text.length)
        memcpy(at + 1, text.data, text.length);
    target->used += text.length + 1;
    return 0;
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

static int pack_bytes(msgpack_packer *packer, struct dbk_slice bytes)
{
    return msgpack_pack_bin(packer, bytes.length) ||
           msgpack_pack_bin_body(packer, bytes.data, bytes.length);
}

static int pack_entry(msgpack_packer *packer, const char *key, struct dbk_slice value)
{
    return pack_text(packer, dbk_slice(key)) || pack_text(packer, value);
}

/* What a person has no more is nil; format 1 did not know that. */
static int pack_field(msgpack_packer *packer, const struct record_field *field,
                      struct dbk_slice text, unsigned format)
{
    static const char nil = (char)NIL;

    if (text.length == 0 && format > 1 && field->bit & DBK_HAS_OPTIONAL)
        return target_write(packer->data, &nil, sizeof nil);
    return pack_text(packer, text);
}

static int pack_value(msgpack_packer *packer, const struct record_field *field,
                      const void *value, unsigned format)
{
    switch (field->kind) {
    case RECORD_TEXT:
        return pack_field(packer, field, *(const struct dbk_slice *)value, format);
    case RECORD_ROLE:
        return pack_text(packer,
                         dbk_slice(dbk_role_name(*(const enum dbk_role *)value)));
    case RECORD_ID:
        return pack_id(packer, value);
    case RECORD_TIME:
        return msgpack_pack_int64(packer, *(const dbk_timestamp *)value);
    case RECORD_NUMBER:
        return msgpack_pack_uint64(packer, *(const uint64_t *)value);
    case RECORD_BYTES:
        return pack_bytes(packer, *(const struct dbk_slice *)value);
    }
    return -1;
}

/* A new person has no field that is empty. */
static unsigned without_empty(const struct dbk_record *record,
                              const struct record_type *type)
{
    unsigned there = record->person.has;

    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[i];
        const void *value = record_value(record, field, type);

        if (field->bit & DBK_HAS_OPTIONAL &&
            ((const struct dbk_slice *)value)->length == 0)
            there &= ~field->bit;
    }
    return there;
}

/* Which fields of data the record has, as far as its type may have them. */
static unsigned fields_of(const struct dbk_record *record,
                          const struct record_type *type)
{
    unsigned there = type->must & (DBK_HAS_EVENT | DBK_HAS_ANONYMOUS_ID | DBK_HAS_KEYS |
                                   RECORD_OF_A_LOG);

    if (record_is_shut(record))
        return record_sealed_fields(type) | (record->month > 0 ? DBK_HAS_MONTH : 0);
    if (type->subject == DBK_SUBJECT_LOG) {
        there |= record->checkpoint.length > 0 ? DBK_HAS_CHECKPOINT : 0;
    } else if (type->subject == DBK_SUBJECT_EVENT) {
        there |= record->properties.length > 0 ? DBK_HAS_PROPERTIES : 0;
        there |= record->anonymous_id.length > 0 ? DBK_HAS_ANONYMOUS_ID : 0;
    } else if (record->type == DBK_PERSON_CREATED && record->format != 1) {
        there |= without_empty(record, type);
    } else {
        there |= record->person.has;
    }
    if (record->has_datetime_created)
        there |= DBK_HAS_DATETIME_CREATED;
    return there & (type->must | type->may);
}

unsigned dbk_record_format(const struct dbk_record *record)
{
    const struct record_type *type = record_type(record->type);

    assert(type);
    return record_format(record, fields_of(record, type));
}

static int pack_data(msgpack_packer *packer, const struct dbk_record *record,
                     const struct record_type *type, unsigned there, unsigned format)
{
    if (msgpack_pack_map(packer, (size_t)__builtin_popcount(there)))
        return -1;
    for (const struct record_field *field = record_fields; there; field++) {
        if (!(there & field->bit))
            continue;
        if (pack_text(packer, field->key) ||
            pack_value(packer, field, record_value(record, field, type), format))
            return -1;
        there &= ~field->bit;
    }
    return 0;
}

static int pack_meta(msgpack_packer *packer, const struct dbk_record *record)
{
    size_t entries = (size_t)(record->request_id.length > 0) +
                     (size_t)(record->actor.length > 0) +
                     (size_t)(record->source.length > 0) +
                     (size_t)(record->clock_offset.length > 0) +
                     (size_t)(record->traceparent.length > 0);

    if (msgpack_pack_map(packer, entries))
        return -1;
    if (record->request_id.length &&
        pack_entry(packer, "request_id", record->request_id))
        return -1;
    if (record->actor.length && pack_entry(packer, "actor", record->actor))
        return -1;
    if (record->source.length && pack_entry(packer, "source", record->source))
        return -1;
    if (record->clock_offset.length &&
        pack_entry(packer, "clock_offset", record->clock_offset))
        return -1;
    if (record->traceparent.length &&
        pack_entry(packer, "traceparent", record->traceparent))
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

static bool within_bounds(const struct dbk_record *record,
                          const struct record_type *type, struct dbk_error *err)
{
    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[i];
        const void *value = record_value(record, field, type);

        if (field->bound > 0 && too_long(*(const struct dbk_slice *)value, field->bound,
                                         field->key.data, err))
            return false;
    }
    return !(too_long(record->request_id, DBK_META_MAX, "request_id", err) ||
             too_long(record->actor, DBK_META_MAX, "actor", err) ||
             too_long(record->source, DBK_META_MAX, "source", err) ||
             too_long(record->clock_offset, DBK_META_MAX, "clock_offset", err) ||
             too_long(record->traceparent, DBK_META_MAX, "traceparent", err));
}

/* Whether what the type must have is there, as far as a draft can lack it. */
static enum dbk_code check_present(const struct dbk_record *record, unsigned there,
                                   struct dbk_error *err)
{
    if (record->has_datetime_created && !dbk_timestamp_valid(record->datetime_created))
        return dbk_fail(err, DBK_INVALID, "datetime_created is not in years 1 to 9999");
    if (there & DBK_HAS_ANONYMOUS_ID && record->anonymous_id.length == 0)
        return dbk_fail(err, DBK_INVALID, "anonymous_id is empty");
    if (there & DBK_HAS_KEYS && !record_keys_fit(record->keys))
        return dbk_fail(err, DBK_INVALID, "keys are not numbers of 8 bytes each");
    if (there & DBK_HAS_SEALED && record->sealed.length <= SEAL_OVERHEAD)
        return dbk_fail(err, DBK_INVALID, "sealed is too short to hold anything");
    if (there & DBK_HAS_SIZE && record->size == 0)
        return dbk_fail(err, DBK_INVALID, "size is 0");
    if (there & DBK_HAS_THROUGH && record->through == 0)
        return dbk_fail(err, DBK_INVALID, "through is 0");
    if (there & DBK_HAS_BEFORE && !dbk_timestamp_valid(record->before))
        return dbk_fail(err, DBK_INVALID, "before is not in years 1 to 9999");
    if (there & DBK_HAS_ROOT && record->root.length != DBK_ROOT_BYTES)
        return dbk_fail(err, DBK_INVALID, "root has %zu bytes, not %d",
                        record->root.length, DBK_ROOT_BYTES);
    return DBK_OK;
}

enum dbk_code dbk_record_encode(const struct dbk_record *record, char *out, size_t size,
                                size_t *length, struct dbk_error *err)
{
    const struct record_type *type = record_type(record->type);
    struct target target = {out, 0, size};
    msgpack_packer packer;
    unsigned there, format;
    enum dbk_code code;

    assert(type);
    assert(!(record->person.has & ~(unsigned)DBK_HAS_PERSON));
    assert(!(record->person.has & DBK_HAS_ROLE) || *dbk_role_name(record->person.role));
    if (!within_bounds(record, type, err))
        return DBK_TOO_LARGE;
    there = fields_of(record, type);
    code = check_present(record, there, err);
    if (code != DBK_OK)
        return code;
    format = record_format(record, there);
    msgpack_packer_init(&packer, &target, target_write);
    if (msgpack_pack_array(&packer, 7) || msgpack_pack_unsigned_int(&packer, format) ||
        pack_text(&packer, type->name) || msgpack_pack_fix_uint64(&packer, 0) ||
        msgpack_pack_fix_int64(&packer, 0) || pack_id(&packer, &record->subject) ||
        pack_data(&packer, record, type, there, format) || pack_meta(&packer, record))
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

    assert((unsigned char)at[0] == UINT64 && (unsigned char)at[9] == INT64);
    put_big_endian(at + 1, sequence);
    put_big_endian(at + 10, (uint64_t)recorded_at);
}

void record_set_subject(char *bytes, const struct dbk_uuid *subject)
{
    char *at = bytes + sequence_offset(bytes) + 18 + 2; /* sequence, time, bin header */

    assert((unsigned char)at[-2] == BIN && at[-1] == sizeof subject->bytes);
    memcpy(at, subject->bytes, sizeof subject->bytes);
}

void record_set_person(char *bytes, const struct dbk_uuid *person_id)
{
    /* map header, the key "person_id", bin header */
    char *at = bytes + record_data_offset(bytes) + 1 + 10 + 2;

    assert((unsigned char)at[-2] == BIN && at[-1] == sizeof person_id->bytes);
    memcpy(at, person_id->bytes, sizeof person_id->bytes);
}

void record_set_format(char *bytes, unsigned format)
{
    assert(format >= 1 && format <= DBK_RECORD_FORMAT);
    bytes[1] = (char)format;
}

unsigned record_get_format(const char *bytes)
{
    return (unsigned char)bytes[1];
}
