#include "seen.h"

void seen_look(struct dbk_log *log, const struct dbk_record *record, bool owner,
               struct seen *out)
{
    bool recorded = record->type == DBK_EVENT_RECORDED;

    *out = (struct seen){.type = record->type, .person = *dbk_record_person(record)};
    if (recorded)
        out->event_type = record->event_type;
    if (recorded && record->anonymous_id.length > 0)
        out->event = record->subject;
    if (owner)
        seen_ask_owner(log, out);
}

void seen_ask_owner(struct dbk_log *log, struct seen *seen)
{
    struct dbk_event_state event;

    if (dbk_uuid_is_nil(&seen->event))
        return;
    seen->ownerless = dbk_log_event(log, &seen->event, &event, NULL) != DBK_OK;
    seen->owner = seen->ownerless ? (struct dbk_uuid){0} : event.person_id;
}
