#include "post_party.h"

#include <stdio.h>

static enum dbk_code of_deleted(struct dbk_log *log, const struct dbk_record *record,
                                struct dbk_batch *batch, struct post_party *out,
                                struct dbk_error *err)
{
    struct dbk_record event;
    enum dbk_code code =
        dbk_log_event_recorded(log, &record->subject, batch, &event, err);

    if (code == DBK_OK && event.anonymous_id.length > 0)
        *out = (struct post_party){.anonymous_id = event.anonymous_id};
    else if (code == DBK_OK)
        out->person_id = event.person_id;
    else if (code == DBK_NOT_FOUND || code == DBK_DAMAGED || code == DBK_UNSUPPORTED)
        code = DBK_OK; /* what the deletion says is all there is */
    return code;
}

enum dbk_code post_party(struct dbk_log *log, const struct dbk_record *record,
                         struct dbk_batch *batch, struct post_party *out, bool *nobody,
                         struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    *out = (struct post_party){.person_id = *dbk_record_person(record)};
    if (record->type == DBK_EVENT_RECORDED && record->anonymous_id.length > 0)
        *out = (struct post_party){.anonymous_id = record->anonymous_id};
    else if (record->type == DBK_EVENT_DELETED)
        code = of_deleted(log, record, batch, out, err);
    *nobody = out->anonymous_id.length == 0 && dbk_uuid_is_nil(&out->person_id);
    return code;
}

void post_party_text(const struct post_party *party, bool nobody,
                     char out[POST_PARTY_TEXT])
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&party->person_id, id);
    if (nobody)
        snprintf(out, POST_PARTY_TEXT, "nobody");
    else if (party->anonymous_id.length > 0)
        snprintf(out, POST_PARTY_TEXT, "the anonymous id %.*s",
                 (int)party->anonymous_id.length, party->anonymous_id.data);
    else
        snprintf(out, POST_PARTY_TEXT, "person %s", id);
}
