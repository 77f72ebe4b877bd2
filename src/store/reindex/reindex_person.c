#include "reindex_person.h"

#include "environment_meta.h"
#include "identity.h"
#include "index.h"
#include "index_forget.h"
#include "lost.h"
#include "person_state.h"
#include "restricted.h"

#include <errno.h>
#include <string.h>

/* As index_get_person. Of whose key is destroyed, and the index does not say so yet, for it was
 * put back to an earlier state, the tags go that nobody could find any more. */
static int get_person(struct reindex_place *place, const struct dbk_uuid *id,
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

int reindex_find_person(struct reindex_place *place, const struct dbk_uuid *id,
                        struct dbk_person_state *person)
{
    int rc = get_person(place, id, person);

    if (rc == MDB_NOTFOUND)
        return reindex_wrong(place, "its person was never created");
    if (rc == 0 && person->deleted)
        return reindex_wrong(place, "its person was deleted before");
    return rc;
}

bool reindex_has_its_key(struct reindex_place *place,
                         const struct dbk_person_state *person)
{
    if (person->key == place->record->key)
        return true;
    place->wrong = "its key is not that of its person";
    return false;
}

/* Move the email index from the old email ("": none) to that of the state (deleted: none). */
static int move_email(struct reindex_place *place, const char *old,
                      const struct dbk_person_state *person)
{
    struct dbk_slice email = dbk_slice(person->email);
    struct dbk_uuid owner;
    int rc = 0;

    if (email.length) {
        rc = index_get_email(place->txn, place->environment, email, &owner);
        if (rc == 0 && !dbk_uuid_equal(&owner, &person->id))
            return reindex_wrong(place, "another person had its email");
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
static int move_external(struct reindex_place *place, const char *old,
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
        return reindex_wrong(place, "another person had its external_id");
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

static int put_person(struct reindex_place *place, const struct old *old,
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

int reindex_created(struct reindex_place *place)
{
    const struct old old = {.email = ""};
    struct dbk_person_state person;
    int rc = index_look_person(place->txn, place->environment, &place->record->subject,
                               &person);

    if (rc == 0)
        return reindex_wrong(place, "its person was created before");
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

int reindex_changed(struct reindex_place *place)
{
    struct dbk_person_state person;
    struct old old;
    int rc = reindex_find_person(place, &place->record->subject, &person);

    if (rc != 0 || place->wrong)
        return rc;
    if (place->record->type == DBK_PERSON_UPDATED &&
        !reindex_has_its_key(place, &person))
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
int reindex_erased(struct reindex_place *place)
{
    struct dbk_person_state person;
    struct old old;
    int rc = get_person(place, &place->record->subject, &person);

    if (!place->environment->sealed)
        return reindex_wrong(place, "it erases a person, and its log is not sealed");
    if (rc == MDB_NOTFOUND)
        return reindex_wrong(place, "its person was never created");
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

int reindex_restricted(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    bool restricts = record->type == DBK_PERSON_RESTRICTED;
    struct dbk_person_state person;
    uint64_t since;
    int rc =
        index_look_person(place->txn, place->environment, &record->subject, &person);

    if (rc == MDB_NOTFOUND)
        return reindex_wrong(place, "its person was never created");
    if (rc == 0 && person.deleted)
        return reindex_wrong(place, "its person was deleted before");
    if (rc == 0)
        rc = restricted_get(place->txn, place->environment, &record->subject, &since);
    if (rc != 0)
        return rc;
    if (restricts && since > 0)
        return reindex_wrong(place, "its person was restricted before");
    if (!restricts && since == 0)
        return reindex_wrong(place, "its person was not restricted");
    return restricts
               ? restricted_put(place->txn, place->environment, &record->subject,
                                record->sequence)
               : restricted_drop(place->txn, place->environment, &record->subject);
}
