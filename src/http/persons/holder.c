#include "holder.h"

#include "withheld.h"

#include <stdio.h>

const char *holder_field(enum dbk_identity held)
{
    switch (held) {
    case DBK_IDENTITY_EMAIL:
        return "email";
    case DBK_IDENTITY_EXTERNAL_ID:
        return "external_id";
    case DBK_IDENTITY_ANONYMOUS_ID:
        return "anonymous_id";
    }
    return "";
}

/* A verdict that is told again is of then: who has been deleted or erased since has nothing
 * any more, and that it was this person's is not to be known. */
static bool has_it_still(const struct request *rq, const struct dbk_uuid *holder)
{
    struct dbk_person_state person;

    return dbk_log_person(rq->service->log, holder, &person, NULL) == DBK_OK &&
           !person.deleted && !person.erased;
}

void holder_tell(const struct request *rq, const struct dbk_command *command,
                 struct dbk_field_errors *fields)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    struct dbk_field_error *one = &fields->list[0];

    if (!verdict->has_holder || !request_may_read(rq) ||
        withheld_is(rq, &verdict->holder) || !has_it_still(rq, &verdict->holder))
        return;
    snprintf(one->field, sizeof one->field, "%s", holder_field(verdict->held));
    snprintf(one->message, sizeof one->message, "another person has this %s",
             one->field);
    one->has_person_id = true;
    one->person_id = verdict->holder;
    fields->count = 1;
}
