#include "rules_event.h"

#include "identity.h"
#include "index.h"
#include "months.h"
#include "rules_alias.h"
#include "rules_find.h"

/* MDB_NOTFOUND: an anonymous event that went with a person. */
static int find_known(const struct decide_turn *turn,
                      const struct dbk_event_state *known)
{
    struct dbk_record recorded;
    struct dbk_uuid owner;

    if (known->deleted_sequence || !dbk_uuid_is_nil(&known->person_id))
        return 0;
    return identity_of_event(turn->txn, turn->environment, known, &owner, &recorded);
}

/* What it said is forgotten, as its month is. */
static int is_expired(const struct decide_turn *turn,
                      const struct dbk_event_state *known, bool *expired)
{
    uint64_t through;
    int rc = months_expired(turn->txn, turn->environment, &through);

    *expired = rc == 0 && known->sequence <= through;
    return rc;
}

void rules_refuse_event(struct rules_plan *plan, const struct decide_turn *turn,
                        const struct dbk_uuid *id, int rc,
                        const struct dbk_event_state *known)
{
    bool expired = false;
    int found = rc == MDB_KEYEXIST ? is_expired(turn, known, &expired) : rc;

    if (rc == MDB_KEYEXIST && found == 0 && !expired)
        found = find_known(turn, known);

    if (found != 0 && found != MDB_NOTFOUND) {
        rules_spoil(plan, found);
        return;
    }
    plan->command->verdict.sequence = known->sequence;
    if (expired)
        rules_refuse_id(plan, DBK_CONFLICT,
                        "an event that is forgotten by now had the id", id);
    else if (found == MDB_NOTFOUND)
        rules_refuse_id(plan, DBK_CONFLICT,
                        "an event that went with its person had the id", id);
    else if (known->deleted_sequence)
        rules_refuse_id(plan, DBK_CONFLICT, "a deleted event had the id", id);
    else
        rules_refuse_id(plan, DBK_EXISTS, "there is an event already with the id", id);
}

static bool check_event_id(struct rules_plan *plan, const struct decide_turn *turn,
                           const struct dbk_uuid *id)
{
    struct dbk_event_state known;
    int rc = index_get_event(turn->txn, turn->environment, id, &known);

    if (rc == MDB_NOTFOUND)
        return true;
    rules_refuse_event(plan, turn, id, rc == 0 ? MDB_KEYEXIST : rc, &known);
    return false;
}

bool rules_check_recorded(struct rules_plan *plan, struct decide_turn *turn,
                          const struct command_entry *entry)
{
    struct dbk_person_state person;

    /* Behind person.created or person.updated the person has been looked at. */
    if (entry != plan->command->entries)
        return check_event_id(plan, turn, &entry->subject);
    if (command_is_anonymous(plan->command))
        return rules_check_anonymous(plan, turn);
    if (!rules_look_by_id(plan, turn, &entry->person_id, &person))
        return false;
    plan->number = person.key;
    return rules_have_key(plan, turn, person.key);
}

/* Whose the event is, plan->event telling where it is; MDB_NOTFOUND: it went with a
 * person. */
static int find_owner(struct rules_plan *plan, const struct decide_turn *turn)
{
    struct dbk_record deleted, recorded;
    struct dbk_person_state person;
    int rc = identity_of_event(turn->txn, turn->environment, &plan->event, &plan->owner,
                               &recorded);

    rules_decode_first(plan, &deleted);
    deleted.format = 0;
    if (rc == 0 && recorded.anonymous_id.length == 0) {
        rc = index_look_person(turn->txn, turn->environment, &plan->owner, &person);
        if (rc == MDB_NOTFOUND)
            return LMDB_INDEX_DAMAGED;
        if (rc == 0 && rules_is_gone(&person)) /* its events went with it */
            return MDB_NOTFOUND;
        deleted.format = 1; /* once a person could have the nil UUID */
    }
    deleted.person_id = plan->owner;
    plan->deleted_format = dbk_record_format(&deleted);
    return rc;
}

bool rules_check_event_deleted(struct rules_plan *plan, const struct decide_turn *turn)
{
    const struct dbk_command *command = plan->command;
    const struct dbk_uuid *id = &command->entries[0].subject;
    int rc = index_get_event(turn->txn, turn->environment, id, &plan->event);
    bool expired = false;

    if (rc == 0)
        rc = is_expired(turn, &plan->event, &expired);
    if (rc == 0)
        rc = expired || plan->event.deleted_sequence ? MDB_NOTFOUND
                                                     : find_owner(plan, turn);
    if (rc == MDB_NOTFOUND)
        return rules_refuse_id(plan, DBK_NOT_FOUND, "there is no event", id);
    if (rc != 0)
        return rules_spoil(plan, rc);
    if (command->expects_person &&
        !dbk_uuid_equal(&command->expected_person, &plan->owner))
        return rules_refuse(plan, DBK_CONFLICT, "the event belongs to another person");
    return true;
}
