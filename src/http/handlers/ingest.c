#include "ingest.h"

#include "logged.h"
#include "store/clock.h"
#include "untold.h"

bool ingest_hides(const struct request *rq, const struct dbk_error *failure)
{
    if (failure->code != DBK_NOT_FOUND && failure->code != DBK_CONFLICT &&
        failure->code != DBK_EXISTS && failure->code != DBK_MOVED)
        return false;
    untold_add(rq->service->untold, rq->actor, rq->id, failure->text, dbk_clock_ms());
    return true;
}

enum dbk_code ingest_answer(const struct request *rq, struct response *rs,
                            const struct dbk_record *brought,
                            const struct dbk_verdict *verdict, struct dbk_error *err)
{
    struct dbk_record logged;

    *err = verdict->error;
    err->code = verdict->code;
    if (verdict->code == DBK_EXISTS)
        err->code = logged_compare(rq, brought, verdict->sequence, &logged, err);
    if (err->code != DBK_OK && !ingest_hides(rq, err))
        return err->code;
    rs->sequence = verdict->code == DBK_OK ? verdict->sequence : 0;
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"id\":");
    dbk_render_uuid(&rs->body, &brought->subject);
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 202, "The request was accepted", err);
}
