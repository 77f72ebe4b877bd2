/* GET /checkpoint: what the log is now, signed (c2sp.org/tlog-checkpoint). */
#include "handlers.h"
#include "proof.h"
#include "response.h"
#include "worker.h"

enum dbk_code handle_checkpoint(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    const struct dbk_signed_checkpoint *newest = &rq->worker->checkpoint;
    uint64_t head;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK ||
        proof_await(rq, head, PROOF_WAIT_MS, err) != DBK_OK)
        return err->code;
    rs->content_type = "text/plain; charset=utf-8";
    rs->cache_control = "no-cache";
    dbk_render_raw(&rs->body, newest->text, newest->length);
    rs->status = 200;
    return DBK_OK;
}
