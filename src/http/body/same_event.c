/* Whether an event that is brought again is the one that was recorded. */
#include "http/body.h"
#include "json_equal.h"

static bool same_properties(struct dbk_slice brought, struct dbk_slice logged)
{
    if (brought.length == 0 || logged.length == 0)
        return brought.length == logged.length;
    return dbk_json_equal(brought, logged);
}

bool dbk_body_same_event(const struct dbk_record *brought,
                         const struct dbk_record *logged)
{
    if (!dbk_slice_equal(brought->event_type, logged->event_type) ||
        !dbk_uuid_equal(&brought->person_id, &logged->person_id))
        return false;
    if (brought->has_datetime_created &&
        brought->datetime_created != logged->datetime_created)
        return false;
    return same_properties(brought->properties, logged->properties);
}
