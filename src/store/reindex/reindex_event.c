#include "reindex_event.h"

#include "environment_meta.h"
#include "identity.h"
#include "index.h"
#include "lost.h"
#include "months.h"
#include "reindex_person.h"

#include <errno.h>

/* The event says that it was a person's, and no alias does: that of somebody who was erased
 * since, whose records of it nobody can read. */
static int check_erased_owner(struct reindex_place *place,
                              const struct identity_alias *alias)
{
    struct dbk_person_state person;
    int rc = MDB_NOTFOUND;

    if (place->environment->sealed && dbk_uuid_is_nil(&alias->person))
        rc = index_look_person(place->txn, place->environment,
                               &place->record->person_id, &person);
    if (place->environment->sealed && rc == MDB_NOTFOUND &&
        dbk_uuid_is_nil(&alias->person))
        return reindex_wrong(place, "its person was never created, or what says so "
                                    "cannot be read");
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    return rc == 0 && person.erased
               ? 0
               : reindex_wrong(place, "its anonymous_id was another's");
}

/* Its anonymous id had another key. That may only be where the events of that one are expired: who
 * made the indexes anew since knows of none. */
static int check_other_key(struct reindex_place *place)
{
    uint64_t expired;
    int rc = months_expired(place->txn, place->environment, &expired);

    return rc == 0 && expired == 0
               ? reindex_wrong(place, "its key is not that of its anonymous_id")
               : rc;
}

/* An anonymous event says whose it was when it was recorded. */
static int check_anonymous(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    struct identity_alias alias;
    struct identity_key key;
    int rc;

    if (!identity_key_of(record->anonymous_id, &key))
        return ENOMEM;
    rc = identity_get_alias(place->txn, place->environment, &key, &alias);
    if (rc != 0)
        return rc;
    if (!dbk_uuid_equal(&alias.person, &record->person_id))
        rc = check_erased_owner(place, &alias);
    if (rc != 0 || place->wrong)
        return rc;
    if (!place->environment->sealed || alias.number == record->key)
        return 0;
    if (alias.number > 0)
        rc = check_other_key(place);
    if (rc != 0 || place->wrong)
        return rc;
    return identity_give(place->txn, place->environment, &key, record->key);
}

/* Whose event it is, which has no anonymous id. Of an erased one that is not known, but the key
 * of a person is no other's: *anonymous then tells it. */
static int find_recorded_of(struct reindex_place *place, bool *anonymous)
{
    const struct dbk_record *record = place->record;
    struct dbk_person_state person;
    int rc;

    *anonymous = record->erased && dbk_uuid_is_nil(&record->person_id);
    if (*anonymous)
        return 0;
    rc = reindex_find_person(place, &record->person_id, &person);
    if (rc != 0 || place->wrong)
        return rc;
    *anonymous = record->erased && person.key != record->key;
    if (!*anonymous)
        reindex_has_its_key(place, &person);
    return 0;
}

int reindex_recorded(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_event_state event = {.sequence = record->sequence,
                                    .person_id = record->person_id};
    struct dbk_event_state before;
    bool anonymous = record->anonymous_id.length > 0;
    int rc = anonymous ? check_anonymous(place) : find_recorded_of(place, &anonymous);

    if (rc != 0 || place->wrong)
        return rc;
    if (anonymous)
        event.person_id = (struct dbk_uuid){{0}};
    rc = index_get_event(place->txn, place->environment, &record->subject, &before);
    if (rc == 0)
        return reindex_wrong(place, "its event was recorded before");
    if (rc != MDB_NOTFOUND)
        return rc;
    rc = index_put_event(place->txn, place->environment, &record->subject, &event);
    return rc == 0 && anonymous && record->erased
               ? lost_note(place->txn, place->environment, record->key)
               : rc;
}

int reindex_event_deleted(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_event_state event;
    struct dbk_person_state person;
    int rc = index_get_event(place->txn, place->environment, &record->subject, &event);

    if (rc == MDB_NOTFOUND)
        return reindex_wrong(place, "its event was never recorded");
    if (rc != 0)
        return rc;
    if (event.deleted_sequence)
        return reindex_wrong(place, "its event was deleted before");
    /* The index alone does not tell whose an anonymous event was. */
    if (!dbk_uuid_is_nil(&event.person_id) &&
        !dbk_uuid_equal(&event.person_id, &record->person_id))
        return reindex_wrong(place, "its event belongs to another person");
    if (!dbk_uuid_is_nil(&record->person_id))
        rc = reindex_find_person(place, &record->person_id, &person);
    if (rc != 0 || place->wrong)
        return rc;
    event.deleted_sequence = record->sequence;
    return index_put_event(place->txn, place->environment, &record->subject, &event);
}

int reindex_expired(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    uint64_t before;
    int rc = months_expired(place->txn, place->environment, &before);

    if (!place->environment->sealed)
        return reindex_wrong(place, "it destroys keys, and its log is not sealed");
    if (rc == 0 && (record->through >= record->sequence || record->through <= before))
        return reindex_wrong(place,
                             "it is of events before or behind those that there were");
    if (rc == 0)
        rc = months_expire(place->txn, place->environment, record->through);
    return rc == 0 ? environment_put_mark(place->txn, place->environment,
                                          ENVIRONMENT_ERASED, record->sequence)
                   : rc;
}
