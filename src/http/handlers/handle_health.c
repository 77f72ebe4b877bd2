/* GET /health: 200 where writes and reads go well, and reads are not far behind; else 503,
 * and why. It waits for nothing: what is told is what the writer and the projector have
 * found out. */
#include "handlers.h"
#include "request.h"
#include "response.h"
#include "status.h"

#include <stdio.h>

struct health {
    struct dbk_log_health log;
    uint64_t head, lag;
    struct dbk_projector_status tables;
    char
        reads[256]; /* why they fail, or are far behind; "": they do not, and are not */
    char why[1024]; /* all that is wrong; "": nothing is */
};

static void text(struct dbk_render *out, const char *key, const char *value)
{
    dbk_render_text(out, key);
    dbk_render_string(out, dbk_slice(value));
}

static void number(struct dbk_render *out, const char *key, uint64_t value)
{
    dbk_render_text(out, key);
    dbk_render_number(out, value);
}

/* The state may name hosts and reasons: for others than the operator it is a word or two,
 * but where it names records only: the tables are not of this log's history, or not yet
 * where they were. */
static const char *projection_of(const struct request *rq,
                                 const struct dbk_projector_status *status)
{
    if (status->running || rq->service->options.show_error_details)
        return status->state;
    switch (status->refusal) {
    case DBK_REFUSAL_NONE:
        break;
    case DBK_REFUSAL_HISTORY:
    case DBK_REFUSAL_EMPTIED:
        return status->state;
    case DBK_REFUSAL_HELD:
        return "the read tables are held by another server";
    }
    return "not following";
}

static void look_at_reads(const struct request *rq, struct health *health)
{
    const struct dbk_projector_status *tables = &health->tables;
    int64_t bound = rq->service->options.lag_max_ms, hangs;

    if (!rq->service->projector)
        return; /* it was started without read tables */
    hangs = dbk_read_model_hangs(rq->service->model);
    if (!tables->running)
        snprintf(health->reads, sizeof health->reads,
                 "the read tables cannot be asked (%s)", projection_of(rq, tables));
    else if (hangs > 0)
        snprintf(health->reads, sizeof health->reads,
                 "PostgreSQL has not answered for %lld s", (long long)(hangs / 1000));
    else if (bound > 0 && tables->silent_ms > bound)
        snprintf(health->reads, sizeof health->reads,
                 "PostgreSQL has not answered for %lld s",
                 (long long)(tables->silent_ms / 1000));
    else if (bound > 0 && health->lag > 0 && tables->behind_ms > bound)
        snprintf(health->reads, sizeof health->reads,
                 "the read tables are %lld s behind the log",
                 (long long)(tables->behind_ms / 1000));
}

static const char *writes_of(const struct request *rq, const struct dbk_log_health *log)
{
    const char *sentence = status_sentence(log->code);

    if (log->code == DBK_OK)
        return "ok";
    return sentence && !rq->service->options.show_error_details ? sentence : log->why;
}

static void explain(const struct request *rq, struct health *health)
{
    bool writes = health->log.code != DBK_OK;

    if (writes || *health->reads)
        snprintf(
            health->why, sizeof health->why, "%s%s%s%s%s",
            writes ? "Writes fail: " : "", writes ? writes_of(rq, &health->log) : "",
            writes && *health->reads ? ". " : "",
            *health->reads ? "Reads are not as they should be: " : "", health->reads);
}

static void render(const struct request *rq, const struct health *health,
                   struct dbk_render *out)
{
    const struct dbk_projector_status *tables = &health->tables;
    bool well = !*health->why && tables->running && tables->quarantined == 0;

    dbk_render_text(out, well ? "{\"status\":\"ok\"" : "{\"status\":\"degraded\"");
    dbk_render_text(out, ",\"version\":\"" DAYBOOK_VERSION "\"");
    number(out, ",\"head\":", health->head);
    number(out, ",\"projected\":", tables->projected);
    number(out, ",\"lag\":", health->lag);
    number(out, ",\"lag_seconds\":",
           health->lag > 0 ? (uint64_t)(tables->behind_ms / 1000) : 0);
    number(out, ",\"quarantined\":", tables->quarantined);
    text(out, ",\"projection\":", projection_of(rq, tables));
    text(out, ",\"writes\":", writes_of(rq, &health->log));
    text(out, ",\"reads\":", *health->reads ? health->reads : "ok");
    dbk_render_text(out, "}");
}

enum dbk_code handle_health(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct health health = {.tables = {.state = "no read tables"}};

    dbk_log_health(rq->service->log, &health.log);
    if (!health.log.readable)
        return dbk_fail(err, DBK_UNAVAILABLE, "the log is being opened again");
    if (dbk_log_head(rq->service->log, &health.head, err) != DBK_OK)
        return err->code;
    if (rq->service->projector)
        dbk_projector_status(rq->service->projector, &health.tables);
    if (health.head > health.tables.projected)
        health.lag = health.head - health.tables.projected;
    look_at_reads(rq, &health);
    explain(rq, &health);

    response_begin(rs);
    render(rq, &health, &rs->body);
    if (!*health.why)
        return response_end(rs, 200, DETAILS_OK, err);
    response_header_number(rs, "Retry-After", 1);
    return response_end(rs, 503, health.why, err);
}
