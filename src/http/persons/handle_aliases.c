/* The aliases of a person: POST and GET /persons/{id}/aliases, DELETE of one; and the same
 * below an external id. They are the log's alone, so all work while PostgreSQL is away. */
#include "body_fields.h"
#include "external.h"
#include "handlers.h"
#include "ingest.h"
#include "label.h"
#include "logged.h"
#include "request.h"
#include "response.h"
#include "submit.h"
#include "withheld.h"

static void render_alias(struct dbk_render *render, const struct dbk_uuid *person,
                         struct dbk_slice anonymous_id, dbk_timestamp recorded_at)
{
    dbk_render_text(render, "{\"anonymous_id\":");
    dbk_render_string(render, anonymous_id);
    dbk_render_text(render, ",\"datetime_created\":");
    dbk_render_timestamp(render, recorded_at);
    dbk_render_text(render, ",\"person_id\":");
    dbk_render_uuid(render, person);
    dbk_render_text(render, "}");
}

static enum dbk_code answer_alias(struct response *rs, int status,
                                  const struct dbk_record *alias, struct dbk_error *err)
{
    response_begin(rs);
    render_alias(&rs->body, &alias->subject, alias->anonymous_id, alias->recorded_at);
    return response_end(rs, status, DETAILS_OK, err);
}

/* Whether who it is is decided in the append: by an external id, not by the subject. */
static bool by_external_id(const struct dbk_record *alias)
{
    return alias->person.external_id.length > 0;
}

/* To who must learn nothing: what was brought, whatever became of it. */
static enum dbk_code answer_ingested(const struct request *rq, struct response *rs,
                                     const struct dbk_record *alias,
                                     const struct dbk_verdict *verdict,
                                     struct dbk_error *err)
{
    *err = verdict->error;
    err->code = verdict->code;
    if (verdict->code != DBK_OK && verdict->code != DBK_EXISTS &&
        !ingest_hides(rq, err))
        return err->code;
    rs->sequence = verdict->code == DBK_OK ? verdict->sequence : 0;
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"anonymous_id\":");
    dbk_render_string(&rs->body, alias->anonymous_id);
    if (by_external_id(alias)) {
        dbk_render_text(&rs->body, ",\"external_id\":");
        dbk_render_string(&rs->body, alias->person.external_id);
    } else {
        dbk_render_text(&rs->body, ",\"person_id\":");
        dbk_render_uuid(&rs->body, &alias->subject);
    }
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 202, "The request was accepted", err);
}

static enum dbk_code answer_verdict(struct request *rq, struct response *rs,
                                    const struct dbk_record *alias,
                                    const struct dbk_command *command, bool replayed,
                                    struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    bool known = verdict->code == DBK_EXISTS; /* it is that person's already */
    struct dbk_record shown = *alias;

    if (request_only_ingests(rq))
        return answer_ingested(rq, rs, alias, verdict, err);
    if (by_external_id(alias) && verdict->code == DBK_NOT_FOUND)
        return external_nobody(err);
    if (!known && submit_accept(rq, rs, command, err) != DBK_OK)
        return err->code;
    shown.recorded_at = verdict->recorded_at;
    if (known)
        response_header_number(rs, "Daybook-Sequence", verdict->sequence);
    else if (by_external_id(alias) && !replayed)
        shown.subject = dbk_command_person(command)->id;
    if ((known || replayed) && /* whose it was, and that it can be read still */
        logged_again(rq, verdict->sequence, &shown, 1, err) != DBK_OK)
        return err->code;
    return answer_alias(rs, known ? 200 : 201, &shown, err);
}

static enum dbk_code post(struct request *rq, struct response *rs,
                          struct dbk_record *alias, struct dbk_error *err)
{
    struct dbk_command *command;
    enum dbk_code code;
    bool replayed;

    submit_meta(rq, alias);
    command = submit_drafts(alias, 1, err);
    if (!command)
        return err->code;
    if (by_external_id(alias))
        dbk_command_by_external_id(command, alias->person.external_id);
    code = submit_keyed(rq, rs, &command, 1, &replayed, err);
    if (code == DBK_OK)
        code = answer_verdict(rq, rs, alias, command, replayed, err);
    dbk_command_destroy(command);
    return code;
}

