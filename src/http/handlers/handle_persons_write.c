/* POST /persons, DELETE /persons/{id}. Both are answered from the log alone, so they
 * work while PostgreSQL is away. */
#include "body_fields.h"
#include "etag.h"
#include "event_type.h"
#include "expect.h"
#include "handlers.h"
#include "logged.h"
#include "render_logged.h"
#include "request.h"
#include "response.h"
#include "submit.h"

#include <string.h>

static void copy(char *to, struct dbk_slice from)
{
    memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

/* The person as person.created says it. Lengths are bounded: the record was encoded. */
static void person_of(const struct dbk_record *created, dbk_timestamp recorded_at,
                      struct dbk_person_state *person)
{
    person->id = created->subject;
    person->datetime_created = person->datetime_modified = recorded_at;
    person->role = created->person.role;
    copy(person->email, created->person.email);
    copy(person->first_name, created->person.first_name);
    copy(person->last_name, created->person.last_name);
}

static enum dbk_code answer_created(const struct request *rq, struct response *rs,
                                    const struct dbk_record pair[2],
                                    const struct dbk_verdict *verdict,
                                    struct dbk_error *err)
{
    struct dbk_person_state person = {0};
    char id[DBK_UUID_TEXT + 1], tag[ETAG_MAX];
    struct dbk_render events;

    person_of(&pair[0], verdict->recorded_at, &person);
    dbk_uuid_format(&person.id, id);
    if (logged_person_tag(rq, verdict->first_sequence, (struct dbk_slice){NULL, 0}, tag,
                          err) != DBK_OK)
        return err->code;
    response_header(rs, "Location", "/persons/%s", id);
    response_header_text(rs, "ETag", tag);

    dbk_render_init(&events, 1024);
    events.zone = rs->body.zone;
    dbk_render_text(&events, "[");
    render_logged_event(&events, &pair[1], verdict->recorded_at);
    dbk_render_text(&events, "]");
    response_begin(rs);
    render_logged_person(&rs->body, &person,
                         (struct dbk_slice){events.text, events.length});
    dbk_render_finish(&events);
    return response_end(rs, 201, DETAILS_OK, err);
}

static enum dbk_code create(struct request *rq, struct response *rs,
                            struct dbk_record pair[2], struct dbk_error *err)
{
    struct dbk_command *command = submit_drafts(pair, 2, err);
    const struct dbk_verdict *verdict;
    bool replayed;
    enum dbk_code code;

    if (!command)
        return err->code;
    code = submit_keyed(rq, rs, &command, 1, &replayed, err);
    if (code == DBK_OK)
        code = submit_accept(rs, command, err);
    verdict = dbk_command_verdict(command);
    if (code == DBK_OK && replayed)
        code = logged_read(rq, verdict->first_sequence, pair, 2, err);
    if (code == DBK_OK)
        code = answer_created(rq, rs, pair, verdict, err);
    dbk_command_destroy(command);
    return code;
}

enum dbk_code handle_post_person(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    struct dbk_record pair[2] = {0}; /* person.created, and its signup */
    struct dbk_body body = {0};
    enum dbk_code code;

    if (dbk_body_person(rq->body.data, rq->body.length, DBK_BODY_CREATE, &body,
                        &rq->fields, err) != DBK_OK)
        return err->code;
    pair[0] = body.record;
    pair[1].type = DBK_EVENT_RECORDED;
    pair[1].subject = dbk_uuid_new();
    pair[1].person_id = pair[0].subject;
    pair[1].event_type = dbk_slice(EVENT_TYPE_SIGNUP);
    submit_meta(rq, &pair[0]);
    submit_meta(rq, &pair[1]);
    code = create(rq, rs, pair, err);
    dbk_body_finish(&body);
    return code;
}

enum dbk_code handle_delete_person(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct dbk_record deleted = {.type = DBK_PERSON_DELETED, .subject = rq->match.id};
    struct dbk_command *command;
    enum dbk_code code;

    if (body_delete_person(rq->body.data, rq->body.length, &rq->match.id, &rq->fields,
                           err) != DBK_OK)
        return err->code;
    submit_meta(rq, &deleted);
    command = submit_drafts(&deleted, 1, err);
    if (!command)
        return err->code;
    code = expect_person(rq, command, err);
    if (code == DBK_OK)
        code = submit_plain(rq, rs, command, err);
    dbk_command_destroy(command);
    return code == DBK_OK ? response_empty(rs, 200, DETAILS_OK, NULL, err) : code;
}
