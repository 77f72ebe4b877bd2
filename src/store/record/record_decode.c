#include "store/record.h"
#include "walk.h"

/* What is missing from a record shows as a bit that was not set. */
enum {
    HAS_PERSON_ID = 1 << 8,
    HAS_EVENT_TYPE = 1 << 9,
    HAS_PROPERTIES = 1 << 10,
    HAS_DATETIME_CREATED = 1 << 11,
};

static bool read_id(struct dbk_walk *walk, struct dbk_uuid *id)
{
    struct dbk_slice bytes;

    if (!dbk_walk_bin(walk, &bytes))
        return false;
    if (bytes.length != sizeof id->bytes)
        return dbk_walk_fail(walk, "an id of 16 bytes");
    memcpy(id->bytes, bytes.data, sizeof id->bytes);
    return true;
}

static bool read_text(struct dbk_walk *walk, size_t bound, struct dbk_slice *text)
{
    if (!dbk_walk_str(walk, text))
        return false;
    return text->length <= bound || dbk_walk_fail(walk, "a shorter text");
}

static bool read_time(struct dbk_walk *walk, dbk_timestamp *at)
{
    if (!dbk_walk_int(walk, at))
        return false;
    return dbk_timestamp_valid(*at) || dbk_walk_fail(walk, "a time of years 1 to 9999");
}

static bool read_type(struct dbk_walk *walk, enum dbk_type *type)
{
    struct dbk_slice name;

    if (!dbk_walk_str(walk, &name))
        return false;
    for (*type = DBK_PERSON_CREATED; *type <= DBK_EVENT_DELETED; (*type)++) {
        if (dbk_slice_equal(name, dbk_slice(dbk_type_name(*type))))
            return true;
    }
    return dbk_walk_fail(walk, "a known record type");
}

static bool read_role(struct dbk_walk *walk, enum dbk_role *role)
{
    struct dbk_slice name;

    if (!dbk_walk_str(walk, &name))
        return false;
    return dbk_role_parse(name.data, name.length, role) ||
           dbk_walk_fail(walk, "the role user or admin");
}

/* One entry of data: the value goes where the key says. *bit tells which it was. */
static bool read_value(struct dbk_walk *walk, struct dbk_slice key,
                       struct dbk_record *out, unsigned *bit)
{
    struct dbk_person_fields *person = &out->person;

    if (dbk_slice_equal(key, dbk_slice("person_id"))) {
        *bit = HAS_PERSON_ID;
        return read_id(walk, &out->person_id);
    }
    if (dbk_slice_equal(key, dbk_slice("event_type"))) {
        *bit = HAS_EVENT_TYPE;
        return read_text(walk, DBK_EVENT_TYPE_MAX, &out->event_type);
    }
    if (dbk_slice_equal(key, dbk_slice("properties"))) {
        *bit = HAS_PROPERTIES;
        return read_text(walk, DBK_PROPERTIES_MAX, &out->properties);
    }
    if (dbk_slice_equal(key, dbk_slice("datetime_created"))) {
        *bit = HAS_DATETIME_CREATED;
        return read_time(walk, &out->datetime_created);
    }
    if (dbk_slice_equal(key, dbk_slice("email"))) {
        *bit = DBK_HAS_EMAIL;
        return read_text(walk, DBK_EMAIL_MAX, &person->email);
    }
    if (dbk_slice_equal(key, dbk_slice("first_name"))) {
        *bit = DBK_HAS_FIRST_NAME;
        return read_text(walk, DBK_NAME_MAX, &person->first_name);
    }
    if (dbk_slice_equal(key, dbk_slice("last_name"))) {
        *bit = DBK_HAS_LAST_NAME;
        return read_text(walk, DBK_NAME_MAX, &person->last_name);
    }
    if (dbk_slice_equal(key, dbk_slice("role"))) {
        *bit = DBK_HAS_ROLE;
        return read_role(walk, &person->role);
    }
    return dbk_walk_fail(walk, "a known key in data");
}

/* What data must have, and what it may have besides. */
static const struct {
    unsigned must, may;
} data_of[] = {
    [DBK_PERSON_CREATED] = {DBK_HAS_ALL, HAS_DATETIME_CREATED},
    [DBK_PERSON_UPDATED] = {0, DBK_HAS_ALL},
    [DBK_PERSON_DELETED] = {0, 0},
    [DBK_EVENT_RECORDED] = {HAS_PERSON_ID | HAS_EVENT_TYPE,
                            HAS_PROPERTIES | HAS_DATETIME_CREATED},
    [DBK_EVENT_DELETED] = {HAS_PERSON_ID, 0},
};

static bool read_data(struct dbk_walk *walk, struct dbk_record *out)
{
    unsigned must = data_of[out->type].must;
    unsigned may = must | data_of[out->type].may;
    unsigned seen = 0;
    size_t count;

    if (!dbk_walk_map(walk, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct dbk_slice key;
        unsigned bit = 0;

        if (!dbk_walk_str(walk, &key) || !read_value(walk, key, out, &bit))
            return false;
        if (!(may & bit) || seen & bit)
            return dbk_walk_fail(walk, "a key of this type, once");
        seen |= bit;
    }
    if ((seen & must) != must)
        return dbk_walk_fail(walk, "all keys of this type");
    out->person.has = seen & DBK_HAS_ALL;
    out->has_datetime_created = (seen & HAS_DATETIME_CREATED) != 0;
    if (!out->has_datetime_created)
        out->datetime_created = out->recorded_at;
    return true;
}

static bool read_meta(struct dbk_walk *walk, struct dbk_record *out)
{
    size_t count;

    if (!dbk_walk_map(walk, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct dbk_slice key, value;

        if (!dbk_walk_str(walk, &key) || !read_text(walk, DBK_META_MAX, &value))
            return false;
        if (dbk_slice_equal(key, dbk_slice("request_id")))
            out->request_id = value;
        else if (dbk_slice_equal(key, dbk_slice("actor")))
            out->actor = value;
        else if (dbk_slice_equal(key, dbk_slice("source")))
            out->source = value;
        else
            return dbk_walk_fail(walk, "a known key in meta");
    }
    return true;
}

static bool read_record(struct dbk_walk *walk, struct dbk_record *out)
{
    if (!read_type(walk, &out->type) || !dbk_walk_uint(walk, &out->sequence) ||
        !read_time(walk, &out->recorded_at) || !read_id(walk, &out->subject) ||
        !read_data(walk, out) || !read_meta(walk, out))
        return false;
    return walk->at == walk->end || dbk_walk_fail(walk, "the end of the record");
}

enum dbk_code dbk_record_decode(const char *bytes, size_t length,
                                struct dbk_record *out, struct dbk_error *err)
{
    struct dbk_walk walk;
    uint64_t format;
    size_t count;

    memset(out, 0, sizeof *out);
    dbk_walk_init(&walk, bytes, length);
    if (!dbk_walk_array(&walk, &count) || !dbk_walk_uint(&walk, &format))
        goto damaged;
    if (format > DBK_RECORD_FORMAT)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "record format %llu is newer than this program's %d",
                        (unsigned long long)format, DBK_RECORD_FORMAT);
    if (format == 0 || count != 7)
        dbk_walk_fail(&walk, "an array of seven");
    else
        out->format = (unsigned)format;
    if (!walk.wrong && read_record(&walk, out))
        return DBK_OK;

damaged:
    return dbk_fail(err, DBK_DAMAGED, "not a record: expected %s at byte %zu",
                    walk.wrong, (size_t)(walk.at - walk.start));
}
