#include "reindex_alias.h"

#include "identity.h"
#include "index.h"
#include "reindex_person.h"

#include <errno.h>

/* Find the person and the anonymous id of a person.aliased or person.unaliased; wrong is
 * set where the one has the other already, or not. */
static int find_alias(struct reindex_place *place, struct dbk_person_state *person,
                      struct identity_key *key)
{
    const struct dbk_record *record = place->record;
    bool claims = record->type == DBK_PERSON_ALIASED;
    struct identity_alias alias;
    int rc = reindex_find_person(place, &record->subject, person);

    if (rc != 0 || place->wrong)
        return rc;
    if (!identity_key_of(record->anonymous_id, key))
        return ENOMEM;
    rc = identity_get_alias(place->txn, place->environment, key, &alias);
    if (rc != 0)
        return rc;
    if (claims && alias.sequence > 0)
        return reindex_wrong(place, "somebody had its anonymous_id");
    if (claims && person->aliases >= DBK_ALIASES_MAX)
        return reindex_wrong(place, "its person had as many aliases as there can be");
    if (!claims && !(alias.sequence > 0 && dbk_uuid_equal(&alias.person, &person->id)))
        return reindex_wrong(place, "its person had no such alias");
    return 0;
}

int reindex_alias(struct reindex_place *place)
{
    const struct dbk_record *record = place->record;
    struct dbk_person_state person;
    struct identity_key key;
    int rc;

    if (record->erased) /* of whom, nobody will know */
        return reindex_find_person(place, &record->subject, &person);
    rc = find_alias(place, &person, &key);
    if (rc != 0 || place->wrong || !reindex_has_its_key(place, &person))
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
