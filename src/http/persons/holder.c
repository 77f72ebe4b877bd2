#include "holder.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static bool same_email(const struct dbk_person_fields *person,
                       const struct dbk_person_state *holder)
{
    return (person->has & DBK_HAS_EMAIL) && person->email.length > 0 &&
           person->email.length == strlen(holder->email) &&
           strncasecmp(person->email.data, holder->email, person->email.length) == 0;
}

static bool same_external_id(const struct dbk_person_fields *person,
                             const struct dbk_person_state *holder)
{
    return (person->has & DBK_HAS_EXTERNAL_ID) && person->external_id.length > 0 &&
           dbk_slice_equal(person->external_id, dbk_slice(holder->external_id));
}

static const char *field_of(const struct request *rq, const struct dbk_command *command,
                            const struct dbk_uuid *holder)
{
    struct dbk_person_state person;
    struct dbk_record first;

    dbk_command_first(command, &first);
    if (first.type != DBK_PERSON_CREATED && first.type != DBK_PERSON_UPDATED)
        return "anonymous_id";
    if (dbk_log_person(rq->service->log, holder, &person, NULL) != DBK_OK)
        return "";
    if (same_email(&first.person, &person))
        return "email";
    return same_external_id(&first.person, &person) ? "external_id" : "anonymous_id";
}

void holder_tell(const struct request *rq, const struct dbk_command *command,
                 struct dbk_field_errors *fields)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    struct dbk_field_error *one = &fields->list[0];

    if (!verdict->has_holder || !request_may_read(rq))
        return;
    snprintf(one->field, sizeof one->field, "%s",
             field_of(rq, command, &verdict->holder));
    snprintf(one->message, sizeof one->message, "%.150s", verdict->error.text);
    one->has_person_id = true;
    one->person_id = verdict->holder;
    fields->count = 1;
}
