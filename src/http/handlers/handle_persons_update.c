/* PUT and PATCH /persons/{id}. */
#include "body_fields.h"
#include "etag.h"
#include "expect.h"
#include "fresh.h"
#include "handlers.h"
#include "logged.h"
#include "person_change.h"
#include "render_logged.h"
#include "request.h"
#include "response.h"
#include "submit.h"
#include "worker.h"

#define EVENTS_SHOWN 100
#define RACES_MAX 100

/* Add the events that the log does not have. Those it has must be equal: what happened
 * is not overwritten. */
static enum dbk_code add_new_events(const struct request *rq,
                                    struct dbk_command *command,
                                    struct body_update *update, struct dbk_error *err)
{
    for (size_t i = 0; i < update->event_count; i++) {
        struct dbk_record *event = &update->events[i];
        enum dbk_code code = logged_check(rq, event, err);
        if (code == DBK_NOT_FOUND) {
            submit_meta(rq, event);
            code = dbk_command_add(command, event, err);
        }
        if (code != DBK_OK)
            return code;
    }
    return DBK_OK;
}

/* The record says what changes, not what stays. That is right for the version that was
 * looked at only, so the writer is told to expect it. *guessed: the client did not ask
 * for that, so where the person has moved it is ours to look again. */
static enum dbk_code add_change(const struct request *rq, struct dbk_command *command,
                                const struct dbk_record *wanted, bool *guessed,
                                struct dbk_error *err)
{
    struct dbk_record change = *wanted;
    struct dbk_person_state person;
    bool asked, less;

    *guessed = false;
    if (dbk_log_person(rq->service->log, &wanted->subject, &person, err) != DBK_OK)
        return err->code;
    if (person.deleted)
        return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this id");
    if (expect_version(rq, person.version, &asked, err) != DBK_OK)
        return err->code;
    less = person_change(&change.person, &person);
    *guessed = less && !asked;
    if (less || asked)
        dbk_command_expect(command, person.version);
    return dbk_command_add(command, &change, err);
}

static enum dbk_code submit_once(const struct request *rq, struct response *rs,
                                 struct dbk_command *command,
                                 struct body_update *update, bool *guessed,
                                 struct dbk_error *err)
{
    if (add_change(rq, command, &update->record, guessed, err) != DBK_OK)
        return err->code;
    if (add_new_events(rq, command, update, err) != DBK_OK)
        return err->code;
    return submit_plain(rq, rs, command, err);
}

/* The person as it is read, once the read tables show what was written (0: all that was
 * before this request), and where they show just this version. Returns NULL, or what to
 * say instead. */
static const char *render_read(struct request *rq, struct response *rs,
                               const struct dbk_person_state *person, uint64_t written)
{
    struct dbk_rows *rows = &rq->worker->rows;
    struct dbk_set_aside aside;
    struct dbk_error ignored;
    struct fresh fresh;

    if (fresh_wait(rq, rs, written, &fresh, &ignored) != DBK_OK ||
        fresh.projected < fresh.wanted)
        return "The request was successful; events are not shown, as the read tables "
               "are not available or behind";
    if (dbk_projector_set_aside(rq->service->projector, &rq->match.id, &aside))
        return "The request was successful; events are not shown, as the person is "
               "quarantined: daybook status on the server tells why";
    if (dbk_read_person(rq->service->model, &rq->match.id, EVENTS_SHOWN, rows,
                        &ignored) != DBK_OK)
        return "The request was successful; events are not shown, as the read tables "
               "are not available or behind";
    if (rows->rows[0].version != person->version)
        return "The request was successful; events are not shown, as the person has "
               "been changed again since";
    response_row(rs, (struct dbk_slice){rows->json.text + rows->rows[0].offset,
                                        rows->rows[0].length});
    return NULL;
}

static enum dbk_code answer_updated(struct request *rq, struct response *rs,
                                    const struct dbk_command *command,
                                    struct dbk_error *err)
{
    const struct dbk_person_state *person = dbk_command_person(command);
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    char tag[ETAG_MAX];
    const char *not_shown;

    if (!person)
        return dbk_fail(err, DBK_INTERNAL, "an accepted update without its person");
    if (logged_person_tag(rq, person->version, (struct dbk_slice){NULL, 0}, tag, err) !=
        DBK_OK)
        return err->code;
    response_header_text(rs, "ETag", tag);
    response_begin(rs);
    not_shown =
        render_read(rq, rs, person, verdict->first_sequence ? verdict->sequence : 0);
    if (not_shown)
        render_logged_person(&rs->body, person, dbk_slice("null"));
    return response_end(rs, 200, not_shown ? not_shown : DETAILS_OK, err);
}

/* What we looked at may have moved when the writer decides: an event that was not there
 * is, or the person has changed. Then look again; each time another request was first,
 * so this ends. */
static enum dbk_code update_person(struct request *rq, struct response *rs,
                                   struct body_update *update, struct dbk_error *err)
{
    enum dbk_code code = DBK_EXISTS;
    bool guessed = false;

    submit_meta(rq, &update->record);
    for (int turn = 0; turn < RACES_MAX; turn++) {
        struct dbk_command *command = dbk_command_create();
        if (!command)
            return dbk_fail(err, DBK_NO_MEMORY, "no memory for a command");
        code = submit_once(rq, rs, command, update, &guessed, err);
        if (code == DBK_OK)
            code = answer_updated(rq, rs, command, err);
        dbk_command_destroy(command);
        if (code != DBK_EXISTS && !(code == DBK_MOVED && guessed))
            return code;
    }
    return dbk_fail(err, DBK_BUSY, "the person is being changed by many at once");
}

enum dbk_code handle_put_person(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    struct body_update update = {0};
    enum dbk_code code;

    if (body_put_person(rq->body.data, rq->body.length, &rq->match.id, false,
                        &rq->service->rules, &update, &rq->fields, err) != DBK_OK)
        return err->code;
    code = update_person(rq, rs, &update, err);
    body_update_finish(&update);
    return code;
}

enum dbk_code handle_patch_person(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct body_update update = {0};
    enum dbk_code code;

    if (body_patch_person(rq->body.data, rq->body.length, &rq->match.id, false, &update,
                          &rq->fields, err) != DBK_OK)
        return err->code;
    code = update_person(rq, rs, &update, err);
    body_update_finish(&update);
    return code;
}
