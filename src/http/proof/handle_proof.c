/* GET /log/{sequence}/proof: that a record is in the log, as a file that is enough with the
 * log's key and the record (c2sp.org/tlog-proof). */
#include "fresh.h"
#include "handlers.h"
#include "proof.h"
#include "response.h"
#include "store/proof/notary.h"
#include "worker.h"

#include <inttypes.h>

/* Until the record is signed, which a new one is not yet. */
static enum dbk_code wait_until_signed(struct request *rq, struct dbk_error *err)
{
    uint64_t sequence = rq->match.sequence, head;
    int wait_ms = PROOF_WAIT_MS, seconds;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK)
        return err->code;
    if (sequence > head)
        return dbk_fail(err, DBK_NOT_FOUND, "The log has no record %" PRIu64 " yet",
                        sequence);
    if (fresh_prefer_wait(rq->head, &seconds))
        wait_ms = seconds * 1000;
    if (proof_await(rq, sequence, wait_ms, err) != DBK_OK)
        return err->code;
    if (rq->worker->checkpoint.checkpoint.size >= sequence)
        return DBK_OK;
    rq->timed_out = "The record is in the log, and no checkpoint has it yet; try again "
                    "shortly";
    return dbk_fail(err, DBK_TIMEOUT, "record %" PRIu64 " is not signed yet", sequence);
}

enum dbk_code handle_get_proof(struct request *rq, struct response *rs,
                               struct dbk_error *err)
{
    char *text = rq->worker->proof;
    size_t length;

    if (wait_until_signed(rq, err) != DBK_OK)
        return err->code;
    if (dbk_notary_proof(rq->service->options.notary, rq->match.sequence, text, &length,
                         err) != DBK_OK)
        return proof_failed(rq, err);
    rs->content_type = "text/plain; charset=utf-8";
    dbk_render_raw(&rs->body, text, length);
    rs->status = 200;
    return DBK_OK;
}
