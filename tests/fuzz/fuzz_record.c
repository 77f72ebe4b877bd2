/* fuzz_record.c - whatever the bytes of a record are: nothing is read past their end, and
 * what is taken is msgpack to others too, and means the same when it is written again. */
#include "fuzz.h"
#include "store/record.h"

#include <msgpack.h>

static bool lies_within(struct dbk_slice part, const char *bytes, size_t size)
{
    return part.length == 0 ||
           (part.data >= bytes && part.length <= (size_t)(bytes + size - part.data));
}

static void require_within(const struct dbk_record *record, const char *bytes,
                           size_t size)
{
    const struct dbk_slice parts[] = {
        record->person.email,
        record->person.first_name,
        record->person.last_name,
        record->event_type,
        record->properties,
        record->request_id,
        record->actor,
        record->source,
        record->person.external_id,
        record->person.properties,
        record->anonymous_id,
        record->clock_offset,
        record->traceparent,
        record->keys,
        record->sealed,
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        require(lies_within(parts[i], bytes, size));
}

static struct dbk_slice text_of(msgpack_object value)
{
    require(value.type == MSGPACK_OBJECT_STR);
    return (struct dbk_slice){value.via.str.ptr, value.via.str.size};
}

/* The text at this key of a map, the last one where it comes again; empty without. */
static struct dbk_slice find_text(msgpack_object map, const char *key)
{
    struct dbk_slice found = {NULL, 0};

    require(map.type == MSGPACK_OBJECT_MAP);
    for (uint32_t i = 0; i < map.via.map.size; i++) {
        msgpack_object_kv entry = map.via.map.ptr[i];
        if (dbk_slice_equal(text_of(entry.key), dbk_slice(key)))
            found = entry.val.type == MSGPACK_OBJECT_NIL ? (struct dbk_slice){NULL, 0}
                                                         : text_of(entry.val);
    }
    return found;
}

static void require_texts(msgpack_object data, msgpack_object meta,
                          const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;

    require(dbk_slice_equal(find_text(data, "email"), person->email));
    require(dbk_slice_equal(find_text(data, "first_name"), person->first_name));
    require(dbk_slice_equal(find_text(data, "last_name"), person->last_name));
    require(dbk_slice_equal(find_text(data, "event_type"), record->event_type));
    require(dbk_slice_equal(find_text(data, "properties"), record->properties.length > 0
                                                               ? record->properties
                                                               : person->properties));
    require(dbk_slice_equal(find_text(data, "external_id"), person->external_id));
    require(dbk_slice_equal(find_text(data, "anonymous_id"), record->anonymous_id));
    require(dbk_slice_equal(find_text(meta, "clock_offset"), record->clock_offset));
    require(dbk_slice_equal(find_text(meta, "traceparent"), record->traceparent));
    require(dbk_slice_equal(find_text(meta, "request_id"), record->request_id));
    require(dbk_slice_equal(find_text(meta, "actor"), record->actor));
    require(dbk_slice_equal(find_text(meta, "source"), record->source));
}

/* msgpack-c reads the same bytes: an array of seven that says the same, and nothing
 * behind it. Only what was taken is given to it, for it believes a count before it has
 * seen what is counted. */
static void require_msgpack(const char *bytes, size_t size,
                            const struct dbk_record *record)
{
    msgpack_unpacked unpacked;
    msgpack_object *parts;
    size_t offset = 0;

    msgpack_unpacked_init(&unpacked);
    require(msgpack_unpack_next(&unpacked, bytes, size, &offset) ==
            MSGPACK_UNPACK_SUCCESS);
    require(offset == size && unpacked.data.type == MSGPACK_OBJECT_ARRAY);
    require(unpacked.data.via.array.size == 7);
    parts = unpacked.data.via.array.ptr;
    require(dbk_slice_equal(text_of(parts[1]), dbk_slice(dbk_type_name(record->type))));
    require(parts[2].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
            parts[2].via.u64 == record->sequence);
    require(parts[3].via.i64 == record->recorded_at);
    require(parts[4].type == MSGPACK_OBJECT_BIN && parts[4].via.bin.size == 16);
    require(memcmp(parts[4].via.bin.ptr, record->subject.bytes, 16) == 0);
    require_texts(parts[5], parts[6], record);
    msgpack_unpacked_destroy(&unpacked);
}

static void require_same_person(const struct dbk_person_fields *a,
                                const struct dbk_person_fields *b)
{
    require(a->has == b->has && a->role == b->role);
    require(dbk_slice_equal(a->email, b->email));
    require(dbk_slice_equal(a->first_name, b->first_name));
    require(dbk_slice_equal(a->last_name, b->last_name));
    require(dbk_slice_equal(a->external_id, b->external_id));
    require(dbk_slice_equal(a->properties, b->properties));
}

static void require_same(const struct dbk_record *a, const struct dbk_record *b)
{
    require(a->format >= b->format &&
            a->type == b->type); /* the oldest that can say it */
    require(a->sequence == b->sequence && a->recorded_at == b->recorded_at);
    require(dbk_uuid_equal(&a->subject, &b->subject));
    require(dbk_uuid_equal(&a->person_id, &b->person_id));
    require_same_person(&a->person, &b->person);
    require(dbk_slice_equal(a->event_type, b->event_type));
    require(dbk_slice_equal(a->properties, b->properties));
    require(a->has_datetime_created == b->has_datetime_created);
    require(a->datetime_created == b->datetime_created);
    require(dbk_slice_equal(a->request_id, b->request_id));
    require(dbk_slice_equal(a->actor, b->actor));
    require(dbk_slice_equal(a->source, b->source));
    require(dbk_slice_equal(a->anonymous_id, b->anonymous_id));
    require(dbk_slice_equal(a->clock_offset, b->clock_offset));
    require(dbk_slice_equal(a->traceparent, b->traceparent));
    require(dbk_slice_equal(a->keys, b->keys));
    require(a->key == b->key && dbk_slice_equal(a->sealed, b->sealed));
}

static size_t encode(const struct dbk_record *record, char out[DBK_RECORD_MAX])
{
    struct dbk_error err = {0};
    size_t length = 0;

    require(dbk_record_encode(record, out, DBK_RECORD_MAX, &length, &err) == DBK_OK);
    require(length <= DBK_RECORD_MAX);
    return length;
}

/* Reading takes wider numbers and other orders of keys than writing gives, so the bytes
 * may differ once; from then on they stay. */
static void require_round_trip(const struct dbk_record *record)
{
    static char written[DBK_RECORD_MAX], again[DBK_RECORD_MAX];
    struct dbk_record second;
    size_t length = encode(record, written);

    require(dbk_record_decode(written, length, &second, NULL) == DBK_OK);
    require_same(record, &second);
    require(encode(&second, again) == length);
    require(memcmp(written, again, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = copy_bytes(data, size);
    struct dbk_record record;
    struct dbk_error err = {0};
    enum dbk_code code = dbk_record_decode(bytes, size, &record, &err);

    if (code == DBK_OK) {
        require_within(&record, bytes, size);
        require_msgpack(bytes, size, &record);
        require_round_trip(&record);
    } else {
        require(code == DBK_DAMAGED || code == DBK_UNSUPPORTED);
        require_reason(&err);
    }
    free(bytes);
    return 0;
}
