#include "place.h"

#include "environment_meta.h"
#include "store/little_endian.h"

#include <assert.h>
#include <string.h>

#define PLACE "place"
#define KEPT "kept."
enum { NAME_MAX_BYTES = 32, PLACE_BYTES = 24 };

static void pack(const struct dbk_place *place, unsigned char out[PLACE_BYTES])
{
    const int64_t numbers[] = {place->next, place->epoch, place->reseed};

    for (size_t i = 0; i < 3; i++)
        dbk_put_le64(out + i * sizeof *numbers, (uint64_t)numbers[i]);
}

static int64_t unpack(const unsigned char *at)
{
    return (int64_t)dbk_get_le64(at);
}

bool place_is_right(const struct dbk_place *place)
{
    return place->next >= 0 && place->epoch >= -1 && place->epoch < place->next &&
           place->reseed >= -1 && place->reseed <= place->next;
}

bool place_equal(const struct dbk_place *a, const struct dbk_place *b)
{
    return a->next == b->next && a->epoch == b->epoch && a->reseed == b->reseed;
}

static MDB_val key_of(const char *name)
{
    return (MDB_val){strlen(name), (void *)(uintptr_t)name};
}

int place_get(MDB_txn *txn, const struct environment *environment,
              struct dbk_place *out)
{
    MDB_val key = key_of(PLACE), value;
    int rc = mdb_get(txn, environment->meta, &key, &value);
    const unsigned char *at = value.mv_data;

    if (rc != 0)
        return rc;
    if (value.mv_size != PLACE_BYTES)
        return MDB_CORRUPTED;
    *out = (struct dbk_place){unpack(at), unpack(at + 8), unpack(at + 16)};
    return place_is_right(out) ? 0 : MDB_CORRUPTED;
}

int place_put(MDB_txn *txn, const struct environment *environment,
              const struct dbk_place *place)
{
    unsigned char bytes[PLACE_BYTES];
    MDB_val key = key_of(PLACE), value = {sizeof bytes, bytes};
    int rc = environment_set_member(txn, environment, true);

    assert(place_is_right(place));
    pack(place, bytes);
    return rc == 0 ? mdb_put(txn, environment->meta, &key, &value, 0) : rc;
}

static bool is_kept(MDB_val key)
{
    return key.mv_size > strlen(KEPT) && !memcmp(key.mv_data, KEPT, strlen(KEPT));
}

static int drop_kept(MDB_txn *txn, const struct environment *environment)
{
    MDB_val key = key_of(KEPT), value;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, environment->meta, &cursor);

    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)) == 0 &&
           is_kept(key) && (rc = mdb_cursor_del(cursor, 0)) == 0)
        key = key_of(KEPT);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int place_drop(MDB_txn *txn, const struct environment *environment)
{
    MDB_val key = key_of(PLACE);
    int rc = mdb_del(txn, environment->meta, &key, NULL);

    if (rc == 0 || rc == MDB_NOTFOUND)
        rc = drop_kept(txn, environment);
    return rc == 0 ? environment_set_member(txn, environment, false) : rc;
}

/* "kept.NAME"; false: no name. */
static bool name_kept(const char *name, char out[sizeof KEPT + NAME_MAX_BYTES])
{
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    memcpy(out, KEPT, strlen(KEPT));
    memcpy(out + strlen(KEPT), name, length + 1);
    return true;
}

int place_keep(MDB_txn *txn, const struct environment *environment, const char *name,
               struct dbk_slice bytes)
{
    char text[sizeof KEPT + NAME_MAX_BYTES];
    MDB_val key, value = {bytes.length, (void *)(uintptr_t)bytes.data};

    if (!name_kept(name, text))
        return MDB_BAD_VALSIZE;
    key = key_of(text);
    return mdb_put(txn, environment->meta, &key, &value, 0);
}

int place_kept(MDB_txn *txn, const struct environment *environment, const char *name,
               MDB_val *value)
{
    char text[sizeof KEPT + NAME_MAX_BYTES];
    MDB_val key;

    if (!name_kept(name, text))
        return MDB_BAD_VALSIZE;
    key = key_of(text);
    return mdb_get(txn, environment->meta, &key, value);
}

/* 0 or an LMDB code; *there false where the log has none. */
static int find(MDB_txn *txn, const struct environment *environment,
                struct dbk_place *place, bool *there)
{
    int rc = place_get(txn, environment, place);

    *there = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int place_differs(MDB_txn *a, const struct environment *a_environment, MDB_txn *b,
                  const struct environment *b_environment, bool *differs)
{
    struct dbk_place one, other;
    bool has_one, has_other;
    int rc;

    if ((rc = find(a, a_environment, &one, &has_one)) != 0 ||
        (rc = find(b, b_environment, &other, &has_other)) != 0)
        return rc;
    *differs = has_one != has_other || (has_one && !place_equal(&one, &other));
    return 0;
}

int place_check(MDB_txn *txn, const struct environment *environment,
                struct dbk_place *out, bool *has_one, const char **wrong)
{
    bool member;
    int rc = environment_get_member(txn, environment, &member);

    *wrong = NULL;
    *has_one = false;
    if (rc == 0)
        rc = find(txn, environment, out, has_one);
    if (rc == MDB_CORRUPTED) {
        *wrong = "the log's place in the cluster is damaged";
        return 0;
    }
    if (rc == 0 && *has_one != member)
        *wrong =
            member ? "the log says that it is a member of a cluster, and has no place "
                     "there"
                   : "the log has a place in a cluster, and does not say that it is a "
                     "member";
    return rc;
}

static int copy_value(MDB_txn *to, const struct environment *environment, MDB_val key,
                      MDB_val value, bool *changed)
{
    MDB_val there;
    int rc = mdb_get(to, environment->meta, &key, &there);

    if (rc == 0 && there.mv_size == value.mv_size &&
        !memcmp(there.mv_data, value.mv_data, value.mv_size))
        return 0;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    *changed = true;
    return mdb_put(to, environment->meta, &key, &value, 0);
}

static int copy_kept(MDB_txn *from, const struct environment *from_environment,
                     MDB_txn *to, const struct environment *to_environment,
                     bool *changed)
{
    MDB_val key = key_of(KEPT), value;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(from, from_environment->meta, &cursor);

    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && is_kept(key)) {
        rc = copy_value(to, to_environment, key, value, changed);
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int place_copy(MDB_txn *from, const struct environment *from_environment, MDB_txn *to,
               const struct environment *to_environment, bool *changed)
{
    struct dbk_place place, there;
    bool has_one, had_one;
    int rc;

    *changed = false;
    if ((rc = find(from, from_environment, &place, &has_one)) != 0 ||
        (rc = find(to, to_environment, &there, &had_one)) != 0)
        return rc;
    if (!has_one) {
        *changed = had_one;
        return had_one ? place_drop(to, to_environment) : 0;
    }
    *changed = !had_one || !place_equal(&place, &there);
    if (*changed)
        rc = place_put(to, to_environment, &place);
    return rc == 0 ? copy_kept(from, from_environment, to, to_environment, changed)
                   : rc;
}
