/* POST, GET and DELETE /persons/{id}/restriction: whether what is held of a person is shown
 * (withheld.h). The log's alone, so all work while PostgreSQL is away. */
#include "handlers.h"
#include "logged.h"
#include "request.h"
#include "response.h"
#include "submit.h"

static enum dbk_code answer(struct request *rq, struct response *rs, int status,
                            uint64_t sequence, dbk_timestamp recorded_at,
                            struct dbk_error *err)
{
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"person_id\":");
    dbk_render_uuid(&rs->body, &rq->match.id);
    dbk_render_text(&rs->body, ",\"datetime_created\":");
    dbk_render_timestamp(&rs->body, recorded_at);
    dbk_render_text(&rs->body, ",\"sequence\":");
    dbk_render_number(&rs->body, sequence);
    dbk_render_text(&rs->body, "}");
    return response_end(rs, status, DETAILS_OK, err);
}

/* What the record says that did it. */
static enum dbk_code answer_known(struct request *rq, struct response *rs,
                                  uint64_t sequence, struct dbk_error *err)
{
    struct dbk_record record;

    if (logged_read(rq, sequence, &record, 1, err) != DBK_OK)
        return err->code;
    return answer(rq, rs, 200, sequence, record.recorded_at, err);
}

static enum dbk_code answer_verdict(struct request *rq, struct response *rs,
                                    const struct dbk_command *command,
                                    struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);

    if (verdict->code == DBK_EXISTS) {
        response_header_number(rs, "Daybook-Sequence", verdict->sequence);
        return answer_known(rq, rs, verdict->sequence, err);
    }
    if (submit_accept(rq, rs, command, err) != DBK_OK)
        return err->code;
    return answer(rq, rs, 201, verdict->sequence, verdict->recorded_at, err);
}

enum dbk_code handle_post_restriction(struct request *rq, struct response *rs,
                                      struct dbk_error *err)
{
    struct dbk_record restricted = {.type = DBK_PERSON_RESTRICTED,
                                    .subject = rq->match.id};
    struct dbk_command *command;
    enum dbk_code code;
    bool replayed;

    submit_meta(rq, &restricted);
    command = submit_drafts(&restricted, 1, err);
    if (!command)
        return err->code;
    code = submit_keyed(rq, rs, &command, 1, &replayed, err);
    if (code == DBK_OK)
        code = answer_verdict(rq, rs, command, err);
    dbk_command_destroy(command);
    return code;
}

enum dbk_code handle_get_restriction(struct request *rq, struct response *rs,
                                     struct dbk_error *err)
{
    struct dbk_person_state person;
    uint64_t since;
    enum dbk_code code = dbk_log_person(rq->service->log, &rq->match.id, &person, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "There is no person with this id");
    if (code != DBK_OK ||
        dbk_log_restricted(rq->service->log, &rq->match.id, &since, err) != DBK_OK)
        return err->code;
    if (since == 0 || person.erased)
        return dbk_fail(err, DBK_NOT_FOUND, "The person is not restricted");
    return answer_known(rq, rs, since, err);
}

enum dbk_code handle_delete_restriction(struct request *rq, struct response *rs,
                                        struct dbk_error *err)
{
    struct dbk_record unrestricted = {.type = DBK_PERSON_UNRESTRICTED,
                                      .subject = rq->match.id};
    struct dbk_command *command;
    enum dbk_code code;

    submit_meta(rq, &unrestricted);
    command = submit_drafts(&unrestricted, 1, err);
    if (!command)
        return err->code;
    code = submit_plain(rq, rs, command, err);
    dbk_command_destroy(command);
    return code == DBK_OK ? response_empty(rs, 200, DETAILS_OK, NULL, err) : code;
}
