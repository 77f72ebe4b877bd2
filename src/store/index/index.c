#include "index.h"

#include "log_value.h"
#include "sealed.h"
#include "store/little_endian.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define PERSON_FIXED (8 + 8 + 8 + 1 + 1 + 2 + 2 + 2)
#define PERSON_LONGER (2 + 8 + 4)
#define EVENT_FIXED (8 + 8 + 16)

_Static_assert(sizeof(struct dbk_uuid) == 16, "a key of persons and of events");

static char *put_u64(char *at, uint64_t value)
{
    dbk_put_le64(at, value);
    return at + sizeof value;
}

static char *put_u16(char *at, size_t value)
{
    uint16_t small = htole16((uint16_t)value);

    assert(value <= UINT16_MAX);
    memcpy(at, &small, sizeof small);
    return at + sizeof small;
}

static char *put_bytes(char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static uint64_t take_u64(const char **at)
{
    uint64_t value = dbk_get_le64(*at);

    *at += sizeof value;
    return value;
}

static size_t take_u16(const char **at)
{
    uint16_t value;

    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return le16toh(value);
}

static char *put_u32(char *at, uint32_t value)
{
    dbk_put_le32(at, value);
    return at + sizeof value;
}

static uint32_t take_u32(const char **at)
{
    uint32_t value = dbk_get_le32(*at);

    *at += sizeof value;
    return value;
}

static MDB_val value_of(const void *bytes, size_t length)
{
    return (MDB_val){length, (void *)(uintptr_t)bytes};
}

static MDB_val key_of(const struct dbk_uuid *id)
{
    return value_of(id->bytes, sizeof id->bytes);
}

static void take_text(const char **at, size_t length, char *out)
{
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
}

enum { DELETED = 1, LONGER = 2, ERASED = 4 };

/* What is behind the names, which are all there is to most. */
static int unpack_longer(const char *at, size_t left, struct dbk_person_state *out)
{
    size_t external_id;

    if (left < PERSON_LONGER)
        return LMDB_INDEX_DAMAGED;
    external_id = take_u16(&at);
    out->properties_sequence = take_u64(&at);
    out->aliases = take_u32(&at);
    if (external_id > DBK_EXTERNAL_ID_MAX || left != PERSON_LONGER + external_id)
        return LMDB_INDEX_DAMAGED;
    take_text(&at, external_id, out->external_id);
    return 0;
}

static int unpack_person(MDB_val value, struct dbk_person_state *out)
{
    const char *at = value.mv_data;
    size_t email, first_name, last_name, left;
    unsigned marks;

    if (value.mv_size < PERSON_FIXED)
        return LMDB_INDEX_DAMAGED;
    out->version = take_u64(&at);
    out->datetime_created = (dbk_timestamp)take_u64(&at);
    out->datetime_modified = (dbk_timestamp)take_u64(&at);
    marks = (unsigned char)*at++;
    out->deleted = (marks & DELETED) != 0;
    out->erased = false;
    out->key = 0;
    out->role = *at++ == DBK_ROLE_ADMIN ? DBK_ROLE_ADMIN : DBK_ROLE_USER;
    email = take_u16(&at);
    first_name = take_u16(&at);
    last_name = take_u16(&at);
    left = value.mv_size - PERSON_FIXED;
    if (email > DBK_EMAIL_MAX || first_name > DBK_NAME_MAX ||
        last_name > DBK_NAME_MAX || left < email + first_name + last_name)
        return LMDB_INDEX_DAMAGED;
    left -= email + first_name + last_name;
    take_text(&at, email, out->email);
    take_text(&at, first_name, out->first_name);
    take_text(&at, last_name, out->last_name);
    if (marks & LONGER)
        return unpack_longer(at, left, out);
    out->external_id[0] = '\0';
    out->properties_sequence = 0;
    out->aliases = 0;
    return left == 0 ? 0 : LMDB_INDEX_DAMAGED;
}

#define SEALED_FIXED (8 + 1 + 8)
#define PERSON_MAX                                                                     \
    (PERSON_FIXED + DBK_EMAIL_MAX + 2 * DBK_NAME_MAX + PERSON_LONGER +                 \
     DBK_EXTERNAL_ID_MAX)

/* Nothing is known of the person but that. */
static void unknown(struct dbk_person_state *out)
{
    const struct dbk_uuid id = out->id;

    memset(out, 0, sizeof *out);
    out->id = id;
    out->role = DBK_ROLE_USER;
}

/* What stands in the clear; *blob is the rest. */
static int unpack_marks(MDB_val value, struct dbk_person_state *out,
                        struct dbk_slice *blob)
{
    const char *at = value.mv_data;
    unsigned marks;

    unknown(out);
    if (value.mv_size < SEALED_FIXED)
        return LMDB_INDEX_DAMAGED;
    out->version = take_u64(&at);
    marks = (unsigned char)*at++;
    out->deleted = (marks & DELETED) != 0;
    out->erased = (marks & ERASED) != 0;
    out->key = take_u64(&at);
    *blob = (struct dbk_slice){at, value.mv_size - SEALED_FIXED};
    return 0;
}

static int unpack_sealed(const struct environment *environment, MDB_val value,
                         struct dbk_person_state *out)
{
    char bytes[PERSON_MAX];
    struct dbk_slice blob;
    uint64_t number;
    int rc = unpack_marks(value, out, &blob);

    if (rc != 0 || out->erased)
        return rc;
    if (blob.length < SEAL_OVERHEAD || blob.length - SEAL_OVERHEAD > sizeof bytes)
        return LMDB_INDEX_DAMAGED;
    number = out->key;
    rc = sealed_take(environment, number, 'P', out->id.bytes, sizeof out->id.bytes,
                     blob, bytes);
    if (rc == 0)
        rc = unpack_person(value_of(bytes, blob.length - SEAL_OVERHEAD), out);
    out->key = number;
    out->erased = rc == LMDB_KEY_ERASED;
    return out->erased ? 0 : rc;
}

int index_get_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_uuid *id, struct dbk_person_state *out)
{
    MDB_val key = key_of(id), value;
    int rc = mdb_get(txn, environment->person, &key, &value);

    out->id = *id;
    if (rc != 0)
        return rc;
    return environment->sealed ? unpack_sealed(environment, value, out)
                               : unpack_person(value, out);
}

