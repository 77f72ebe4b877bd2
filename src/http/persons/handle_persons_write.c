/* POST /persons, DELETE /persons/{id}, which erases by handle_erasure.c. Both are answered
 * from the log alone, so they work while PostgreSQL is away. */
#include "body_fields.h"
#include "expect.h"
#include "handlers.h"
#include "logged.h"
#include "person_answer.h"
#include "person_draft.h"
#include "person_known.h"
#include "persons_erase.h"
#include "request.h"
#include "response.h"
#include "submit.h"

/* The id is taken: by this very person, so that the client has sent it twice, or not. */
static enum dbk_code answer_known(struct request *rq, struct response *rs,
                                  const struct dbk_record *brought,
                                  struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = person_known(rq, brought, &person, err);

    if (code == DBK_EXISTS)
        code = person_known_first(rq, brought, &person, true);
    if (code == DBK_UNAVAILABLE) {
        rq->unavailable = PERSON_UNTOLD;
        return dbk_fail(err, code, "who the person was first is not told");
    }
    if (code != DBK_OK)
        return code;
    response_header_number(rs, "Daybook-Sequence", person.version);
    return person_answer(rq, rs, &person, &brought->person, 0, err);
}

/* Its id, or its Idempotency-Key, is of somebody who was erased since. */
static enum dbk_code refuse_erased(struct request *rq, struct dbk_error *err)
{
    rq->failure = 410;
    return dbk_fail(err, DBK_NOT_FOUND,
                    "The person has been erased: what was held is gone for good, and "
                    "the id is never used again");
}

static bool is_erased(const struct request *rq, const struct dbk_uuid *id)
{
    struct dbk_person_state person;

    return !request_only_ingests(rq) &&
           dbk_log_person(rq->service->log, id, &person, NULL) == DBK_OK &&
           person.erased;
}

/* What was appended the first time. Its signup may have been forgotten by age. */
static enum dbk_code read_again(struct request *rq, const struct dbk_verdict *verdict,
                                struct dbk_record pair[2], struct dbk_error *err)
{
    enum dbk_code code = logged_read(rq, verdict->first_sequence, pair, 2, err);

    return code == DBK_OK && pair[0].erased ? refuse_erased(rq, err) : code;
}

static enum dbk_code create(struct request *rq, struct response *rs,
                            const struct dbk_record *brought,
                            struct person_draft *draft, struct dbk_error *err)
{
    struct dbk_command *command = person_draft_command(rq, draft, NULL, false, err);
    const struct dbk_verdict *verdict;
    bool replayed;
    enum dbk_code code;

    if (!command)
        return err->code;
    code = submit_keyed(rq, rs, &command, 1, &replayed, err);
    verdict = dbk_command_verdict(command);
    if (code == DBK_OK && verdict->code == DBK_EXISTS) {
        code = answer_known(rq, rs, brought, err);
        dbk_command_destroy(command);
        return code;
    }
    if (code == DBK_OK)
        code = submit_accept(rq, rs, command, err);
    if (code == DBK_CONFLICT && is_erased(rq, &brought->subject))
        code = refuse_erased(rq, err);
    if (code == DBK_OK && replayed)
        code = read_again(rq, verdict, draft->records, err);
    if (code == DBK_OK)
        code = person_answer_created(rq, rs, draft->records,
                                     replayed ? &brought->person : NULL, verdict, err);
    dbk_command_destroy(command);
    return code;
}

enum dbk_code handle_post_person(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    struct person_draft draft;
    struct dbk_body body = {0};
    enum dbk_code code;

    if (dbk_body_person(rq->body.data, rq->body.length, DBK_BODY_CREATE, &body,
                        &rq->fields, err) != DBK_OK)
        return err->code;
    person_draft_new(rq, &body.record, &draft);
    code = create(rq, rs, &body.record, &draft, err);
    dbk_body_finish(&body);
    return code;
}

enum dbk_code handle_delete_person(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct dbk_record deleted = {.type = DBK_PERSON_DELETED, .subject = rq->match.id};
    struct dbk_command *command;
    enum dbk_code code;
    bool erases;

    if (persons_erase_asked(rq, &erases, err) != DBK_OK ||
        body_delete_person(rq->body.data, rq->body.length, &rq->match.id, &rq->fields,
                           err) != DBK_OK)
        return err->code;
    if (erases)
        return persons_erase(rq, rs, err);
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
