#include "record_layout.h"
#include "record_sealed.h"
#include "record_types.h"
#include "seal.h"
#include "walk.h"

#include <assert.h>

static bool read_id(struct record_walk *walk, struct dbk_uuid *id)
{
    struct dbk_slice bytes;

    if (!record_walk_bin(walk, &bytes))
        return false;
    if (bytes.length != sizeof id->bytes)
        return record_walk_fail(walk, "an id of 16 bytes");
    memcpy(id->bytes, bytes.data, sizeof id->bytes);
    return true;
}

static bool read_text(struct record_walk *walk, size_t bound, struct dbk_slice *text)
{
    if (!record_walk_str(walk, text))
        return false;
    return text->length <= bound || record_walk_fail(walk, "a shorter text");
}

static bool read_time(struct record_walk *walk, dbk_timestamp *at)
{
    if (!record_walk_int(walk, at))
        return false;
    return dbk_timestamp_valid(*at) ||
           record_walk_fail(walk, "a time of years 1 to 9999");
}

static bool read_type(struct record_walk *walk, enum dbk_type *type)
{
    struct dbk_slice name;

    if (!record_walk_str(walk, &name))
        return false;
    return dbk_type_parse(name.data, name.length, type) ||
           record_walk_fail(walk, "a known record type");
}

static bool read_role(struct record_walk *walk, enum dbk_role *role)
{
    struct dbk_slice name;

    if (!record_walk_str(walk, &name))
        return false;
    return dbk_role_parse(name.data, name.length, role) ||
           record_walk_fail(walk, "the role user or admin");
}

/* Numbers of keys begin at 1, and so do sizes and sequences. */
static bool read_from_1(struct record_walk *walk, uint64_t *number)
{
    if (!record_walk_uint(walk, number))
        return false;
    return *number > 0 || record_walk_fail(walk, "a number from 1 on");
}

static bool read_bytes(struct record_walk *walk, const struct record_field *field,
                       struct dbk_slice *bytes)
{
    if (!record_walk_bin(walk, bytes))
        return false;
    if (bytes->length > field->bound)
        return record_walk_fail(walk, "fewer bytes");
    if (field->bit == DBK_HAS_KEYS && !record_keys_fit(*bytes))
        return record_walk_fail(walk, "numbers of keys");
    if (field->bit == DBK_HAS_ROOT && bytes->length != DBK_ROOT_BYTES)
        return record_walk_fail(walk, "a root of 32 bytes");
    return field->bit != DBK_HAS_SEALED || bytes->length > SEAL_OVERHEAD ||
           record_walk_fail(walk, "what is sealed");
}

/* In format 2 a text that a person may lack is nil where it was removed, and like the
 * anonymous id never empty. */
static bool read_field(struct record_walk *walk, const struct record_field *field,
                       struct dbk_record *out, struct dbk_slice *text)
{
    bool has_nil = out->type == DBK_PERSON_UPDATED && field->bit & DBK_HAS_OPTIONAL;
    bool is_full =
        field->bit & (DBK_HAS_OPTIONAL | DBK_HAS_ANONYMOUS_ID | DBK_HAS_CHECKPOINT);

    if (out->format > 1 && has_nil && record_walk_nil(walk)) {
        *text = (struct dbk_slice){NULL, 0};
        return true;
    }
    if (!read_text(walk, field->bound, text))
        return false;
    return out->format == 1 || !is_full || text->length > 0 ||
           record_walk_fail(walk, "a longer text");
}

static bool read_value(struct record_walk *walk, const struct record_field *field,
                       struct dbk_record *out)
{
    void *value = (void *)(uintptr_t)record_value(out, field, record_type(out->type));

    switch (field->kind) {
    case RECORD_TEXT:
        return read_field(walk, field, out, value);
    case RECORD_ROLE:
        return read_role(walk, value);
    case RECORD_ID:
        return read_id(walk, value);
    case RECORD_TIME:
        return read_time(walk, value);
    case RECORD_NUMBER:
        return read_from_1(walk, value);
    case RECORD_BYTES:
        return read_bytes(walk, field, value);
    }
    return false;
}

