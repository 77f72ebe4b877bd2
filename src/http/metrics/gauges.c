#include "gauges.h"

#include "counted.h"
#include "exposition.h"
#include "feed.h"
#include "guard.h"
#include "health.h"
#include "members_gauges.h"
#include "readers.h"
#include "rebuilder.h"
#include "store/timestamp.h"

#include <stdio.h>

static void render_build(struct dbk_render *out)
{
    exposition_begin(out, "daybook_build_info", "gauge",
                     "Always 1: the labels say what runs.");
    exposition_number(out, "daybook_build_info",
                      "version=\"" DAYBOOK_VERSION "\",compiler=\"" __VERSION__ "\"",
                      1);
}

static void render_log(const struct health *health, struct dbk_render *out)
{
    const struct dbk_log_gauges *log = &health->log_gauges;

    exposition_gauge(out, "daybook_queue_depth",
                     "Changes that wait to be written to the log.", log->queued);
    if (log->room_known)
        exposition_gauge(out, "daybook_disk_free_bytes",
                         "Bytes free on the file system of the log.", log->free_bytes);
    if (!log->readable)
        return;
    exposition_gauge(out, "daybook_log_head", "The last record's sequence.", log->head);
    exposition_gauge(out, "daybook_log_bytes", "Bytes of the log's file.",
                     log->file_bytes);
    exposition_gauge(out, "daybook_log_readers",
                     "Read transactions open on the log, of all processes.",
                     log->readers);
    exposition_gauge(out, "daybook_events_expired_sequence",
                     "All events up to this record are forgotten by age.",
                     health->expired);
    exposition_gauge(out, "daybook_events_expiry_waits_months",
                     "Months that RETENTION has come to, and an operator is asked for.",
                     *health->due.why ? health->due.months : 0);
}

static void render_notary(struct dbk_notary *notary, struct dbk_render *out)
{
    struct dbk_notary_state state;

    dbk_notary_state(notary, &state);
    exposition_gauge(out, "daybook_audit_signing",
                     "1 while the log is signed; 0: it must not be, or cannot.",
                     state.signs);
    exposition_gauge(out, "daybook_audit_signed_sequence",
                     "The last record that is in the newest signed checkpoint.",
                     state.signed_size);
    exposition_gauge(out, "daybook_audit_lag_records",
                     "Records that are not hashed yet.", state.head - state.size);
    if (!state.needs_witnesses)
        return;
    exposition_gauge(out, "daybook_audit_cosigned_sequence",
                     "The last record that is in the newest checkpoint that as many "
                     "witnesses signed as the policy asks for.",
                     state.cosigned_size);
    exposition_gauge(out, "daybook_audit_witnesses_behind",
                     "1 where witnesses have signed nothing for longer than their "
                     "patience, and there is something to sign.",
                     state.behind);
    exposition_gauge(out, "daybook_audit_witness_alarms",
                     "Witnesses that have seen more records of this log, or others.",
                     state.alarms);
}

static void render_projection(const struct dbk_projector_status *tables, uint64_t lag,
                              struct dbk_render *out)
{
    int64_t behind_ms = lag > 0 && tables->behind_ms > 0 ? tables->behind_ms : 0;

    exposition_gauge(out, "daybook_projection_running",
                     "1 while the read tables follow the log.", tables->running);
    exposition_gauge(out, "daybook_projected_sequence",
                     "The last record that is in the read tables.", tables->projected);
    exposition_gauge(out, "daybook_projection_lag_records",
                     "Records that are not in the read tables yet.", lag);
    exposition_gauge_seconds(out, "daybook_projection_lag_seconds",
                             "Age of the oldest record that is not in them yet.",
                             (uint64_t)behind_ms * 1000);
    exposition_gauge(out, "daybook_quarantined", "Persons that are set aside.",
                     tables->quarantined);
}

static void render_pools(const struct dbk_read_model *model, struct dbk_render *out)
{
    static const char name[] = "daybook_pool_connections";
    struct dbk_read_model_gauges gauges;
    char labels[64];

    dbk_read_model_gauges(model, &gauges);
    exposition_begin(out, name, "gauge", "Connections to PostgreSQL of the reads.");
    for (size_t i = 0; i < DBK_METRIC_POOLS; i++) {
        const char *pool = counted_pool((enum dbk_metric_pool)i);
        snprintf(labels, sizeof labels, "pool=\"%s\",state=\"busy\"", pool);
        exposition_number(out, name, labels, gauges.busy[i]);
        snprintf(labels, sizeof labels, "pool=\"%s\",state=\"idle\"", pool);
        exposition_number(out, name, labels, gauges.idle[i]);
    }
    exposition_gauge(out, "daybook_standbys", "Standbys of PostgreSQL that are set.",
                     gauges.standbys);
    exposition_gauge(out, "daybook_standbys_in_use", "Those that are not left out.",
                     gauges.standbys_in);
}

static void render_backup(const struct service *service, struct dbk_render *out)
{
    const struct dbk_server_options *options = &service->options;
    struct dbk_backup_known backup = {0};
    struct dbk_uuid store_id;
    dbk_timestamp age;

    if (!options->backups)
        return;
    options->backups(options->backups_context, &backup);
    store_id = dbk_log_store_id(service->log);
    if (backup.at == 0 || !dbk_uuid_equal(&backup.store_id, &store_id))
        return;
    age = dbk_timestamp_now() - backup.at;
    exposition_gauge_seconds(out, "daybook_backup_age_seconds",
                             "Time since the last backup of this log that is known.",
                             age > 0 ? (uint64_t)age : 0);
}

static void render_rebuild(const struct service *service, struct dbk_render *out)
{
    struct rebuilder_status status;
    bool runs;

    rebuilder_status(service->rebuilder, &status);
    runs = status.state == REBUILDER_RUNNING;
    exposition_gauge(out, "daybook_rebuild_running",
                     "1 while the server rebuilds the read tables.", runs);
    exposition_gauge_seconds(
        out, "daybook_rebuild_done_ratio",
        "How much is done of the phase that the rebuild is in; 0 while none runs.",
        runs && status.total > 0
            ? (uint64_t)((double)status.done / (double)status.total * 1e6)
            : 0);
}

void gauges_render(const struct service *service, struct dbk_render *out)
{
    struct health health;
    struct ready ready;

    health_look(service, &health);
    ready_look(service, &health, &ready);
    render_build(out);
    exposition_gauge(out, "daybook_ready", "1 while GET /health/ready is 200.",
                     ready.count == 0);
    exposition_gauge(out, "daybook_http_connections",
                     "Connections of clients that have a thread.",
                     guard_arrivals(service->guard));
    exposition_gauge(out, "daybook_streams",
                     "Streams of the log, and requests that wait for it, open now.",
                     feed_streams(service->feed));
    exposition_gauge(out, "daybook_reads_waiting",
                     "Reads under way that wait for the read tables.",
                     readers_count(service->readers));
    render_log(&health, out);
    if (service->options.history)
        exposition_gauge(out, "daybook_history_indexed_sequence",
                         "The last record that is in the history index.",
                         dbk_history_position(service->options.history));
    if (service->options.notary)
        render_notary(service->options.notary, out);
    if (service->projector)
        render_projection(&health.tables, health.lag, out);
    if (service->model)
        render_pools(service->model, out);
    if (health.member)
        members_gauges_render(&health.members, out);
    render_backup(service, out);
    render_rebuild(service, out);
}
