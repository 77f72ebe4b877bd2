#include "health.h"

#include "status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Asked each 400 ms, so a PostgreSQL that hangs is told within two seconds. */
enum { UNANSWERED_MS = 1500 };

static int64_t unanswered(const struct dbk_read_model *model)
{
    struct dbk_read_model_gauges gauges;
    int64_t hangs = dbk_read_model_hangs(model);

    if (hangs > 0)
        return hangs;
    dbk_read_model_gauges(model, &gauges);
    return gauges.waits_ms >= UNANSWERED_MS ? gauges.waits_ms : 0;
}

void health_look(const struct service *service, struct health *out)
{
    const struct dbk_membership *membership = service->options.membership;

    *out = (struct health){.tables = {.state = "no read tables"},
                           .shows_details = service->options.show_error_details};
    dbk_log_health(service->log, &out->log);
    dbk_log_gauges(service->log, &out->log_gauges);
    if (out->log_gauges.readable &&
        dbk_log_expired(service->log, &out->expired, NULL) != DBK_OK)
        out->expired = 0;
    if (out->log_gauges.readable && service->options.retention_us > 0)
        dbk_log_due(service->log, dbk_timestamp_now() - service->options.retention_us,
                    &out->due, NULL);
    if (service->projector)
        dbk_projector_status(service->projector, &out->tables);
    if (service->projector && out->log_gauges.head > out->tables.projected)
        out->lag = out->log_gauges.head - out->tables.projected;
    if (service->model)
        out->unanswered_ms = unanswered(service->model);
    out->refused = service->model && dbk_read_model_refused(service->model, &out->why);
    out->member = membership != NULL;
    if (membership)
        membership->look(membership->context, &out->members);
}

bool health_is_cut_off(const struct health *health, char *why, size_t size)
{
    const struct dbk_membership_look *members = &health->members;
    const char *reason = health->shows_details ? members->why : "";

    if (health->member && strcmp(members->state, "halted") == 0)
        snprintf(
            why, size,
            "This member has stopped following the others%s%.150s; daybook cluster "
            "status says why",
            *reason ? ": " : "", reason);
    else if (health->member && strcmp(members->state, "starting") == 0)
        snprintf(why, size,
                 "This member has not reached the others since it was started%s%.150s",
                 *reason ? ": " : "", reason);
    else
        return false;
    return true;
}

bool health_members_fail(const struct health *health, char *why, size_t size)
{
    const struct dbk_membership_look *members = &health->members;

    if (health_is_cut_off(health, why, size))
        return true;
    if (!health->member || members->leads || *members->leader)
        return false;
    snprintf(why, size, "Writes fail: no server is known to lead");
    return true;
}

const char *health_writes(const struct health *health)
{
    const char *sentence = status_sentence(health->log.code);

    if (health->log.code == DBK_OK)
        return "ok";
    return sentence && !health->shows_details ? sentence : health->log.why;
}

/* Where it names records only, all are told: the tables are not of this log's history, or
 * not yet where they were. */
const char *health_projection(const struct health *health)
{
    const struct dbk_projector_status *tables = &health->tables;

    if (tables->running || health->shows_details)
        return tables->state;
    switch (tables->refusal) {
    case DBK_REFUSAL_NONE:
        break;
    case DBK_REFUSAL_HISTORY:
    case DBK_REFUSAL_EMPTIED:
        return tables->state;
    case DBK_REFUSAL_HELD:
        return "the read tables are held by another server";
    }
    return "not following";
}

bool health_reads_fail(const struct service *service, const struct health *health,
                       char *why, size_t size)
{
    *why = '\0';
    if (!service->projector)
        return false; /* it was started without read tables */
    if (!health->tables.running)
        snprintf(why, size, "the read tables cannot be asked (%s)",
                 health_projection(health));
    else if (health->unanswered_ms > 0)
        snprintf(why, size, "PostgreSQL has not answered for %lld s",
                 (long long)(health->unanswered_ms / 1000));
    else if (health->refused)
        snprintf(why, size, "%s",
                 health->shows_details ? health->why.text
                                       : "PostgreSQL gives reads no connection");
    return *why != '\0';
}

static void add(struct ready *ready, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(struct ready *ready, const char *code, const char *format, ...)
{
    struct ready_reason *reason = &ready->reasons[ready->count++];
    va_list args;

    assert(ready->count <= READY_REASONS_MAX);
    reason->code = code;
    va_start(args, format);
    vsnprintf(reason->message, sizeof reason->message, format, args);
    va_end(args);
}

static void look_at_log(const struct health *health, struct ready *out)
{
    if (!health->log_gauges.readable)
        add(out, "log", "The log cannot be read: %s", health->log_gauges.why.text);
    else if (health->log.code != DBK_OK)
        add(out, health->log.code == DBK_NO_ROOM ? "room" : "log", "%s",
            health_writes(health));
}

void ready_look(const struct service *service, const struct health *health,
                struct ready *out)
{
    const struct dbk_projector_status *tables = &health->tables;
    int64_t bound = service->options.ready_lag_ms;
    char why[sizeof out->reasons->message - 16];

    out->count = 0;
    if (atomic_load(&service->stopping))
        add(out, "stopping", "The server is stopping");
    if (health_is_cut_off(health, why, sizeof why))
        add(out, "member", "%s", why);
    look_at_log(health, out);
    if (health_reads_fail(service, health, why, sizeof why))
        add(out, "postgresql", "Reads fail: %s", why);
    if (bound > 0 && health->lag > 0 && tables->behind_ms > bound)
        add(out, "lag", "The read tables are %lld s behind the log",
            (long long)(tables->behind_ms / 1000));
}
