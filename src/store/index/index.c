#include "index.h"

#include "index_bytes.h"
#include "log_value.h"
#include "person_value.h"
#include "sealed.h"

#include <assert.h>
#include <string.h>

#define EVENT_FIXED (8 + 8 + 16)

_Static_assert(sizeof(struct dbk_uuid) == 16, "a key of persons and of events");

static MDB_val value_of(const void *bytes, size_t length)
{
    return (MDB_val){length, (void *)(uintptr_t)bytes};
}

static MDB_val key_of(const struct dbk_uuid *id)
{
    return value_of(id->bytes, sizeof id->bytes);
}

int index_get_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_uuid *id, struct dbk_person_state *out)
{
    MDB_val key = key_of(id), value;
    int rc = mdb_get(txn, environment->person, &key, &value);

    out->id = *id;
    return rc == 0 ? person_value_read(environment, value, out) : rc;
}

int index_look_person(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_uuid *id, struct dbk_person_state *out)
{
    MDB_val key = key_of(id), value;
    int rc;

    if (!environment->sealed)
        return index_get_person(txn, environment, id, out);
    rc = mdb_get(txn, environment->person, &key, &value);
    out->id = *id;
    return rc == 0 ? person_value_look(value, out) : rc;
}

int index_put_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_person_state *state)
{
    char bytes[PERSON_VALUE_MAX];
    MDB_val key = key_of(&state->id), value;
    size_t length = 0;
    int rc = person_value_write(environment, state, bytes, &length);

    value = value_of(bytes, length);
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