int index_look_person(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_uuid *id, struct dbk_person_state *out)
{
    MDB_val key = key_of(id), value;
    struct dbk_slice blob;
    int rc;

    if (!environment->sealed)
        return index_get_person(txn, environment, id, out);
    rc = mdb_get(txn, environment->person, &key, &value);
    out->id = *id;
    return rc == 0 ? unpack_marks(value, out, &blob) : rc;
}

static bool is_longer(const struct dbk_person_state *state)
{
    return state->external_id[0] || state->properties_sequence || state->aliases;
}

static char *put_longer(char *at, const struct dbk_person_state *state)
{
    size_t external_id = strlen(state->external_id);

    assert(external_id <= DBK_EXTERNAL_ID_MAX);
    at = put_u16(at, external_id);
    at = put_u64(at, state->properties_sequence);
    at = put_u32(at, state->aliases);
    return put_bytes(at, state->external_id, external_id);
}

static size_t pack_person(const struct dbk_person_state *state, char out[PERSON_MAX])
{
    bool longer = is_longer(state);
    size_t email = strlen(state->email);
    size_t first_name = strlen(state->first_name);
    size_t last_name = strlen(state->last_name);
    char *at = out;

    assert(email <= DBK_EMAIL_MAX && first_name <= DBK_NAME_MAX &&
           last_name <= DBK_NAME_MAX);
    assert(state->version > 0);
    at = put_u64(at, state->version);
    at = put_u64(at, (uint64_t)state->datetime_created);
    at = put_u64(at, (uint64_t)state->datetime_modified);
    *at++ = (char)((state->deleted ? DELETED : 0) | (longer ? LONGER : 0));
    *at++ = (char)state->role;
    at = put_u16(at, email);
    at = put_u16(at, first_name);
    at = put_u16(at, last_name);
    at = put_bytes(at, state->email, email);
    at = put_bytes(at, state->first_name, first_name);
    at = put_bytes(at, state->last_name, last_name);
    if (longer)
        at = put_longer(at, state);
    return (size_t)(at - out);
}

static int pack_sealed(const struct environment *environment,
                       const struct dbk_person_state *state,
                       char out[SEALED_FIXED + SEAL_OVERHEAD + PERSON_MAX],
                       size_t *length)
{
    char *at = put_u64(out, state->version);

    *at++ = (char)((state->deleted ? DELETED : 0) | (state->erased ? ERASED : 0));
    at = put_u64(at, state->key);
    *length = SEALED_FIXED;
    if (state->erased)
        return 0;
    *length = pack_person(state, at + SEAL_NONCE);
    *length += SEALED_FIXED + SEAL_OVERHEAD;
    return sealed_put(environment, state->key, 'P', state->id.bytes,
                      sizeof state->id.bytes, at,
                      *length - SEALED_FIXED - SEAL_OVERHEAD);
}

int index_put_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_person_state *state)
{
    char bytes[SEALED_FIXED + SEAL_OVERHEAD + PERSON_MAX];
    MDB_val key = key_of(&state->id), value;
    size_t length;
    int rc = 0;

    if (environment->sealed)
        rc = pack_sealed(environment, state, bytes, &length);
    else
        length = pack_person(state, bytes);
    value = value_of(bytes, rc == 0 ? length : 0);
    return rc == 0 ? mdb_put(txn, environment->person, &key, &value, 0) : rc;
}

static int unpack_event(MDB_val value, struct dbk_event_state *out)
{
    const char *at = value.mv_data;

    if (value.mv_size != EVENT_FIXED)
        return LMDB_INDEX_DAMAGED;
    out->sequence = take_u64(&at);
    out->deleted_sequence = take_u64(&at);
    memcpy(out->person_id.bytes, at, sizeof out->person_id.bytes);
    return out->sequence > 0 ? 0 : LMDB_INDEX_DAMAGED;
}

