#include "seen.h"

void seen_look(struct dbk_log *log, const struct dbk_record *record, bool owner,
               struct seen *out)
{
    struct dbk_event_state event;
    bool recorded = record->type == DBK_EVENT_RECORDED;

    *out = (struct seen){.type = record->type, .person = *dbk_record_person(record)};
    if (recorded)
        out->event_type = record->event_type;
    if (owner && recorded && record->anonymous_id.length > 0 &&
        dbk_log_event(log, &record->subject, &event, NULL) == DBK_OK)
        out->owner = event.person_id;
}