/* The field with the next key. Looked for from *from on, and round: the fields were
 * written in the table's order. NULL where there is none. */
static const struct record_field *read_key(struct record_walk *walk, size_t *from)
{
    struct dbk_slice key;

    if (!record_walk_str(walk, &key))
        return NULL;
    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        const struct record_field *field = &record_fields[(*from + i) % RECORD_FIELDS];

        if (dbk_slice_equal(key, field->key)) {
            *from += i + 1;
            return field;
        }
    }
    record_walk_fail(walk, "a known key in data");
    return NULL;
}

/* So many entries of data, of which there must be some, and may be others. *there receives
 * which there are. */
static bool read_entries(struct record_walk *walk, size_t count, unsigned must,
                         unsigned may, struct dbk_record *out, unsigned *there)
{
    unsigned seen = 0;
    size_t next = 0;

    for (size_t i = 0; i < count; i++) {
        const struct record_field *field = read_key(walk, &next);

        if (!field || !read_value(walk, field, out))
            return false;
        if (!((must | may) & field->bit) || seen & field->bit)
            return record_walk_fail(walk, "a key of this type, once");
        seen |= field->bit;
    }
    *there = seen;
    return (seen & must) == must || record_walk_fail(walk, "all keys of this type");
}

static void take_fields(struct dbk_record *out, unsigned there)
{
    out->person.has = there & DBK_HAS_PERSON;
    out->has_datetime_created = (there & DBK_HAS_DATETIME_CREATED) != 0;
    if (!out->has_datetime_created)
        out->datetime_created = out->recorded_at;
    if (dbk_type_subject(out->type) != DBK_SUBJECT_PERSON)
        out->person.has = 0;
}

/* Of formats above 3 none has what is in the clear as older ones had it. */
static bool is_of_a_later_format(const struct dbk_record *record,
                                 const struct record_type *type)
{
    if (record->format == RECORD_FORMAT_SEALED)
        return (type->must & DBK_HAS_KEYS) != 0;
    if (record->format == RECORD_FORMAT_RESTRICTED)
        return record_type_restricts(record->type);
    if (record->format == RECORD_FORMAT_MONTH)
        return (type->must & DBK_HAS_THROUGH) != 0;
    return (type->must & DBK_HAS_SIZE) != 0;
}

/* Which fields it must have, where it is sealed; 0: that format has no sealed ones of its type. */
static unsigned sealed_fields(const struct dbk_record *record,
                              const struct record_type *type)
{
    if (record->format == RECORD_FORMAT_SEALED)
        return record_sealed_fields(type);
    if (record->format == RECORD_FORMAT_MONTH && record->type == DBK_EVENT_RECORDED)
        return record_sealed_fields(type) | DBK_HAS_MONTH;
    return 0;
}

/* In formats 4 and 7 there is what is sealed, and what older ones had not. */
static bool read_data(struct record_walk *walk, struct dbk_record *out, unsigned *there)
{
    const struct record_type *type = record_type(out->type);
    unsigned must = type->must, may = type->may;
    size_t count;

    assert(type);
    if (out->format >= RECORD_FORMAT_SEALED && !is_of_a_later_format(out, type)) {
        must = sealed_fields(out, type);
        may = 0;
        if (!must)
            return record_walk_fail(walk, "an older format");
    }
    if (!record_walk_map(walk, &count) ||
        !read_entries(walk, count, must, may, out, there))
        return false;
    take_fields(out, *there);
    return true;
}

