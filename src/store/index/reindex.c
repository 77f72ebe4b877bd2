#include "reindex.h"

#include "identity.h"
#include "index.h"
#include "index_forget.h"
#include "lost.h"
#include "months.h"
#include "person_state.h"
#include "restricted.h"
#include "sealed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
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

/* As index_get_person. Of whose key is destroyed, and the index does not say so yet, for it was
 * put back to an earlier state, the tags go that nobody could find any more. */
static int get_person(struct place *place, const struct dbk_uuid *id,
                      struct dbk_person_state *person)
{
    struct dbk_person_state told;
    int rc = index_get_person(place->txn, place->environment, id, person);

    if (rc != 0 || !person->erased)
        return rc;
    rc = index_look_person(place->txn, place->environment, id, &told);
    return rc == 0 && !told.erased
               ? index_forget_tags(place->txn, place->environment, id)
               : rc;
}

/* A person who is there; wrong is set where not. */
static int find_person(struct place *place, const struct dbk_uuid *id,
                       struct dbk_person_state *person)
{
    int rc = get_person(place, id, person);

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

/* The same of external ids. */
static int move_external(struct place *place, const char *old,
                         const struct dbk_person_state *person)
{
    struct dbk_slice external_id = dbk_slice(person->external_id);
    struct identity_key old_key, key;
    struct dbk_uuid owner;
    int rc;

    if (!strcmp(old, person->external_id))
        return 0;
    if (!identity_key_of(dbk_slice(old), &old_key) ||
        !identity_key_of(external_id, &key))
        return ENOMEM;
    rc = identity_get_external(place->txn, place->environment, &key, &owner);
    if (rc == 0 && external_id.length)
        return wrong(place, "another person had its external_id");
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    rc = old[0] ? identity_drop_external(place->txn, place->environment, &old_key) : 0;
    if (rc == 0 && external_id.length)
        rc = identity_put_external(place->txn, place->environment, &key, &person->id);
    return rc;
}

/* What a person had before. */
struct old {
    char email[DBK_EMAIL_MAX + 1], external_id[DBK_EXTERNAL_ID_MAX + 1];
};

static void keep_old(const struct dbk_person_state *person, struct old *old)
{
    memcpy(old->email, person->email, sizeof old->email);
    memcpy(old->external_id, person->external_id, sizeof old->external_id);
}

static int put_person(struct place *place, const struct old *old,
                      struct dbk_person_state *person)
{
    int rc = move_email(place, old->email, person);

