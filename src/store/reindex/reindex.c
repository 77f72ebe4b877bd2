#include "reindex.h"

#include "environment_meta.h"
#include "months.h"
#include "reindex_alias.h"
#include "reindex_event.h"
#include "reindex_person.h"
#include "sealed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static int add(struct reindex_place *place)
{
    switch (place->record->type) {
    case DBK_PERSON_CREATED:
        return reindex_created(place);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return reindex_changed(place);
    case DBK_PERSON_ERASED:
        return reindex_erased(place);
    case DBK_EVENT_RECORDED:
        return reindex_recorded(place);
    case DBK_EVENT_DELETED:
        return reindex_event_deleted(place);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        return reindex_alias(place);
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        return reindex_restricted(place);
    case DBK_EVENTS_EXPIRED:
        return reindex_expired(place);
    case DBK_LOG_RESEALED:
        return 0; /* of nobody */
    }
    return MDB_CORRUPTED;
}

static int note_keys(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    uint64_t number = record->key > record->month ? record->key : record->month;
    uint64_t highest;
    int rc =
        environment_get_mark(place->txn, place->environment, ENVIRONMENT_KEY, &highest);

    if (rc == 0 && number > highest)
        rc = environment_put_mark(place->txn, place->environment, ENVIRONMENT_KEY,
                                  number);
    if (rc == 0 && record->type == DBK_EVENT_RECORDED)
        rc = months_note(place->txn, place->environment, record->sequence,
                         record->recorded_at, record->month);
    return rc;
}

/* What is wrong with a record that could not be opened so; NULL: nobody knows. */
static const char *why_shut(int rc)
{
    switch (rc) {
    case LMDB_KEY_MISSING:
        return "its key is not in the ring of keys: put back the newest copy of that";
    case LMDB_KEY_DAMAGED:
        return "its key is damaged in the ring of keys: put back the newest copy of "
               "that";
    case LMDB_RECORD_DAMAGED:
        return "its key in the ring of keys does not open it";
    default:
        return NULL;
    }
}

bool reindex_lacks_key(const struct environment *environment,
                       const struct dbk_record *record)
{
    uint8_t key[DBK_KEY_BYTES];
    int rc;

    if (record->key == 0 || !environment->keys)
        return false;
    rc = sealed_key(environment, record->key, key);
    if (rc == 0 && record->month > 0)
        rc = sealed_key(environment, record->month, key);
    sealed_wipe(key);
    return rc == LMDB_KEY_MISSING || rc == LMDB_KEY_DAMAGED;
}

static int add_sealed(struct reindex_place *place)
{
    struct dbk_record record = *place->record;
    struct reindex_place opened = {place->txn, place->environment, &record, NULL};
    char *room;
    int rc = 0;

    if (!place->environment->keys)
        return reindex_wrong(place,
                             "it is sealed, and the ring of its keys is not here");
    room = malloc(record.sealed.length);
    if (!room)
        return ENOMEM;
    rc = sealed_open(place->environment, &record, room);
    if (rc == 0)
        rc = add(&opened);
    else if (why_shut(rc))
        rc = reindex_wrong(&opened, why_shut(rc));
    if (rc == 0 && !opened.wrong)
        rc = note_keys(&opened);
    place->wrong = opened.wrong;
    free(room);
    return rc;
}

int reindex_add(MDB_txn *txn, const struct environment *environment,
                const struct dbk_record *record, const char **why)
{
    struct reindex_place place = {txn, environment, record, NULL};
    int rc;

    assert(record->sequence > 0);
    if (environment->sealed && record->key == 0 && dbk_type_is_sealed(record->type))
        rc = reindex_wrong(&place, "it is not sealed, and its log is");
    else
        rc = record->key > 0 ? add_sealed(&place) : add(&place);
    *why = place.wrong;
    return rc;
}

int reindex_clear(MDB_txn *txn, const struct environment *environment)
{
    int rc;

    if ((rc = mdb_drop(txn, environment->person, 0)) != 0 ||
        (rc = mdb_drop(txn, environment->email, 0)) != 0)
        return rc;
    if ((rc = mdb_drop(txn, environment->external, 0)) != 0 ||
        (rc = mdb_drop(txn, environment->alias, 0)) != 0 ||
        (rc = mdb_drop(txn, environment->person_alias, 0)) != 0 ||
        (rc = mdb_drop(txn, environment->restricted, 0)) != 0 ||
        (rc = months_clear(txn, environment)) != 0)
        return rc;
    return mdb_drop(txn, environment->event, 0);
}
