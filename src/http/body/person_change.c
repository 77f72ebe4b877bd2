#include "person_change.h"

static unsigned if_same(unsigned flag, struct dbk_slice wanted, const char *has)
{
    return dbk_slice_equal(wanted, dbk_slice(has)) ? flag : 0;
}

bool person_change(struct dbk_person_fields *fields,
                   const struct dbk_person_state *person, bool same_properties)
{
    unsigned same =
        if_same(DBK_HAS_EMAIL, fields->email, person->email) |
        if_same(DBK_HAS_FIRST_NAME, fields->first_name, person->first_name) |
        if_same(DBK_HAS_LAST_NAME, fields->last_name, person->last_name) |
        if_same(DBK_HAS_EXTERNAL_ID, fields->external_id, person->external_id) |
        (fields->role == person->role ? DBK_HAS_ROLE : 0U) |
        (same_properties ? DBK_HAS_PROPERTIES : 0U);
    unsigned rest = fields->has & ~same;

    /* Of what stays all is said, which the writer then finds there. Of properties it
     * compares the bytes, not what they mean. */
    if (rest == 0)
        rest = fields->has & ~(same & DBK_HAS_PROPERTIES);
    if (rest == fields->has)
        return false;
    fields->has = rest;
    return true;
}
