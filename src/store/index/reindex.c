#include "reindex.h"

#include "index.h"
#include "person_state.h"

#include <assert.h>
#include <string.h>

/* What a record is applied to. */
struct place {
    MDB_txn *txn;
    const struct environment *environment;
    const struct dbk_record *record;
    const char *wrong;
};

static int wrong(struct place *place, const char *why)
{
    place->wrong = why;
    return 0;
}

/* A person who is there; wrong is set where not. */
static int find_person(struct place *place, const struct dbk_uuid *id,
                       struct dbk_person_state *person)
{
    int rc = index_get_person(place->txn, place->environment, id, person);

    if (rc == MDB_NOTFOUND)
        return wrong(place, "its person was never created");
    if (rc == 0 && person->deleted)
        return wrong(place, "its person was deleted before");
    return rc;
}

/* Move the email index from the old email ("": none) to that of the state (deleted: none). */
static int move_email(struct place *place, const char *old,
                      const struct dbk_person_state *person)
{
    struct dbk_slice email = dbk_slice(person->email);
    struct dbk_uuid owner;
    int rc = 0;

    if (email.length) {
        rc = index_get_email(place->txn, place->environment, email, &owner);
        if (rc == 0 && !dbk_uuid_equal(&owner, &person->id))
            return wrong(place, "another person had its email");
        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
        rc = 0;
    }
    if (old[0])
        rc = index_drop_email(place->txn, place->environment, dbk_slice(old));
    if (rc == 0 && email.length)
        rc = index_put_email(place->txn, place->environment, email, &person->id);
    return rc;
}

static int put_person(struct place *place, const char *old_email,
                      struct dbk_person_state *person)
{
    int rc = move_email(place, old_email, person);

    if (rc != 0 || place->wrong)
        return rc;
    person->version = place->record->sequence;
    return index_put_person(place->txn, place->environment, person);
}

static int add_created(struct place *place)
{
    struct dbk_person_state person;
    int rc = index_get_person(place->txn, place->environment, &place->record->subject,
                              &person);

    if (rc == 0)
        return wrong(place, "its person was created before");
    if (rc != MDB_NOTFOUND)
        return rc;
    person_state_begin(&person, place->record, place->record->recorded_at);
    return put_person(place, "", &person);
}

static int add_changed(struct place *place)
{
    char old_email[DBK_EMAIL_MAX + 1];
    struct dbk_person_state person;
    int rc = find_person(place, &place->record->subject, &person);

    if (rc != 0 || place->wrong)
        return rc;
    memcpy(old_email, person.email, sizeof old_email);
    if (place->record->type == DBK_PERSON_DELETED)
        person_state_forget(&person);
    else
        person_state_change(&person, &place->record->person);
    person.datetime_modified = place->record->recorded_at;
    return put_person(place, old_email, &person);
}

static int add_recorded(struct place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_event_state event = {.sequence = record->sequence,
                                    .person_id = record->person_id};
    struct dbk_event_state before;
    struct dbk_person_state person;
    int rc = find_person(place, &record->person_id, &person);

    if (rc != 0 || place->wrong)
        return rc;
    rc = index_get_event(place->txn, place->environment, &record->subject, &before);
    if (rc == 0)
        return wrong(place, "its event was recorded before");
    if (rc != MDB_NOTFOUND)
        return rc;
    return index_put_event(place->txn, place->environment, &record->subject, &event);
}

static int add_event_deleted(struct place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_event_state event;
    struct dbk_person_state person;
    int rc = index_get_event(place->txn, place->environment, &record->subject, &event);

    if (rc == MDB_NOTFOUND)
        return wrong(place, "its event was never recorded");
    if (rc != 0)
        return rc;
    if (event.deleted_sequence)
        return wrong(place, "its event was deleted before");
    if (!dbk_uuid_equal(&event.person_id, &record->person_id))
        return wrong(place, "its event belongs to another person");
    rc = find_person(place, &record->person_id, &person);
    if (rc != 0 || place->wrong)
        return rc;
    event.deleted_sequence = record->sequence;
    return index_put_event(place->txn, place->environment, &record->subject, &event);
}

static int add(struct place *place)
{
    switch (place->record->type) {
    case DBK_PERSON_CREATED:
        return add_created(place);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return add_changed(place);
    case DBK_EVENT_RECORDED:
        return add_recorded(place);
    case DBK_EVENT_DELETED:
        return add_event_deleted(place);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        break;
    }
    return MDB_CORRUPTED;
}

int reindex_add(MDB_txn *txn, const struct environment *environment,
                const struct dbk_record *record, const char **why)
{
    struct place place = {txn, environment, record, NULL};
    int rc;

    assert(record->sequence > 0);
    rc = add(&place);
    *why = place.wrong;
    return rc;
}

int reindex_clear(MDB_txn *txn, const struct environment *environment)
{
    int rc;

    if ((rc = mdb_drop(txn, environment->person, 0)) != 0 ||
        (rc = mdb_drop(txn, environment->email, 0)) != 0)
        return rc;
    return mdb_drop(txn, environment->event, 0);
}
