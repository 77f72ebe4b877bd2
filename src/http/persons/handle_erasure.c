/* DELETE /persons/{id}?erase=true, GET /persons/{id}/receipt: a person is erased for good, and
 * what is known of it. Both need the log and its ring alone, so they work while PostgreSQL is
 * away. */
#include "authorize.h"
#include "expect.h"
#include "fresh.h"
#include "handlers.h"
#include "http/erasure_json.h"
#include "persons_erase.h"
#include "proof.h"
#include "request.h"
#include "response.h"
#include "store/proof/notary.h"
#include "submit.h"
#include "worker.h"

#include <stdlib.h>

/* So many records are looked at for one answer, about, where the history index is behind. */
#define LOOK_MAX 1000000

/* What waiting for what is not needed has left behind. */
static void forget_trouble(struct request *rq)
{
    rq->unavailable = rq->unreadable = NULL;
    rq->retry_after = 0;
}

/* Of the record, where the log is signed: bounded, for there is a checkpoint a second. */
static struct dbk_slice prove(struct request *rq, uint64_t sequence)
{
    struct dbk_notary *notary = rq->service->options.notary;
    struct dbk_slice none = {NULL, 0};
    int wait_ms = PROOF_WAIT_MS, seconds;
    struct dbk_error ignored;
    size_t length;

    if (!notary)
        return none;
    if (fresh_prefer_wait(rq->head, &seconds))
        wait_ms = seconds * 1000;
    if (proof_await(rq, sequence, wait_ms, &ignored) != DBK_OK ||
        rq->worker->checkpoint.checkpoint.size < sequence)
        return none;
    if (dbk_notary_proof(notary, sequence, rq->worker->proof, &length, &ignored) !=
        DBK_OK) {
        proof_failed(rq, &ignored);
        return none;
    }
    return (struct dbk_slice){rq->worker->proof, length};
}

/* How far the tables are that are read from; 0: not known. */
static uint64_t tables_at(const struct request *rq)
{
    struct dbk_projector_status status;

    if (!rq->service->projector)
        return 0;
    dbk_projector_status(rq->service->projector, &status);
    return status.refusal == DBK_REFUSAL_NONE ? status.projected : 0;
}

/* Whether the person is in quarantine for the person.erased itself, which is not posted then until
 * it is tried again. */
static bool is_aside(const struct request *rq, const struct dbk_erasure *erasure)
{
    struct dbk_set_aside how;

    return rq->service->projector &&
           dbk_projector_set_aside(rq->service->projector, &erasure->person, &how) &&
           how.last >= erasure->sequence;
}

static dbk_timestamp last_backup(const struct request *rq)
{
    const struct dbk_server_options *options = &rq->service->options;
    struct dbk_backup_known *last = calloc(1, sizeof *last);
    dbk_timestamp at = 0;

    if (last && options->backups)
        options->backups(options->backups_context, last);
    if (last && last->head > 0)
        at = last->at;
    free(last);
    return at;
}

static enum dbk_code answer(struct request *rq, struct response *rs,
                            const struct dbk_erasure *erasure, struct dbk_error *err)
{
    struct dbk_erasure_known known = {.proof = prove(rq, erasure->sequence),
                                      .tables = tables_at(rq),
                                      .aside = is_aside(rq, erasure),
                                      .backup_at = last_backup(rq)};

    forget_trouble(rq);
    response_begin(rs);
    dbk_erasure_json(erasure, &known, &rs->body);
    return response_end(rs, 200, DETAILS_OK, err);
}

static enum dbk_code answer_receipt(struct request *rq, struct response *rs,
                                    struct dbk_error *err)
{
    struct dbk_erasure erasure;
    enum dbk_code code =
        dbk_erasure_find(rq->service->log, rq->service->options.history, &rq->match.id,
                         LOOK_MAX, &erasure, err);

    if (code == DBK_CONFLICT)
        code = dbk_fail(
            err, DBK_NOT_FOUND,
            "There is no receipt: the person was not erased, or no record says so");
    else if (code == DBK_NOT_FOUND)
        code = dbk_fail(err, code, "There is no receipt: no person has had this id");
    if (code == DBK_OK)
        code = answer(rq, rs, &erasure, err);
    dbk_erasure_finish(&erasure);
    return code;
}

enum dbk_code handle_get_receipt(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    return answer_receipt(rq, rs, err);
}

/* The answer waits until the rows are gone, too; that they are not yet is no failure. */
static void wait_for_tables(struct request *rq, struct response *rs, uint64_t sequence)
{
    struct dbk_error ignored;
    struct fresh fresh;

    if (rq->service->projector)
        fresh_wait(rq, rs, sequence, &fresh, &ignored);
    forget_trouble(rq);
}

/* Who was erased before is answered the same again. */
static enum dbk_code erase(struct request *rq, struct response *rs,
                           struct dbk_command *command, struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    enum dbk_code code = submit_plain(rq, rs, command, err);

    if (code == DBK_EXISTS) {
        response_header_number(rs, "Daybook-Sequence", verdict->sequence);
        code = DBK_OK;
    }
    if (code != DBK_OK)
        return code;
    wait_for_tables(rq, rs, verdict->sequence);
    return answer_receipt(rq, rs, err);
}

enum dbk_code persons_erase_asked(struct request *rq, bool *erases,
                                  struct dbk_error *err)
{
    static const char *const choices[] = {"false", "true", NULL};

    *erases = params_choice(&rq->params, "erase", choices, &rq->fields) == 1;
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    return authorize_scope(rq, *erases ? DBK_SCOPE_ERASE : DBK_SCOPE_WRITE, err);
}

enum dbk_code persons_erase(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct dbk_record erased = {.type = DBK_PERSON_ERASED, .subject = rq->match.id};
    struct dbk_command *command;
    enum dbk_code code;

    submit_meta(rq, &erased);
    command = submit_drafts(&erased, 1, err);
    if (!command)
        return err->code;
    code = expect_erased(rq, command, err);
    if (code == DBK_OK)
        code = erase(rq, rs, command, err);
    dbk_command_destroy(command);
    return code;
}
