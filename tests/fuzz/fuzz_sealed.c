/* fuzz_sealed.c - whatever it is that was sealed: nothing is read past its end, and what is
 * taken means the same when it is sealed again. The first byte says of which type it is. */
#include "fuzz.h"
#include "record_sealed.h"
#include "seal.h"

static const uint8_t key[SEAL_KEY] = {7};

static const struct dbk_uuid person = {{1, 2, 3}};

static struct dbk_record shut_record(const uint8_t *data, size_t size,
                                     char blob[DBK_RECORD_MAX])
{
    struct dbk_record record = {.format = 4,
                                .type = size > 0 ? data[0] % DBK_TYPE_COUNT : 0,
                                .sequence = 9,
                                .recorded_at = 8,
                                .subject = {{4, 5}},
                                .key = 3};
    char bound[RECORD_BOUND_TO];

    if (record.type == 0 || !dbk_type_is_sealed(record.type))
        record.type = DBK_EVENT_RECORDED;
    if (dbk_type_subject(record.type) == DBK_SUBJECT_EVENT)
        record.person_id = person;
    if (size > 1)
        memcpy(blob + SEAL_NONCE, data + 1, size - 1);
    size -= size > 0;
    seal_in_place(key, record_bound_to(&record, bound), NULL, blob, size);
    record.sealed = (struct dbk_slice){blob, size + SEAL_OVERHEAD};
    return record;
}

static void require_within(const struct dbk_record *record, const char *room,
                           size_t size)
{
    const struct dbk_slice parts[] = {
        record->person.email,      record->person.first_name,
        record->person.last_name,  record->event_type,
        record->properties,        record->person.external_id,
        record->person.properties, record->anonymous_id,
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        require(parts[i].length == 0 ||
                (parts[i].data >= room &&
                 parts[i].length <= (size_t)(room + size - parts[i].data)));
}

static void require_same(const struct dbk_record *a, const struct dbk_record *b)
{
    const struct dbk_person_fields *x = &a->person, *y = &b->person;

    require(a->type == b->type && x->has == y->has && x->role == y->role);
    require(dbk_slice_equal(x->email, y->email));
    require(dbk_slice_equal(x->first_name, y->first_name));
    require(dbk_slice_equal(x->last_name, y->last_name));
    require(dbk_slice_equal(x->external_id, y->external_id));
    require(dbk_slice_equal(x->properties, y->properties));
    require(dbk_slice_equal(a->event_type, b->event_type));
    require(dbk_slice_equal(a->properties, b->properties));
    require(dbk_slice_equal(a->anonymous_id, b->anonymous_id));
    require(a->has_datetime_created == b->has_datetime_created);
    require(a->datetime_created == b->datetime_created);
}

static void require_round_trip(const struct dbk_record *record)
{
    static char plain[DBK_RECORD_MAX], sealed[DBK_RECORD_MAX], room[DBK_RECORD_MAX];
    struct dbk_record again;
    size_t length;

    require(dbk_record_encode(record, plain, sizeof plain, &length, NULL) == DBK_OK);
    require(dbk_record_seal(plain, length, 3, key, sealed, sizeof sealed, &length,
                            NULL) == DBK_OK);
    require(dbk_record_decode(sealed, length, &again, NULL) == DBK_OK);
    require(dbk_record_open(&again, key, room, NULL) == DBK_OK);
    require_same(record, &again);
    if (record->type != DBK_EVENT_RECORDED)
        return;
    require(dbk_record_encode(record, plain, sizeof plain, &length, NULL) == DBK_OK);
    require(dbk_record_seal_in_month(plain, length, 3, 9, key, sealed, sizeof sealed,
                                     &length, NULL) == DBK_OK);
    require(dbk_record_decode(sealed, length, &again, NULL) == DBK_OK);
    require(again.month == 9 && dbk_record_open(&again, key, room, NULL) == DBK_OK);
    require_same(record, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char blob[DBK_RECORD_MAX];
    struct dbk_record record;
    struct dbk_error err = {0};
    char *room;

    if (size > DBK_RECORD_MAX - SEAL_OVERHEAD)
        return 0;
    record = shut_record(data, size, blob);
    room = malloc(record.sealed.length);
    require(room != NULL);
    if (dbk_record_open(&record, key, room, &err) == DBK_OK) {
        require_within(&record, room, record.sealed.length - SEAL_OVERHEAD);
        require_round_trip(&record);
    } else {
        require(err.code == DBK_DAMAGED);
        require_reason(&err);
    }
    free(room);
    return 0;
}
