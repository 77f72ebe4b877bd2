#include "person_draft.h"

#include "event_type.h"
#include "json_merge.h"
#include "submit.h"

void person_draft_new(const struct request *rq, const struct dbk_record *person,
                      struct person_draft *out)
{
    struct dbk_record *created = &out->records[0], *signup = &out->records[1];

    *out = (struct person_draft){.count = 2};
    *created = *person;
    created->type = DBK_PERSON_CREATED;
    created->anonymous_id = (struct dbk_slice){NULL, 0};
    *signup = (struct dbk_record){.type = DBK_EVENT_RECORDED,
                                  .subject = dbk_uuid_new(),
                                  .person_id = person->subject,
                                  .event_type = dbk_slice(EVENT_TYPE_SIGNUP)};
    if (person->anonymous_id.length > 0)
        out->records[out->count++] =
            (struct dbk_record){.type = DBK_PERSON_ALIASED,
                                .subject = person->subject,
                                .anonymous_id = person->anonymous_id};
    for (size_t i = 0; i < out->count; i++)
        submit_meta(rq, &out->records[i]);
}

struct dbk_command *person_draft_command(const struct request *rq,
                                         const struct person_draft *draft,
                                         const struct dbk_record *updated, bool merges,
                                         struct dbk_error *err)
{
    struct dbk_command *command = submit_drafts(draft->records, draft->count, err);
    struct dbk_record otherwise;

    if (!command || !updated)
        return command;
    otherwise = *updated;
    otherwise.type = DBK_PERSON_UPDATED;
    otherwise.anonymous_id = (struct dbk_slice){NULL, 0};
    submit_meta(rq, &otherwise);
    if (dbk_command_otherwise(command, &otherwise, err) != DBK_OK) {
        dbk_command_destroy(command);
        return NULL;
    }
    if (merges && otherwise.person.properties.length > 0)
        dbk_command_merge(command, json_merge);
    return command;
}

struct dbk_command *person_draft_upsert(const struct request *rq,
                                        const struct dbk_body *body,
                                        struct dbk_error *err)
{
    struct dbk_record updated = body->record;
    struct person_draft draft;

    person_draft_new(rq, &body->record, &draft);
    if (!(body->record.person.has & DBK_HAS_EXTERNAL_ID))
        return person_draft_command(rq, &draft, NULL, false, err);
    updated.person.has &= ~(unsigned)DBK_HAS_EXTERNAL_ID;
    if (!body->has_role)
        updated.person.has &= ~(unsigned)DBK_HAS_ROLE;
    return person_draft_command(rq, &draft, &updated, true, err);
}