static bool read_meta(struct record_walk *walk, struct dbk_record *out)
{
    size_t count;

    if (!record_walk_map(walk, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct dbk_slice key, value;

        if (!record_walk_str(walk, &key) || !read_text(walk, DBK_META_MAX, &value))
            return false;
        if (dbk_slice_equal(key, dbk_slice("request_id")))
            out->request_id = value;
        else if (dbk_slice_equal(key, dbk_slice("actor")))
            out->actor = value;
        else if (dbk_slice_equal(key, dbk_slice("source")))
            out->source = value;
        else if (dbk_slice_equal(key, dbk_slice("clock_offset")))
            out->clock_offset = value;
        else if (out->format > 2 && dbk_slice_equal(key, dbk_slice("traceparent")))
            out->traceparent = value;
        else
            return record_walk_fail(walk, "a known key in meta");
    }
    return true;
}

static bool read_record(struct record_walk *walk, struct dbk_record *out)
{
    unsigned there;

    if (!read_type(walk, &out->type) || !record_walk_uint(walk, &out->sequence) ||
        !read_time(walk, &out->recorded_at) || !read_id(walk, &out->subject) ||
        !read_data(walk, out, &there) || !read_meta(walk, out))
        return false;
    if (out->format < record_format(out, there))
        return record_walk_fail(walk, "what its format can say");
    return walk->at == walk->end || record_walk_fail(walk, "the end of the record");
}

enum dbk_code dbk_record_decode(const char *bytes, size_t length,
                                struct dbk_record *out, struct dbk_error *err)
{
    struct record_walk walk;
    uint64_t format;
    size_t count;

    memset(out, 0, sizeof *out);
    record_walk_init(&walk, bytes, length);
    if (!record_walk_array(&walk, &count) || !record_walk_uint(&walk, &format))
        goto damaged;
    if (format > DBK_RECORD_FORMAT)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "record format %llu is newer than this program's %d",
                        (unsigned long long)format, DBK_RECORD_FORMAT);
    if (format == 0 || count != 7)
        record_walk_fail(&walk, "an array of seven");
    else
        out->format = (unsigned)format;
    if (!walk.wrong && read_record(&walk, out))
        return DBK_OK;

damaged:
    return dbk_fail(err, DBK_DAMAGED, "not a record: expected %s at byte %zu",
                    walk.wrong, (size_t)(walk.at - walk.start));
}

/* What fills a person's record up, so that its length tells nothing. */
static bool read_padding(struct record_walk *walk)
{
    struct dbk_slice key, zeros;

    if (!record_walk_str(walk, &key) || !record_walk_bin(walk, &zeros))
        return false;
    if (key.length > 0 || zeros.length >= RECORD_PADDED ||
        (size_t)(walk->end - walk->start) % RECORD_PADDED != 0)
        return record_walk_fail(walk, "padding");
    for (size_t i = 0; i < zeros.length; i++)
        if (zeros.data[i] != '\0')
            return record_walk_fail(walk, "zeros");
    return true;
}

static bool read_sealed(struct record_walk *walk, struct dbk_record *out)
{
    const struct record_type *type = record_type(out->type);
    bool padded = type->subject == DBK_SUBJECT_PERSON;
    unsigned must = type->must & ~(unsigned)DBK_HAS_PERSON_ID, there;
    size_t count;

    if (!record_walk_map(walk, &count))
        return false;
    if (padded && count == 0)
        return record_walk_fail(walk, "padding");
    if (!read_entries(walk, count - padded, must, type->may, out, &there) ||
        (padded && !read_padding(walk)))
        return false;
    take_fields(out, there);
    return walk->at == walk->end || record_walk_fail(walk, "the end of the record");
}

enum dbk_code dbk_record_open(struct dbk_record *record, const uint8_t key[SEAL_KEY],
                              char *room, struct dbk_error *err)
{
    struct dbk_record opened = *record;
    char bytes[RECORD_BOUND_TO];
    struct record_walk walk;

    assert(record_is_shut(record) && dbk_type_is_sealed(record->type));
    if (!seal_open(key, record_bound_to(record, bytes), record->sealed, room))
        return dbk_fail(err, DBK_DAMAGED,
                        "what is sealed cannot be opened with the key %llu",
                        (unsigned long long)record->key);
    record_walk_init(&walk, room, record->sealed.length - SEAL_OVERHEAD);
    opened.opened = true;
    if (!read_sealed(&walk, &opened))
        return dbk_fail(err, DBK_DAMAGED,
                        "what was sealed is no record: expected %s at byte %zu of it",
                        walk.wrong, (size_t)(walk.at - walk.start));
    *record = opened;
    return DBK_OK;
}