    if (rc == 0 && !place->wrong)
        rc = move_external(place, old->external_id, person);
    if (rc != 0 || place->wrong)
        return rc;
    person->version = place->record->sequence;
    return index_put_person(place->txn, place->environment, person);
}

/* In a sealed log a person's records have the person's key. */
static bool has_its_key(struct place *place, const struct dbk_person_state *person)
{
    if (person->key == place->record->key)
        return true;
    place->wrong = "its key is not that of its person";
    return false;
}

static int add_created(struct place *place)
{
    const struct old old = {.email = ""};
    struct dbk_person_state person;
    int rc = index_look_person(place->txn, place->environment, &place->record->subject,
                               &person);

    if (rc == 0)
        return wrong(place, "its person was created before");
    if (rc != MDB_NOTFOUND)
        return rc;
    person_state_begin(&person, place->record, place->record->recorded_at);
    person.key = place->record->key;
    person.erased = place->record->erased;
    rc = put_person(place, &old, &person);
    return rc == 0 && !place->wrong && person.erased
               ? lost_note(place->txn, place->environment, person.key)
               : rc;
}

static int add_changed(struct place *place)
{
    struct dbk_person_state person;
    struct old old;
    int rc = find_person(place, &place->record->subject, &person);

    if (rc != 0 || place->wrong)
        return rc;
    if (place->record->type == DBK_PERSON_UPDATED && !has_its_key(place, &person))
        return 0;
    keep_old(&person, &old);
    if (place->record->type == DBK_PERSON_DELETED)
        person_state_forget(&person);
    else
        person_state_change(&person, &place->record->person, place->record->sequence);
    person.datetime_modified = place->record->recorded_at;
    rc = put_person(place, &old, &person);
    if (rc == 0 && !place->wrong && person.deleted)
        rc = identity_end(place->txn, place->environment, &person.id,
                          place->record->sequence);
    return rc;
}

/* A deleted person may be erased, too. What can still be read of the person, where the ring is
 * not told yet, goes. */
static int add_erased(struct place *place)
{
    struct dbk_person_state person;
    struct old old;
    int rc = get_person(place, &place->record->subject, &person);

    if (!place->environment->sealed)
        return wrong(place, "it erases a person, and its log is not sealed");
    if (rc == MDB_NOTFOUND)
        return wrong(place, "its person was never created");
    if (rc != 0)
        return rc;
    keep_old(&person, &old);
    person_state_forget(&person);
    person.erased = true;
    rc = put_person(place, &old, &person);
    if (rc == 0 && !place->wrong)
        rc = identity_forget(place->txn, place->environment, &person.id);
    if (rc == 0 && !place->wrong)
        rc = lost_told(place->txn, place->environment, place->record->keys);
    if (rc == 0 && !place->wrong)
        rc = environment_put_mark(place->txn, place->environment, ENVIRONMENT_ERASED,
                                  place->record->sequence);
    return rc;
}

/* The event says that it was a person's, and no alias does: that of somebody who was erased
 * since, whose records of it nobody can read. */
static int check_erased_owner(struct place *place, const struct identity_alias *alias)
{
    struct dbk_person_state person;
    int rc = MDB_NOTFOUND;

    if (place->environment->sealed && dbk_uuid_is_nil(&alias->person))
        rc = index_look_person(place->txn, place->environment,
                               &place->record->person_id, &person);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    return rc == 0 && person.erased ? 0
                                    : wrong(place, "its anonymous_id was another's");
}

/* Its anonymous id had another key. That may only be where the events of that one are expired: who
 * made the indexes anew since knows of none. */
static int check_other_key(struct place *place)
{
    uint64_t expired;
    int rc = months_expired(place->txn, place->environment, &expired);

    return rc == 0 && expired == 0
               ? wrong(place, "its key is not that of its anonymous_id")
               : rc;
}

/* An anonymous event says whose it was when it was recorded. */
static int check_anonymous(struct place *place)
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

/* Find the person and the anonymous id of a person.aliased or person.unaliased; wrong is
 * set where the one has the other already, or not. */
static int find_alias(struct place *place, struct dbk_person_state *person,
                      struct identity_key *key)
{
    const struct dbk_record *record = place->record;
    bool claims = record->type == DBK_PERSON_ALIASED;
    struct identity_alias alias;
    int rc = find_person(place, &record->subject, person);

