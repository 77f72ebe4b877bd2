/* POST /events, POST /events/{id}, DELETE /events/{id}. All are answered from the log
 * alone, so they work while PostgreSQL is away. */
#include "body_fields.h"
#include "etag.h"
#include "event_write.h"
#include "expect.h"
#include "handlers.h"
#include "ingest.h"
#include "logged.h"
#include "receipt.h"
#include "render_logged.h"
#include "request.h"
#include "response.h"
#include "submit.h"
#include "withheld.h"
#include "worker.h"

#include <string.h>

/* Whose an anonymous id is, only who may read is told. */
static enum dbk_code answer_event(const struct request *rq, struct response *rs,
                                  int status, const struct dbk_record *event,
                                  uint64_t sequence, dbk_timestamp recorded_at,
                                  struct dbk_error *err)
{
    struct dbk_record shown = *event;
    char path[] = "/events/........-....-....-....-............";
    char tag[ETAG_MAX];

    dbk_uuid_format(&event->subject, path + strlen("/events/"));
    if (status == 201)
        response_header_text(rs, "Location", path);
    etag_format(tag, sequence, (struct dbk_slice){NULL, 0});
    response_header_text(rs, "ETag", tag);
    response_begin(rs);
    if (event->anonymous_id.length > 0 &&
        (!request_may_read(rq) || withheld_is(rq, &event->person_id)))
        shown.person_id = (struct dbk_uuid){0};
    render_logged_event(&rs->body, &shown, recorded_at, rq->worker->rows.shown);
    return response_end(rs, status, DETAILS_OK, err);
}

/* The id is taken: by this very event, so that the client has sent it twice, or not. */
static enum dbk_code answer_known(struct request *rq, struct response *rs,
                                  const struct dbk_record *brought, uint64_t sequence,
                                  struct dbk_error *err)
{
    struct dbk_record logged;

    if (strcmp(rq->match.route->path, "/events/{id}") == 0 &&
        expect_excluded(rq, sequence, err) != DBK_OK)
        return err->code;
    if (logged_compare(rq, brought, sequence, &logged, err) != DBK_OK)
        return err->code;
    if (logged.anonymous_id.length > 0 && /* whose it is now */
        logged_event(rq, &brought->subject, &logged, &sequence, err) != DBK_OK)
        return err->code;
    response_header_number(rs, "Daybook-Sequence", sequence);
    receipt_of(rq, rs, sequence, sequence);
    return answer_event(rq, rs, 200, &logged, sequence, logged.recorded_at, err);
}

static enum dbk_code answer_verdict(struct request *rq, struct response *rs,
                                    const struct dbk_record *event,
                                    const struct dbk_command *command, bool replayed,
                                    struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    struct dbk_record logged = *event, appended;

    if (request_only_ingests(rq))
        return ingest_answer(rq, rs, event, verdict, err);
    if (verdict->code == DBK_EXISTS)
        return answer_known(rq, rs, event, verdict->sequence, err);
    if (submit_accept(rq, rs, command, err) != DBK_OK)
        return err->code;
    if (event->anonymous_id.length > 0) { /* the writer knows whose it is */
        dbk_command_first(command, &appended);
        logged.person_id = appended.person_id;
    }
    if (replayed && logged_again(rq, verdict->sequence, &logged, 1, err) != DBK_OK)
        return err->code;
    return answer_event(rq, rs, 201, &logged, verdict->sequence, verdict->recorded_at,
                        err);
}

/* has_id: the client has given it one. NULL: err says why. */
static struct dbk_command *draft(const struct request *rq, struct dbk_record *event,
                                 bool has_id, struct dbk_error *err)
{
    struct submit_ids ids;

    if (submit_ids_begin(rq, &ids, err) != DBK_OK)
        return NULL;
    if (!has_id)
        submit_ids_make(&ids, 0, &event->subject);
    submit_meta(rq, event);
    return submit_drafts(event, 1, err);
}

/* The body is read. A failure leaves it zeroed. */
static enum dbk_code prepare(struct request *rq, struct event_write *write, bool has_id,
                             struct dbk_error *err)
{
    write->command = draft(rq, &write->body.record, has_id, err);
    if (write->command)
        return DBK_OK;
    dbk_body_finish(&write->body);
    *write = (struct event_write){0};
    return err->code;
}

static enum dbk_code finish(struct request *rq, struct response *rs,
                            struct event_write *write, bool replayed,
                            enum dbk_code code, struct dbk_error *err)
{
    if (code == DBK_OK)
        code =
            answer_verdict(rq, rs, &write->body.record, write->command, replayed, err);
    dbk_command_destroy(write->command);
    dbk_body_finish(&write->body);
    *write = (struct event_write){0};
    return code;
}

enum dbk_code event_write_begin(struct request *rq, struct event_write *write,
                                struct dbk_error *err)
{
    if (dbk_body_event(rq->body.data, rq->body.length, DBK_BODY_CREATE,
                       &rq->service->rules, &write->body, &rq->fields, err) != DBK_OK)
        return err->code;
    return prepare(rq, write, write->body.has_id, err);
}

enum dbk_code event_write_end(struct request *rq, struct response *rs,
                              struct event_write *write, enum dbk_code code,
                              struct dbk_error *err)
{
    rq->submitted = true;
    return finish(rq, rs, write, false, code, err);
}

/* Alone, and with the Idempotency-Key that it may have. */
static enum dbk_code submit(struct request *rq, struct response *rs,
                            struct event_write *write, struct dbk_error *err)
{
    bool replayed = false;
    enum dbk_code code = submit_keyed(rq, rs, &write->command, 1, &replayed, err);

    return finish(rq, rs, write, replayed, code, err);
}

enum dbk_code handle_post_event(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    struct event_write write = {0};

    if (event_write_begin(rq, &write, err) != DBK_OK)
        return err->code;
    return submit(rq, rs, &write, err);
}

enum dbk_code handle_post_event_at(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct event_write write = {0};

    if (body_event_at(rq->body.data, rq->body.length, &rq->match.id,
                      &rq->service->rules, &write.body, &rq->fields, err) != DBK_OK ||
        prepare(rq, &write, true, err) != DBK_OK)
        return err->code;
    return submit(rq, rs, &write, err);
}

enum dbk_code handle_delete_event(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct dbk_record deleted = {.type = DBK_EVENT_DELETED, .subject = rq->match.id};
    struct body_delete body = {0};
    struct dbk_command *command;
    enum dbk_code code;

    if (body_delete_event(rq->body.data, rq->body.length, &rq->match.id, &body,
                          &rq->fields, err) != DBK_OK)
        return err->code;
    if (expect_event(rq, err) != DBK_OK)
        return err->code;
    submit_meta(rq, &deleted);
    command = submit_drafts(&deleted, 1, err);
    if (!command)
        return err->code;
    if (body.has_person_id)
        dbk_command_expect_person(command, &body.person_id);
    code = submit_plain(rq, rs, command, err);
    dbk_command_destroy(command);
    return code == DBK_OK ? response_empty(rs, 200, DETAILS_OK, NULL, err) : code;
}
