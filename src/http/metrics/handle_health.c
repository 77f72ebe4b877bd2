/* GET /health: 200 where writes and reads go well, and reads are not far behind; else 503,
 * and why. /health/ready: the same question, with reasons for programs and a bound of its
 * own. /health/live: the process answers. */
#include "handlers.h"
#include "health.h"
#include "members.h"
#include "proof.h"
#include "request.h"
#include "response.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>

/* What is told of a look. */
struct told {
    struct health health;
    char
        reads[256]; /* why they fail, or are far behind; "": they do not, and are not */
    char
        audit[512]; /* why the log is not signed, or differs; "": it is, and does not */
    char members[320]; /* why the copies do not follow one that leads; "": they do */
    char why[1024];    /* all that is wrong; "": nothing is */
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

static void look_at_reads(const struct service *service, struct told *told)
{
    const struct dbk_projector_status *tables = &told->health.tables;
    int64_t bound = service->options.lag_max_ms;

    if (health_reads_fail(service, &told->health, told->reads, sizeof told->reads) ||
        !service->projector)
        return;
    if (bound > 0 && tables->silent_ms > bound)
        snprintf(told->reads, sizeof told->reads,
                 "PostgreSQL has not answered for %lld s",
                 (long long)(tables->silent_ms / 1000));
    else if (bound > 0 && told->health.lag > 0 && tables->behind_ms > bound)
        snprintf(told->reads, sizeof told->reads,
                 "the read tables are %lld s behind the log",
                 (long long)(tables->behind_ms / 1000));
}

static void explain(struct told *told)
{
    bool writes = told->health.log.code != DBK_OK;

    if (writes || *told->reads || *told->members)
        snprintf(told->why, sizeof told->why, "%s%s%s%s%s%s%s", told->members,
                 *told->members && (writes || *told->reads) ? ". " : "",
                 writes ? "Writes fail: " : "",
                 writes ? health_writes(&told->health) : "",
                 writes && *told->reads ? ". " : "",
                 *told->reads ? "Reads are not as they should be: " : "", told->reads);
}

/* What is old enough, and waits for an operator. */
static void render_due(const struct dbk_log_due *due, struct dbk_render *out)
{
    char month[DBK_MONTH_TEXT + 1];

    number(out, ",\"expiry_waits\":{\"months\":", due->months);
    dbk_month_format(due->oldest, month);
    text(out, ",\"oldest\":", month);
    dbk_month_format(due->before, month);
    text(out, ",\"before\":", month);
    number(out, ",\"through\":", due->through);
    text(out, ",\"why\":", due->why);
    dbk_render_text(out, "}");
}

static void render(const struct service *service, const struct told *told,
                   struct dbk_render *out)
{
    const struct dbk_projector_status *tables = &told->health.tables;
    uint64_t lag = told->health.lag;
    bool well = !*told->why && !*told->audit && tables->running &&
                tables->quarantined == 0 && !*told->health.due.why;

    dbk_render_text(out, well ? "{\"status\":\"ok\"" : "{\"status\":\"degraded\"");
    dbk_render_text(out, ",\"version\":\"" DAYBOOK_VERSION "\"");
    number(out, ",\"head\":", told->health.log_gauges.head);
    number(out, ",\"projected\":", tables->projected);
    number(out, ",\"lag\":", lag);
    number(out,
           ",\"lag_seconds\":", lag > 0 ? (uint64_t)(tables->behind_ms / 1000) : 0);
    number(out, ",\"quarantined\":", tables->quarantined);
    if (told->health.expired > 0)
        number(out, ",\"expired\":", told->health.expired);
    if (*told->health.due.why)
        render_due(&told->health.due, out);
    text(out, ",\"projection\":", health_projection(&told->health));
    text(out, ",\"writes\":", health_writes(&told->health));
    text(out, ",\"reads\":", *told->reads ? told->reads : "ok");
    if (service->options.notary)
        text(out, ",\"audit\":", *told->audit ? told->audit : "ok");
    if (told->health.member)
        members_render_role(service, &told->health.members, out);
    dbk_render_text(out, "}");
}

static enum dbk_code refuse_unreadable(struct request *rq, const struct dbk_error *why,
                                       struct dbk_error *err)
{
    bool shown = rq->service->options.show_error_details; /* behind it, as everywhere */

    snprintf(rq->worker->unavailable, sizeof rq->worker->unavailable,
             "The log cannot be read%s%.440s", shown ? "" : ": ",
             shown ? "" : why->text);
    rq->unavailable = rq->worker->unavailable;
    return dbk_fail(err, DBK_UNAVAILABLE, "%s", why->text);
}

enum dbk_code handle_health(struct request *rq, struct response *rs,
                            struct dbk_error *err)
{
    struct told told = {.why = ""};

    health_look(rq->service, &told.health);
    if (!told.health.log_gauges.readable)
        return refuse_unreadable(rq, &told.health.log_gauges.why, err);
    look_at_reads(rq->service, &told);
    health_members_fail(&told.health, told.members, sizeof told.members);
    proof_fails(rq->service, told.audit, sizeof told.audit); /* nobody waits for it */
    explain(&told);

    response_begin(rs);
    render(rq->service, &told, &rs->body);
    if (!*told.why)
        return response_end(rs, 200, DETAILS_OK, err);
    response_header_number(rs, "Retry-After", 1);
    return response_end(rs, 503, told.why, err);
}

enum dbk_code handle_health_live(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    (void)rq;
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"status\":\"ok\"}");
    return response_end(rs, 200, DETAILS_OK, err);
}

/* Alone, it is the one that writes. What proxies ask before they send a write here. */
enum dbk_code handle_health_leader(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    const struct dbk_membership *membership = rq->service->options.membership;
    struct dbk_membership_look look = {.leads = membership == NULL};

    if (membership)
        membership->look(membership->context, &look);
    response_begin(rs);
    dbk_render_text(&rs->body, look.leads ? "{\"leader\":true" : "{\"leader\":false");
    dbk_render_text(&rs->body, "}");
    if (look.leads)
        return response_end(rs, 200, DETAILS_OK, err);
    response_header_number(rs, "Retry-After", 1);
    return response_end(
        rs, 503, *look.leader ? "Another server leads" : "No server is known to lead",
        err);
}

/* The reasons for people, one after the other. */
static void join(const struct ready *ready, char *out, size_t size)
{
    *out = '\0';
    for (size_t i = 0; i < ready->count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ". " : "",
                 ready->reasons[i].message);
    }
}

enum dbk_code handle_health_ready(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    char why[READY_REASONS_MAX * sizeof((struct ready_reason *)0)->message];
    struct health health;
    struct ready ready;

    health_look(rq->service, &health);
    ready_look(rq->service, &health, &ready);
    response_begin(rs);
    text(&rs->body, "{\"status\":", ready.count > 0 ? "unavailable" : "ok");
    dbk_render_text(&rs->body, ",\"reasons\":[");
    for (size_t i = 0; i < ready.count; i++) {
        text(&rs->body, i ? ",{\"code\":" : "{\"code\":", ready.reasons[i].code);
        text(&rs->body, ",\"message\":", ready.reasons[i].message);
        dbk_render_text(&rs->body, "}");
    }
    dbk_render_text(&rs->body, "]");
    if (health.member)
        members_render_role(rq->service, &health.members, &rs->body);
    dbk_render_text(&rs->body, "}");
    if (ready.count == 0)
        return response_end(rs, 200, DETAILS_OK, err);
    join(&ready, why, sizeof why);
    response_header_number(rs, "Retry-After", 1);
    return response_end(rs, 503, why, err);
}