    if (rc != 0 || place->wrong)
        return rc;
    if (!identity_key_of(record->anonymous_id, key))
        return ENOMEM;
    rc = identity_get_alias(place->txn, place->environment, key, &alias);
    if (rc != 0)
        return rc;
    if (claims && alias.sequence > 0)
        return wrong(place, "somebody had its anonymous_id");
    if (claims && person->aliases >= DBK_ALIASES_MAX)
        return wrong(place, "its person had as many aliases as there can be");
    if (!claims && !(alias.sequence > 0 && dbk_uuid_equal(&alias.person, &person->id)))
        return wrong(place, "its person had no such alias");
    return 0;
}

static int add_alias(struct place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_person_state person;
    struct identity_key key;
    int rc;

    if (record->erased) /* of whom, nobody will know */
        return find_person(place, &record->subject, &person);
    rc = find_alias(place, &person, &key);
    if (rc != 0 || place->wrong || !has_its_key(place, &person))
        return rc;
    if (record->type == DBK_PERSON_ALIASED) {
        person.aliases++;
        rc = identity_claim(place->txn, place->environment, &key, record->anonymous_id,
                            &person.id, record->sequence);
    } else {
        person.aliases--;
        rc = identity_release(place->txn, place->environment, &key, &person.id);
    }
    return rc == 0 ? index_put_person(place->txn, place->environment, &person) : rc;
}

static int add_restricted(struct place *place)
{
    const struct dbk_record *record = place->record;
    bool restricts = record->type == DBK_PERSON_RESTRICTED;
    struct dbk_person_state person;
    uint64_t since;
    int rc =
        index_look_person(place->txn, place->environment, &record->subject, &person);

    if (rc == MDB_NOTFOUND)
        return wrong(place, "its person was never created");
    if (rc == 0 && person.deleted)
        return wrong(place, "its person was deleted before");
    if (rc == 0)
        rc = restricted_get(place->txn, place->environment, &record->subject, &since);
    if (rc != 0)
        return rc;
    if (restricts && since > 0)
        return wrong(place, "its person was restricted before");
    if (!restricts && since == 0)
        return wrong(place, "its person was not restricted");
    return restricts
               ? restricted_put(place->txn, place->environment, &record->subject,
                                record->sequence)
               : restricted_drop(place->txn, place->environment, &record->subject);
}

/* Whose event it is, which has no anonymous id. Of an erased one that is not known, but the key
 * of a person is no other's: *anonymous then tells it. */
static int find_recorded_of(struct place *place, bool *anonymous)
{
    const struct dbk_record *record = place->record;
    struct dbk_person_state person;
    int rc;

    *anonymous = record->erased && dbk_uuid_is_nil(&record->person_id);
    if (*anonymous)
        return 0;
    rc = find_person(place, &record->person_id, &person);
    if (rc != 0 || place->wrong)
        return rc;
    *anonymous = record->erased && person.key != record->key;
    if (!*anonymous)
        has_its_key(place, &person);
    return 0;
}

static int add_recorded(struct place *place)
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
        return wrong(place, "its event was recorded before");
    if (rc != MDB_NOTFOUND)
        return rc;
    rc = index_put_event(place->txn, place->environment, &record->subject, &event);
    return rc == 0 && anonymous && record->erased
               ? lost_note(place->txn, place->environment, record->key)
               : rc;
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
    /* The index alone does not tell whose an anonymous event was. */
    if (!dbk_uuid_is_nil(&event.person_id) &&
        !dbk_uuid_equal(&event.person_id, &record->person_id))
        return wrong(place, "its event belongs to another person");
    if (!dbk_uuid_is_nil(&record->person_id))
        rc = find_person(place, &record->person_id, &person);
    if (rc != 0 || place->wrong)
        return rc;
    event.deleted_sequence = record->sequence;
    return index_put_event(place->txn, place->environment, &record->subject, &event);
}

static int add_expired(struct place *place)
{
    const struct dbk_record *record = place->record;
    uint64_t before;
    int rc = months_expired(place->txn, place->environment, &before);

    if (!place->environment->sealed)
        return wrong(place, "it destroys keys, and its log is not sealed");
    if (rc == 0 && (record->through >= record->sequence || record->through <= before))
        return wrong(place, "it is of events before or behind those that there were");
    if (rc == 0)
        rc = months_expire(place->txn, place->environment, record->through);
    return rc == 0 ? environment_put_mark(place->txn, place->environment,
                                          ENVIRONMENT_ERASED, record->sequence)
                   : rc;
}

static int add(struct place *place)
{
    switch (place->record->type) {
    case DBK_PERSON_CREATED:
        return add_created(place);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return add_changed(place);
    case DBK_PERSON_ERASED:
        return add_erased(place);
    case DBK_EVENT_RECORDED:
        return add_recorded(place);
    case DBK_EVENT_DELETED:
        return add_event_deleted(place);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        return add_alias(place);
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        return add_restricted(place);
    case DBK_EVENTS_EXPIRED:
        return add_expired(place);
    case DBK_LOG_RESEALED:
        return 0; /* of nobody */
    }
    return MDB_CORRUPTED;
}

static int note_keys(struct place *place)
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

static int add_sealed(struct place *place)
{
    struct dbk_record record = *place->record;
    struct place opened = {place->txn, place->environment, &record, NULL};
    char *room;
    int rc = 0;

    if (!place->environment->keys)
        return wrong(place, "it is sealed, and the ring of its keys is not here");
    room = malloc(record.sealed.length);
    if (!room)
        return ENOMEM;
    rc = sealed_open(place->environment, &record, room);
    if (rc == 0)
        rc = add(&opened);
    else if (why_shut(rc))
        rc = wrong(&opened, why_shut(rc));
    if (rc == 0 && !opened.wrong)
        rc = note_keys(&opened);
    place->wrong = opened.wrong;
    free(room);
    return rc;
}

int reindex_add(MDB_txn *txn, const struct environment *environment,
                const struct dbk_record *record, const char **why)
{
    struct place place = {txn, environment, record, NULL};
    int rc;

    assert(record->sequence > 0);
    if (environment->sealed && record->key == 0 && dbk_type_is_sealed(record->type))
        rc = wrong(&place, "it is not sealed, and its log is");
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
