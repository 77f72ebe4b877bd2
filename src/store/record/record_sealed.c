#include "record_sealed.h"

#include "record_layout.h"
#include "record_types.h"
#include "seal.h"
#include "walk.h"

#include <assert.h>
#include <sodium.h>

static struct dbk_slice bound_to(enum dbk_type type, const void *subject,
                                 const void *person, char out[RECORD_BOUND_TO])
{
    memcpy(out, "DBK2", 4);
    out[4] = (char)type;
    memcpy(out + 5, subject, 16);
    memcpy(out + 21, person, 16);
    return (struct dbk_slice){out, RECORD_BOUND_TO};
}

struct dbk_slice record_bound_to(const struct dbk_record *record,
                                 char out[RECORD_BOUND_TO])
{
    return bound_to(record->type, record->subject.bytes,
                    dbk_record_person(record)->bytes, out);
}

/* The parts of an encoded record. */
struct parts {
    enum dbk_type type;
    const char *subject;
    struct dbk_slice head, person, entries, meta;
    size_t count; /* of the entries that are sealed */
    bool padded;
};

/* It was encoded by dbk_record_encode, and is what that gives. */
static void take_apart(const char *bytes, size_t length, struct parts *parts)
{
    size_t offset = record_data_offset(bytes);
    struct record_walk walk;
    const char *at;
    bool fine = dbk_type_parse(bytes + 3, (unsigned char)bytes[2] & 0x1f, &parts->type);

    parts->head = (struct dbk_slice){bytes, offset};
    parts->subject = bytes + offset - sizeof(struct dbk_uuid);
    parts->padded = dbk_type_subject(parts->type) == DBK_SUBJECT_PERSON;
    record_walk_init(&walk, bytes + offset, length - offset);
    fine = fine && record_walk_map(&walk, &parts->count);
    at = (const char *)walk.at;
    parts->person = (struct dbk_slice){at, parts->padded ? 0 : RECORD_PERSON_ENTRY};
    for (size_t i = 0; i < 2 * parts->count; i++)
        fine = fine && record_walk_skip(&walk);
    assert(fine);
    parts->count -= !parts->padded;
    at += parts->person.length;
    parts->entries = (struct dbk_slice){at, (size_t)((const char *)walk.at - at)};
    parts->meta =
        (struct dbk_slice){(const char *)walk.at, (size_t)(walk.end - walk.at)};
}

static char *put(char *at, struct dbk_slice bytes)
{
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
    return at + bytes.length;
}

static char *put_number(char *at, uint64_t number, size_t size)
{
    for (size_t i = size; i > 0; i--)
        *at++ = (char)(number >> 8 * (i - 1));
    return at;
}

/* As short as msgpack can: `first` of four markers is that of one byte. */
static char *put_marked(char *at, unsigned first, uint64_t number)
{
    unsigned wider = number > UINT32_MAX   ? 3
                     : number > UINT16_MAX ? 2
                                           : number > UINT8_MAX;

    *at = (char)(first + wider);
    return put_number(at + 1, number, (size_t)1 << wider);
}

enum { FIXMAP = 0x80, BIN8 = 0xc4, UINT8 = 0xcc, FIXINT_MAX = 0x7f };

static char *put_entry(char *at, const char *name, uint64_t number)
{
    at = put(at, dbk_slice(name));
    if (number > FIXINT_MAX)
        return put_marked(at, UINT8, number);
    *at = (char)number;
    return at + 1;
}

/* How long the plain map is, and how many zeros are in it. */
static size_t plain_length(const struct parts *parts, size_t *zeros)
{
    size_t length = 1 + parts->entries.length;

    *zeros = 0;
    if (!parts->padded)
        return length;
    length += RECORD_PAD_HEAD;
    *zeros = (RECORD_PADDED - length % RECORD_PADDED) % RECORD_PADDED;
    return length + *zeros;
}

