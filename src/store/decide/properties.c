#include "properties.h"

#include "index.h"

#include <assert.h>

static bool have_scratch(struct rules_plan *plan, struct decide_turn *turn)
{
    return decide_have_scratch(turn) ||
           rules_refuse(plan, DBK_NO_MEMORY, "no memory to merge properties");
}

/* Those of plan->person now: in the map, of a sealed log in turn->scratch; or length 0. */
static bool properties_now(struct rules_plan *plan, struct decide_turn *turn,
                           struct dbk_slice *out)
{
    uint64_t sequence = plan->person.properties_sequence;
    bool sealed = turn->environment->sealed;
    struct dbk_record record;
    int rc;

    *out = (struct dbk_slice){NULL, 0};
    if (sequence == 0)
        return true;
    if (sealed && !have_scratch(plan, turn))
        return false;
    rc = index_get_record(turn->txn, turn->environment, sequence,
                          sealed ? turn->scratch->opened : NULL, &record);
    if (rc == 0 && record.erased)
        rc = LMDB_KEY_ERASED;
    if (rc != 0)
        return rules_spoil(plan, rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc);
    if (!(record.person.has & DBK_HAS_PROPERTIES) ||
        !dbk_uuid_equal(&record.subject, &plan->person.id))
        return rules_spoil(plan, LMDB_INDEX_DAMAGED);
    *out = record.person.properties;
    return true;
}

static bool merge(struct rules_plan *plan, struct decide_turn *turn,
                  struct dbk_slice now, struct dbk_slice *properties)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code;
    size_t length = 0;

    if (!have_scratch(plan, turn))
        return false;
    code = plan->command->merge(now, *properties, turn->scratch->properties,
                                sizeof turn->scratch->properties, &length, &why);
    if (code != DBK_OK)
        return rules_refuse(plan, code, why.text);
    assert(length <= sizeof turn->scratch->properties);
    *properties = (struct dbk_slice){turn->scratch->properties, length};
    return true;
}

bool properties_merge(struct rules_plan *plan, struct decide_turn *turn,
                      struct dbk_record *record, bool *same)
{
    struct dbk_slice now;

    *same = true;
    if (!(record->person.has & DBK_HAS_PROPERTIES))
        return true;
    if (!properties_now(plan, turn, &now))
        return false;
    if (plan->command->merge && !merge(plan, turn, now, &record->person.properties))
        return false;
    *same = dbk_slice_equal(now, record->person.properties);
    if (*same && plan->command->merge) /* where the person has them they are as good */
        record->person.has &= ~(unsigned)DBK_HAS_PROPERTIES;
    return true;
}

bool properties_keep(struct rules_plan *plan, struct decide_turn *turn,
                     const struct dbk_record *record)
{
    struct dbk_command *command = plan->command;
    struct dbk_error why;
    size_t length;

    if (!have_scratch(plan, turn))
        return false;
    if (dbk_record_encode(record, turn->scratch->record, sizeof turn->scratch->record,
                          &length, &why) != DBK_OK)
        return rules_refuse(plan, why.code, why.text);
    if (!command_keep_merged(command, plan->first, turn->scratch->record, length))
        return rules_refuse(plan, DBK_NO_MEMORY, "no memory to merge properties");
    plan->first = &command->merged;
    return true;
}
