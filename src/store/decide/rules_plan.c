#include "rules_plan.h"

#include <assert.h>
#include <stdio.h>

void rules_plan_begin(struct rules_plan *plan, struct dbk_command *command)
{
    plan->command = command;
    plan->first = command->entries;
    plan->external = &command->external;
    plan->rc = 0;
    plan->number = 0;
    plan->otherwise = plan->email_changes = plan->external_changes = false;
    plan->sets_properties = plan->has_properties = false;
    plan->nothing_changes = plan->alias_is_known = plan->forgets_tags = false;
    plan->old_email[0] = plan->old_external_id[0] = '\0';
}

void rules_decode_first(const struct rules_plan *plan, struct dbk_record *out)
{
    enum dbk_code code = dbk_record_decode(plan->command->bytes + plan->first->offset,
                                           plan->first->length, out, NULL);

    assert(code == DBK_OK); /* it was encoded here */
}

bool rules_refuse(struct rules_plan *plan, enum dbk_code code, const char *text)
{
    struct dbk_verdict *verdict = &plan->command->verdict;

    assert(code != DBK_OK);
    verdict->code = dbk_fail(&verdict->error, code, "%s", text);
    return false;
}

bool rules_refuse_id(struct rules_plan *plan, enum dbk_code code, const char *what,
                     const struct dbk_uuid *id)
{
    char text[128], id_text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(id, id_text);
    snprintf(text, sizeof text, "%s %s", what, id_text);
    return rules_refuse(plan, code, text);
}

bool rules_refuse_taken(struct rules_plan *plan, enum dbk_identity held,
                        const char *text, const struct dbk_uuid *holder)
{
    plan->command->verdict.has_holder = true;
    plan->command->verdict.held = held;
    plan->command->verdict.holder = *holder;
    return rules_refuse(plan, DBK_CONFLICT, text);
}

bool rules_spoil(struct rules_plan *plan, int rc)
{
    assert(rc != 0);
    if (rc == LMDB_INDEX_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its entry in the log's indexes is damaged");
    if (rc == LMDB_RECORD_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "a record of it is damaged: daybook verify tells which");
    if (rc == LMDB_KEY_MISSING)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its key is not in the ring of keys: daybook keys status "
                            "tells more");
    if (rc == LMDB_KEY_DAMAGED)
        return rules_refuse(plan, DBK_DAMAGED,
                            "its key is damaged in the ring of keys: daybook keys "
                            "status tells which, and what to do");
    if (rc == LMDB_KEY_ERASED)
        return rules_refuse(plan, DBK_NOT_FOUND,
                            "whose it is was erased, and the log was put back to an "
                            "earlier state: erase the person again");
    plan->rc = rc;
    return false;
}

bool rules_have_key(struct rules_plan *plan, struct decide_turn *turn, uint64_t number)
{
    int rc = turn->environment->sealed ? decide_find_key(turn, number) : 0;

    return rc == 0 || rules_spoil(plan, rc);
}
