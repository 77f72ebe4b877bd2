#include "idempotency.h"

#include "command_private.h"
#include "log_value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SWEPT_AT_ONCE 4

struct kept_head {
    uint8_t request[32];
    int64_t expires_at;
};

struct kept_verdict {
    uint64_t code, first_sequence, sequence;
    int64_t recorded_at;
};

#define CODE UINT64_C(0xFFFFFFFF)
#define OTHERWISE (UINT64_C(1) << 32)
#define HOLDER (UINT64_C(1) << 33)
#define HELD 34 /* and one bit more: what the holder has */

_Static_assert(sizeof(struct kept_head) == 40 && sizeof(struct kept_verdict) == 32,
               "as they are on disk");

static MDB_val key_of(const uint8_t hash[32])
{
    return (MDB_val){32, (void *)(uintptr_t)hash};
}

/* What is kept of the request: in a sealed log a keyed hash, for who guesses one must not be
 * able to tell. */
static void request_of(const struct environment *environment,
                       const struct dbk_idempotency *idempotency, uint8_t out[32])
{
    memcpy(out, idempotency->request, 32);
    if (!environment->keys)
        return;
    memset(out, 0, 32);
    dbk_keys_tag(environment->keys, DBK_TAG_REQUEST,
                 (struct dbk_slice){(const char *)idempotency->request, 32}, out);
}

static void recall(const char *at, struct dbk_command *command)
{
    struct dbk_verdict *verdict = &command->verdict;
    struct kept_verdict kept;

    memcpy(&kept, at, sizeof kept);
    memset(verdict, 0, sizeof *verdict);
    verdict->code = (enum dbk_code)(kept.code & CODE);
    verdict->otherwise = (kept.code & OTHERWISE) != 0;
    verdict->has_holder = (kept.code & HOLDER) != 0;
    verdict->sequence = kept.sequence;
    if (verdict->has_holder) {
        verdict->held = (enum dbk_identity)(kept.code >> HELD & 3);
        memcpy(verdict->holder.bytes, &kept.first_sequence, 8);
        memcpy(verdict->holder.bytes + 8, &kept.recorded_at, 8);
    } else {
        verdict->first_sequence = kept.first_sequence;
        verdict->recorded_at = kept.recorded_at;
    }
    if (verdict->code != DBK_OK)
        dbk_fail(&verdict->error, verdict->code,
                 "refused when this key was first used; use a new key to try again");
    if (command->person)
        command->person->version = 0; /* what it was then is in the log */
}

/* Whether the first record that the entry answers for is the actor's; one that cannot be
 * read is, for better it is refused than done twice. 0 or an LMDB code. */
static int is_of(MDB_txn *txn, const struct environment *environment, MDB_val entry,
                 struct dbk_slice actor, bool *his)
{
    struct dbk_record record;
    uint64_t sequence = 0;
    MDB_val key = {sizeof sequence, &sequence}, value;
    size_t length;
    int rc;

    *his = true;
    for (size_t at = sizeof(struct kept_head);
         sequence == 0 && at + sizeof(struct kept_verdict) <= entry.mv_size;
         at += sizeof(struct kept_verdict)) {
        struct kept_verdict kept;

        memcpy(&kept, (const char *)entry.mv_data + at, sizeof kept);
        if ((kept.code & CODE) == DBK_OK)
            sequence = kept.sequence;
    }
    rc = mdb_get(txn, environment->log, &key, &value);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (log_value_check(value.mv_data, value.mv_size, &length) &&
        dbk_record_decode(value.mv_data, length, &record, NULL) == DBK_OK)
        *his = dbk_slice_equal(record.actor, actor);
    return 0;
}

/* MDB_NOTFOUND where there is no entry. */
static int look_up(MDB_txn *txn, const struct environment *environment,
                   const struct dbk_idempotency *idempotency, MDB_val *value)
{
    MDB_val key = key_of(idempotency->key), former = key_of(idempotency->former);
    int rc = mdb_get(txn, environment->idempotency, &key, value);
    bool his;

    if (rc != MDB_NOTFOUND || !idempotency->has_former)
        return rc;
    rc = mdb_get(txn, environment->idempotency, &former, value);
    if (rc == 0)
        rc = is_of(txn, environment, *value, idempotency->actor, &his);
    return rc == 0 && !his ? MDB_NOTFOUND : rc;
}

int idempotency_find(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_idempotency *idempotency, dbk_timestamp now,
                     struct dbk_command *const *commands, size_t count,
                     enum idempotency_state *state)
{
    MDB_val value;
    int rc = look_up(txn, environment, idempotency, &value);
    struct kept_head head;
    uint8_t request[32];

