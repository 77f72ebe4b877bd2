#include "person_value.h"

#include "index_bytes.h"

#include <assert.h>
#include <string.h>

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
        rc = unpack_person((MDB_val){blob.length - SEAL_OVERHEAD, bytes}, out);
    out->key = number;
    out->erased = rc == LMDB_KEY_ERASED;
    return out->erased ? 0 : rc;
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
                       const struct dbk_person_state *state, char out[PERSON_VALUE_MAX],
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

int person_value_read(const struct environment *environment, MDB_val value,
                      struct dbk_person_state *out)
{
    return environment->sealed ? unpack_sealed(environment, value, out)
                               : unpack_person(value, out);
}

int person_value_look(MDB_val value, struct dbk_person_state *out)
{
    struct dbk_slice blob;

    return unpack_marks(value, out, &blob);
}

int person_value_write(const struct environment *environment,
                       const struct dbk_person_state *state, char out[PERSON_VALUE_MAX],
                       size_t *length)
{
    if (environment->sealed)
        return pack_sealed(environment, state, out, length);
    *length = pack_person(state, out);
    return 0;
}
