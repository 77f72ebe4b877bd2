#include "submit.h"

#include "idempotency_key.h"

void submit_meta(const struct request *rq, struct dbk_record *draft)
{
    draft->request_id = dbk_slice(rq->id);
    draft->actor = dbk_slice(rq->actor);
    draft->source = dbk_slice("rest");
}

struct dbk_command *submit_draft(const struct dbk_record *const *drafts, size_t count,
                                 struct dbk_error *err)
{
    struct dbk_command *command = dbk_command_create();

    if (!command) {
        dbk_fail(err, DBK_NO_MEMORY, "no memory for a command");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (dbk_command_add(command, drafts[i], err) != DBK_OK) {
            dbk_command_destroy(command);
            return NULL;
        }
    }
    return command;
}

enum dbk_code submit_keyed(const struct request *rq, struct response *rs,
                           struct dbk_command *const *commands, size_t count,
                           bool *replayed, struct dbk_error *err)
{
    struct dbk_idempotency key;
    enum dbk_code code;
    bool there;

    *replayed = false;
    if (idempotency_key(rq, &key, &there, err) != DBK_OK)
        return err->code;
    code = dbk_log_submit(rq->service->log, commands, count, there ? &key : NULL,
                          replayed, err);
    if (code == DBK_KEY_REUSED)
        return dbk_fail(
            err, DBK_KEY_REUSED,
            "This idempotency key was used with another request; send a new "
            "Idempotency-Key");
    if (code != DBK_OK)
        return code;
    if (*replayed)
        response_header(rs, "Idempotency-Replayed", "true");
    return DBK_OK;
}

enum dbk_code submit_plain(const struct request *rq, struct dbk_command *command,
                           struct dbk_error *err)
{
    return dbk_log_submit(rq->service->log, &command, 1, NULL, NULL, err);
}

enum dbk_code submit_accept(struct response *rs, const struct dbk_command *command,
                            struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);

    if (verdict->code != DBK_OK) {
        *err = verdict->error;
        return verdict->code;
    }
    if (verdict->first_sequence > 0)
        rs->sequence = verdict->sequence;
    response_header_number(rs, "Daybook-Sequence", verdict->sequence);
    return DBK_OK;
}
