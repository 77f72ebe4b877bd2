/* Whose an event is. */
#include "identity.h"

#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int identity_of_record(MDB_txn *txn, const struct environment *environment,
                       const struct dbk_record *record, struct dbk_uuid *owner)
{
    struct identity_alias alias;
    struct identity_key key;
    int rc;

    *owner = record->person_id;
    if (record->erased)
        return MDB_NOTFOUND;
    if (record->anonymous_id.length == 0)
        return 0;
    if (!identity_key_of(record->anonymous_id, &key))
        return ENOMEM;
    rc = identity_get_alias(txn, environment, &key, &alias);
    if (rc != 0)
        return rc;
    *owner = alias.person;
    if (environment->sealed)
        return alias.number == record->key ? 0 : MDB_NOTFOUND;
    return alias.gone >= record->sequence ? MDB_NOTFOUND : 0;
}

static int of_event(MDB_txn *txn, const struct environment *environment,
                    uint64_t sequence, char *room, struct dbk_uuid *owner,
                    struct dbk_record *record)
{
    int rc = index_get_record(txn, environment, sequence, room, record);

    if (rc != 0)
        return rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc;
    if (record->type != DBK_EVENT_RECORDED)
        return LMDB_INDEX_DAMAGED;
    return identity_of_record(txn, environment, record, owner);
}

int identity_of_event(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_event_state *event, struct dbk_uuid *owner,
                      struct dbk_record *record)
{
    size_t length;
    char *room;
    int rc;

    *owner = event->person_id;
    memset(record, 0, sizeof *record);
    if (!dbk_uuid_is_nil(owner))
        return 0;
    if (!environment->sealed)
        return of_event(txn, environment, event->sequence, NULL, owner, record);
    room = malloc(DBK_RECORD_MAX);
    if (!room)
        return ENOMEM;
    rc = of_event(txn, environment, event->sequence, room, owner, record);
    length = record->anonymous_id.length;
    memset(record, 0, sizeof *record); /* what its slices point to goes */
    record->anonymous_id.length = length;
    free(room);
    return rc;
}
