/* GET /health: 200 as long as the log can be read. */
#include "handlers.h"
#include "request.h"
#include "response.h"

static void number(struct dbk_render *out, const char *key, uint64_t value)
{
    dbk_render_text(out, key);
    dbk_render_number(out, value);
}

/* The state may name hosts and reasons: for others than the operator it is a word or two,
 * but where the tables are not of this log's history, which names records only. */
static const char *projection_of(const struct request *rq,
                                 const struct dbk_projector_status *status)
{
    if (status->running || rq->service->options.show_error_details)
        return status->state;
    switch (status->refusal) {
    case DBK_REFUSAL_NONE:
        break;
    case DBK_REFUSAL_HISTORY:
        return status->state;
    case DBK_REFUSAL_HELD:
        return "the read tables are held by another server";
    }
    return "not following";
}

enum dbk_code handle_health(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct dbk_projector_status status = {.state = "no read tables"};
    uint64_t head, lag;
    bool well;

    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK)
        return err->code;
    if (rq->service->projector)
        dbk_projector_status(rq->service->projector, &status);
    lag = head > status.projected ? head - status.projected : 0;
    well = status.running && status.quarantined == 0;

    response_begin(rs);
    dbk_render_text(&rs->body,
                    well ? "{\"status\":\"ok\"" : "{\"status\":\"degraded\"");
    dbk_render_text(&rs->body, ",\"version\":\"" DAYBOOK_VERSION "\"");
    number(&rs->body, ",\"head\":", head);
    number(&rs->body, ",\"projected\":", status.projected);
    number(&rs->body, ",\"lag\":", lag);
    number(&rs->body, ",\"quarantined\":", status.quarantined);
    dbk_render_text(&rs->body, ",\"projection\":");
    dbk_render_string(&rs->body, dbk_slice(projection_of(rq, &status)));
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 200, DETAILS_OK, err);
}