static void put_plain(char *at, const struct parts *parts, size_t zeros)
{
    *at = (char)(FIXMAP | (parts->count + parts->padded));
    at = put(at + 1, parts->entries);
    if (!parts->padded)
        return;
    at = put(at, dbk_slice("\xa0"));
    at = put_marked(at, BIN8, zeros);
    memset(at, 0, zeros);
}

enum {
    MAP_ENTRIES_MAX = 15,
    WIDEST = 9,
    KEY_NAME = 4,
    SEALED_NAME = 7,
    MONTH_NAME = 6
};

enum dbk_code record_seal(const char *bytes, size_t length, struct record_key key,
                          const uint8_t *nonce, char *out, size_t size,
                          size_t *sealed_length, struct dbk_error *err)
{
    char bound[RECORD_BOUND_TO], *at = out;
    const char *person;
    struct parts parts;
    size_t plain, zeros;

    take_apart(bytes, length, &parts);
    assert(key.number > 0 && dbk_type_is_sealed(parts.type));
    assert(key.month == 0 || parts.type == DBK_EVENT_RECORDED);
    assert(parts.count + parts.padded <= MAP_ENTRIES_MAX);
    plain = plain_length(&parts, &zeros);
    if (parts.head.length + 1 + parts.person.length + KEY_NAME + WIDEST + SEALED_NAME +
            WIDEST + plain + SEAL_OVERHEAD + (key.month > 0 ? MONTH_NAME + WIDEST : 0) +
            parts.meta.length >
        size)
        return dbk_fail(err, DBK_TOO_LARGE, "a record does not fit %zu bytes", size);
    at = put(at, parts.head);
    record_set_format(out, key.month > 0 ? RECORD_FORMAT_MONTH : RECORD_FORMAT_SEALED);
    *at++ = (char)(FIXMAP | (2 + !parts.padded + (key.month > 0)));
    at = put(at, parts.person);
    at = put_entry(at, "\xa3key", key.number);
    at = put(at, dbk_slice("\xa6sealed"));
    at = put_marked(at, BIN8, plain + SEAL_OVERHEAD);
    put_plain(at + SEAL_NONCE, &parts, zeros);
    person = parts.padded
                 ? parts.subject
                 : parts.person.data + RECORD_PERSON_ENTRY - sizeof(struct dbk_uuid);
    seal_in_place(key.bytes, bound_to(parts.type, parts.subject, person, bound), nonce,
                  at, plain);
    at += plain + SEAL_OVERHEAD;
    if (key.month > 0)
        at = put_entry(at, "\xa5month", key.month);
    at = put(at, parts.meta);
    *sealed_length = (size_t)(at - out);
    return DBK_OK;
}

enum dbk_code dbk_record_seal(const char *bytes, size_t length, uint64_t number,
                              const uint8_t key[SEAL_KEY], char *out, size_t size,
                              size_t *sealed_length, struct dbk_error *err)
{
    const struct record_key with = {number, 0, key};

    return record_seal(bytes, length, with, NULL, out, size, sealed_length, err);
}

enum dbk_code dbk_record_seal_in_month(const char *bytes, size_t length,
                                       uint64_t number, uint64_t month,
                                       const uint8_t key[SEAL_KEY], char *out,
                                       size_t size, size_t *sealed_length,
                                       struct dbk_error *err)
{
    const struct record_key with = {number, month, key};

    assert(month > 0);
    return record_seal(bytes, length, with, NULL, out, size, sealed_length, err);
}

/* Both are random, and of one length: what is hashed is one block, which costs half of what
 * hashing one keyed by the other does. */
void dbk_record_mix(const uint8_t key[SEAL_KEY], const uint8_t month[SEAL_KEY],
                    uint8_t mixed[SEAL_KEY])
{
    static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] =
        "daybook month";
    uint8_t both[2 * SEAL_KEY];

    memcpy(both, key, SEAL_KEY);
    memcpy(both + SEAL_KEY, month, SEAL_KEY);
    crypto_generichash_blake2b_salt_personal(mixed, SEAL_KEY, both, sizeof both, NULL,
                                             0, NULL, personal);
    sodium_memzero(both, sizeof both);
}