static void pack_event(const struct dbk_event_state *state, char out[EVENT_FIXED])
{
    char *at = out;

    assert(state->sequence > 0);
    at = put_u64(at, state->sequence);
    at = put_u64(at, state->deleted_sequence);
    at = put_bytes(at, state->person_id.bytes, sizeof state->person_id.bytes);
    assert(at == out + EVENT_FIXED);
}

int index_get_event(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *id, struct dbk_event_state *out)
{
    MDB_val key = key_of(id), value;
    int rc = mdb_get(txn, environment->event, &key, &value);

    return rc == 0 ? unpack_event(value, out) : rc;
}

int index_put_event(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *id, const struct dbk_event_state *state)
{
    char bytes[EVENT_FIXED];
    MDB_val key = key_of(id), value = value_of(bytes, sizeof bytes);

    pack_event(state, bytes);
    return mdb_put(txn, environment->event, &key, &value, 0);
}

int index_put_event_at(MDB_cursor *cursor, const struct dbk_uuid *id,
                       const struct dbk_event_state *state)
{
    char bytes[EVENT_FIXED];
    MDB_val key = key_of(id), value = value_of(bytes, sizeof bytes);

    pack_event(state, bytes);
    return mdb_cursor_put(cursor, &key, &value, 0);
}

int index_add_event(MDB_cursor *cursor, const struct dbk_uuid *id,
                    const struct dbk_event_state *state, struct dbk_event_state *known)
{
    char bytes[EVENT_FIXED];
    MDB_val key = key_of(id), value = value_of(bytes, sizeof bytes);
    int rc;

    pack_event(state, bytes);
    rc = mdb_cursor_put(cursor, &key, &value, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST && unpack_event(value, known) != 0)
        return LMDB_INDEX_DAMAGED;
    return rc;
}

/* Emails are ASCII (WHATWG), so lower case is; what is not a capital letter stays. Of a sealed
 * log that is open without its ring, one that nobody has. */
static MDB_val email_key(const struct environment *environment, struct dbk_slice email,
                         char bytes[DBK_EMAIL_MAX])
{
    uint8_t tag[DBK_KEY_TAG_BYTES] = {0};

    assert(email.length <= DBK_EMAIL_MAX);
    for (size_t i = 0; i < email.length; i++) {
        char c = email.data[i];

        bytes[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (!environment->sealed)
        return value_of(bytes, email.length);
    if (environment->keys)
        dbk_keys_tag(environment->keys, DBK_TAG_EMAIL,
                     (struct dbk_slice){bytes, email.length}, tag);
    memcpy(bytes, tag, sizeof tag);
    return value_of(bytes, sizeof tag);
}

int index_get_email(MDB_txn *txn, const struct environment *environment,
                    struct dbk_slice email, struct dbk_uuid *out)
{
    char bytes[DBK_EMAIL_MAX];
    MDB_val key = email_key(environment, email, bytes), value;
    int rc = mdb_get(txn, environment->email, &key, &value);

    if (rc == 0 && value.mv_size != sizeof out->bytes)
        return LMDB_INDEX_DAMAGED;
    if (rc == 0)
        memcpy(out->bytes, value.mv_data, sizeof out->bytes);
    return rc;
}

int index_put_email(MDB_txn *txn, const struct environment *environment,
                    struct dbk_slice email, const struct dbk_uuid *person_id)
{
    char bytes[DBK_EMAIL_MAX];
    MDB_val key = email_key(environment, email, bytes);
    MDB_val value = key_of(person_id);

    return mdb_put(txn, environment->email, &key, &value, 0);
}

int index_drop_email(MDB_txn *txn, const struct environment *environment,
                     struct dbk_slice email)
{
    char bytes[DBK_EMAIL_MAX];
    MDB_val key = email_key(environment, email, bytes);
    int rc = mdb_del(txn, environment->email, &key, NULL);

    return rc == MDB_NOTFOUND ? 0 : rc;
}

int index_get_record(MDB_txn *txn, const struct environment *environment,
                     uint64_t sequence, char *room, struct dbk_record *out)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    size_t length;
    int rc = mdb_get(txn, environment->log, &key, &value);

    if (rc != 0)
        return rc;
    if (!log_value_check(value.mv_data, value.mv_size, &length) ||
        dbk_record_decode(value.mv_data, length, out, NULL) != DBK_OK ||
        out->sequence != sequence)
        return LMDB_RECORD_DAMAGED;
    return out->sealed.length > 0 ? sealed_open(environment, out, room) : 0;
}

int index_by_id(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct dbk_uuid));
}

int index_head(MDB_txn *txn, const struct environment *environment, uint64_t *head)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(txn, environment->log, &cursor);

    if (rc != 0)
        return rc;
    *head = 0;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (rc == 0 && key.mv_size != sizeof *head)
        rc = MDB_CORRUPTED;
    else if (rc == 0)
        memcpy(head, key.mv_data, sizeof *head);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
