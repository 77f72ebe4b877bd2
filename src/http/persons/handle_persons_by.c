/* /persons/by/external_id/{value}: a person by what others call it. */
#include "body_fields.h"
#include "expect.h"
#include "external.h"
#include "handlers.h"
#include "person_answer.h"
#include "person_draft.h"
#include "person_update.h"
#include "persons_erase.h"
#include "request.h"
#include "response.h"
#include "submit.h"

#define RACES_MAX 100

enum dbk_code handle_get_person_by(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    return external_handle(rq, rs, handle_get_person, err);
}

enum dbk_code handle_patch_person_by(struct request *rq, struct response *rs,
                                     struct dbk_error *err)
{
    return external_handle(rq, rs, handle_patch_person, err);
}

enum dbk_code handle_delete_person_by(struct request *rq, struct response *rs,
                                      struct dbk_error *err)
{
    bool erases;

    if (persons_erase_asked(rq, &erases, err) != DBK_OK)
        return err->code; /* before it is told whether there is somebody */
    return external_handle(rq, rs, handle_delete_person, err);
}

/* A new person as the update says it. */
static void draft_created(const struct body_update *update,
                          const struct external *external, struct dbk_record *out)
{
    struct dbk_person_fields *person = &out->person;

    *out = update->record;
    person->external_id = external->id;
    person->has |= DBK_HAS_EXTERNAL_ID;
    if (!(person->has & DBK_HAS_ROLE))
        person->role = DBK_ROLE_USER;
    person->has |= DBK_HAS_ROLE;
    if (person->email.length == 0)
        person->has &= ~(unsigned)DBK_HAS_EMAIL;
    if (person->first_name.length == 0)
        person->has &= ~(unsigned)DBK_HAS_FIRST_NAME;
    if (person->last_name.length == 0)
        person->has &= ~(unsigned)DBK_HAS_LAST_NAME;
    if (person->properties.length == 0)
        person->has &= ~(unsigned)DBK_HAS_PROPERTIES;
}

static enum dbk_code answer_put(struct request *rq, struct response *rs,
                                const struct person_draft *draft,
                                const struct dbk_person_fields *named,
                                const struct dbk_command *command,
                                struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    const struct dbk_person_state *person = dbk_command_person(command);

    if (!verdict->otherwise)
        return person_answer_created(rq, rs, draft->records, NULL, verdict, err);
    if (!person)
        return dbk_fail(err, DBK_INTERNAL, "an accepted update without its person");
    return person_answer(rq, rs, person, named,
                         verdict->first_sequence ? verdict->sequence : 0, err);
}

/* Make the person; or replaces: where somebody has the external id when it is decided, it
 * is replaced. So nobody can come between. */
static enum dbk_code make(struct request *rq, struct response *rs,
                          const struct external *external,
                          const struct body_update *update, bool replaces,
                          struct dbk_error *err)
{
    struct dbk_record created;
    struct person_draft draft;
    struct dbk_command *command;
    enum dbk_code code;

    draft_created(update, external, &created);
    person_draft_new(rq, &created, &draft);
    command =
        person_draft_command(rq, &draft, replaces ? &update->record : NULL, false, err);
    if (!command)
        return err->code;
    code = submit_plain(rq, rs, command, err);
    if (code == DBK_OK)
        code = answer_put(rq, rs, &draft, &update->record.person, command, err);
    dbk_command_destroy(command);
    return code;
}

static bool is_conditional(const struct request *rq)
{
    return request_header(rq, "If-Match") || request_header(rq, "If-None-Match");
}

/* Of who is there. The alias would be a record of its own, decided apart. */
static enum dbk_code replace(struct request *rq, struct response *rs,
                             struct body_update *update, struct dbk_error *err)
{
    if (update->record.anonymous_id.length > 0)
        return dbk_fail(err, DBK_INVALID,
                        "anonymous_id cannot come with events, If-Match or "
                        "If-None-Match for a person that is there; POST its aliases");
    return person_update(rq, rs, update, err);
}

/* found: rq->match.id has the external id, or has had it a moment ago. */
static enum dbk_code put(struct request *rq, struct response *rs,
                         const struct external *external, bool found,
                         struct body_update *update, struct dbk_error *err)
{
    if (found && (update->event_count > 0 || is_conditional(rq)))
        return replace(rq, rs, update, err);
    if (!is_conditional(rq))
        return make(rq, rs, external, update, true, err);
    if (request_header(rq, "If-Match"))
        return dbk_fail(err, DBK_MOVED, "Nobody has this external_id");
    return make(rq, rs, external, update, false, err);
}

static bool is_there(const struct request *rq, const struct external *external)
{
    struct dbk_error ignored;
    struct dbk_uuid id;

    return external_find(rq, external, &id, &ignored) == DBK_OK;
}

/* Whether another was first, so that it is another case now: who had the external id was
 * deleted, whose id a new person cannot have; or somebody has it. */
static bool is_outrun(const struct request *rq, const struct external *external,
                      bool found, enum dbk_code code)
{
    if (found)
        return code == DBK_NOT_FOUND ||
               (code == DBK_CONFLICT && !is_there(rq, external));
    return code == DBK_CONFLICT && is_conditional(rq) && is_there(rq, external);
}

/* Once: *again tells that another was first. */
static enum dbk_code put_once(struct request *rq, struct response *rs,
                              const struct external *external, bool *again,
                              struct dbk_error *err)
{
    struct body_update update = {0};
    enum dbk_code code = external_find(rq, external, &rq->match.id, err);
    bool found = code == DBK_OK;

    if (code != DBK_OK && code != DBK_NOT_FOUND)
        return code;
    if (body_put_person_by(rq->body.data, rq->body.length, external->id,
                           found ? &rq->match.id : NULL, &rq->service->rules, &update,
                           &rq->fields, err) != DBK_OK)
        return err->code;
    code = put(rq, rs, external, found, &update, err);
    body_update_finish(&update);
    *again = is_outrun(rq, external, found, code);
    return code;
}

enum dbk_code handle_put_person_by(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct external external;
    enum dbk_code code;
    bool again = true;

    if (external_read(rq, &external, err) != DBK_OK)
        return err->code;
    for (int turn = 0; turn < RACES_MAX && again; turn++) {
        again = false;
        rq->fields.count = 0;
        code = put_once(rq, rs, &external, &again, err);
        if (!again)
            return code;
    }
    return dbk_fail(err, DBK_BUSY, "the person is being changed by many at once");
}