    *state = IDEMPOTENCY_NEW;
    if (rc != 0)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (value.mv_size < sizeof head) { /* damaged: better refused than done twice */
        *state = IDEMPOTENCY_OTHER_REQUEST;
        return 0;
    }
    memcpy(&head, value.mv_data, sizeof head);
    if (head.expires_at <= now)
        return 0;
    /* The same request may have been read as another number of commands, by other rules
     * (an event type that is no longer allowed): not the same request then. */
    request_of(environment, idempotency, request);
    if (memcmp(head.request, request, sizeof head.request) != 0 ||
        value.mv_size != sizeof head + count * sizeof(struct kept_verdict)) {
        *state = IDEMPOTENCY_OTHER_REQUEST;
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        recall((const char *)value.mv_data + sizeof head +
                   i * sizeof(struct kept_verdict),
               commands[i]);
    *state = IDEMPOTENCY_KNOWN;
    return 0;
}

static struct kept_verdict kept_of(const struct dbk_verdict *verdict)
{
    struct kept_verdict kept = {(uint64_t)verdict->code, verdict->first_sequence,
                                verdict->sequence, verdict->recorded_at};

    if (verdict->otherwise)
        kept.code |= OTHERWISE;
    if (verdict->has_holder) {
        assert(verdict->code != DBK_OK);
        kept.code |= HOLDER | (uint64_t)verdict->held << HELD;
        memcpy(&kept.first_sequence, verdict->holder.bytes, 8);
        memcpy(&kept.recorded_at, verdict->holder.bytes + 8, 8);
    }
    return kept;
}

int idempotency_keep(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_idempotency *idempotency, dbk_timestamp now,
                     struct dbk_command *const *commands, size_t count)
{
    struct kept_head head = {.expires_at = now + idempotency->keep_us};
    MDB_val key = key_of(idempotency->key);
    MDB_val value = {sizeof head + count * sizeof(struct kept_verdict), NULL};
    int rc = mdb_put(txn, environment->idempotency, &key, &value, MDB_RESERVE);
    char *at = value.mv_data;

    if (rc != 0)
        return rc;
    request_of(environment, idempotency, head.request);
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    for (size_t i = 0; i < count; i++) {
        struct kept_verdict kept = kept_of(&commands[i]->verdict);

        memcpy(at, &kept, sizeof kept);
        at += sizeof kept;
    }
    assert(at == (char *)value.mv_data + value.mv_size);
    return 0;
}

/* The entry at or behind *place; from the start again past the last one. */
static int step(MDB_cursor *cursor, uint8_t place[32], MDB_val *value)
{
    MDB_val key = key_of(place);
    int rc = mdb_cursor_get(cursor, &key, value, MDB_SET_RANGE);

    if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor, &key, value, MDB_FIRST);
    if (rc == 0 && key.mv_size != 32)
        rc = MDB_CORRUPTED;
    if (rc == 0)
        memcpy(place, key.mv_data, 32);
    return rc;
}

/* The next possible key, so that the same one is not looked at again. */
static void advance(uint8_t place[32])
{
    for (int i = 31; i >= 0; i--) {
        if (++place[i] != 0)
            return;
    }
}

int idempotency_sweep(MDB_txn *txn, const struct environment *environment,
                      dbk_timestamp now, uint8_t place[32])
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, environment->idempotency, &cursor);

    for (int i = 0; rc == 0 && i < SWEPT_AT_ONCE; i++) {
        struct kept_head head = {.expires_at = INT64_MAX}; /* a damaged one stays */
        MDB_val value;

        rc = step(cursor, place, &value);
        if (rc != 0)
            break;
        if (value.mv_size >= sizeof head)
            memcpy(&head, value.mv_data, sizeof head);
        if (head.expires_at <= now)
            rc = mdb_cursor_del(cursor, 0);
        advance(place);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

bool idempotency_reaches(MDB_val key, MDB_val value, uint64_t *sequence)
{
    const char *at = value.mv_data;
    size_t verdicts = value.mv_size - sizeof(struct kept_head);

    if (key.mv_size != 32 || value.mv_size < sizeof(struct kept_head) ||
        verdicts % sizeof(struct kept_verdict) != 0)
        return false;
    at += sizeof(struct kept_head);
    *sequence = 0;
    for (; verdicts > 0; verdicts -= sizeof(struct kept_verdict)) {
        struct kept_verdict kept;

        memcpy(&kept, at, sizeof kept);
        at += sizeof kept;
        if (kept.sequence > *sequence)
            *sequence = kept.sequence;
    }
    return true;
}