enum dbk_code handle_post_alias(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    struct dbk_body body = {0};
    enum dbk_code code;

    if (body_alias_at(rq->body.data, rq->body.length, &rq->match.id, &body, &rq->fields,
                      err) != DBK_OK)
        return err->code;
    code = post(rq, rs, &body.record, err);
    dbk_body_finish(&body);
    return code;
}

enum dbk_code handle_post_alias_by(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct external external;
    struct dbk_body body = {0};
    enum dbk_code code;

    if (external_read(rq, &external, err) != DBK_OK ||
        body_alias_by(rq->body.data, rq->body.length, external.id, &body, &rq->fields,
                      err) != DBK_OK)
        return err->code;
    code = post(rq, rs, &body.record, err);
    dbk_body_finish(&body);
    return code;
}

static enum dbk_code check_person(struct request *rq, struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = dbk_log_person(rq->service->log, &rq->match.id, &person, err);

    if (code == DBK_NOT_FOUND || (code == DBK_OK && person.deleted))
        return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this id");
    return code == DBK_OK ? withheld_check(rq, &rq->match.id, err) : code;
}

static enum dbk_code render_aliases(struct request *rq, struct response *rs,
                                    const struct dbk_aliases *aliases,
                                    struct dbk_error *err)
{
    struct dbk_record record;

    dbk_render_text(&rs->body, "[");
    for (size_t i = 0; i < aliases->count; i++) {
        const struct dbk_alias *alias = &aliases->list[i];
        if (logged_read(rq, alias->sequence, &record, 1, err) != DBK_OK)
            return err->code;
        dbk_render_text(&rs->body, i ? "," : "");
        render_alias(&rs->body, &rq->match.id, alias->anonymous_id, record.recorded_at);
    }
    dbk_render_text(&rs->body, "]");
    return DBK_OK;
}

enum dbk_code handle_list_aliases(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct dbk_aliases aliases = {0};
    enum dbk_code code;
    uint64_t head;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK ||
        check_person(rq, err) != DBK_OK ||
        dbk_log_aliases(rq->service->log, &rq->match.id, &aliases, err) != DBK_OK)
        return err->code;
    response_header_number(rs, "Daybook-Projected-Sequence", head);
    response_begin(rs);
    code = render_aliases(rq, rs, &aliases, err);
    if (code == DBK_OK)
        code = response_end(rs, 200,
                            aliases.count > 0 ? DETAILS_OK
                                              : "The request was successful, and the "
                                                "person has no aliases",
                            err);
    dbk_aliases_finish(&aliases);
    return code;
}

/* external: who it is is decided in the append; or NULL. */
static enum dbk_code take_away(struct request *rq, struct response *rs,
                               const struct external *external, struct dbk_error *err)
{
    struct dbk_record gone = {.type = DBK_PERSON_UNALIASED, .subject = rq->match.id};
    char text[DBK_ANONYMOUS_ID_MAX + 1], why[LABEL_WHY_MAX];
    struct dbk_command *command;
    enum dbk_code code;

    gone.anonymous_id.data = text;
    if (!route_text(rq->match.anonymous_id, text, sizeof text,
                    &gone.anonymous_id.length) ||
        !label_valid(gone.anonymous_id, ANONYMOUS_ID_CHARACTERS_MAX, why))
        return dbk_fail(err, DBK_NOT_FOUND, "The person has no such anonymous id");
    submit_meta(rq, &gone);
    command = submit_drafts(&gone, 1, err);
    if (!command)
        return err->code;
    if (external)
        dbk_command_by_external_id(command, external->id);
    code = submit_plain(rq, rs, command, err);
    dbk_command_destroy(command);
    return code == DBK_OK ? response_empty(rs, 200, DETAILS_OK, NULL, err) : code;
}

enum dbk_code handle_delete_alias(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    return take_away(rq, rs, NULL, err);
}

enum dbk_code handle_list_aliases_by(struct request *rq, struct response *rs,
                                     struct dbk_error *err)
{
    return external_handle(rq, rs, handle_list_aliases, err);
}

enum dbk_code handle_delete_alias_by(struct request *rq, struct response *rs,
                                     struct dbk_error *err)
{
    struct external external;

    if (external_read(rq, &external, err) != DBK_OK)
        return err->code;
    return take_away(rq, rs, &external, err);
}
