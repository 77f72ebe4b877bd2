/* The settings, as the server takes them. */
#include "serve_settings.h"

#include "backup_last.h"
#include "privileges.h"
#include "serve_report.h"

#include <assert.h>
#include <string.h>

static enum dbk_code give_up_port_right(void *context, struct dbk_error *err)
{
    (void)context;
    return privileges_finish(err);
}

/* Whether the rest of the disk that the private PostgreSQL shares with the log is the
 * log's. */
static bool is_full(void *cluster, char *why, size_t size)
{
    return dbk_cluster_full(cluster, why, size);
}

/* Read anew for each who asks: backups are made by other processes. */
static void backups_known(void *context, struct dbk_backup_known *out)
{
    const struct serving *serving = context;
    struct backup_last last;

    static_assert(sizeof last.path <= sizeof out->path, "the path of a backup");
    backup_last_read(config_text(serving->tool->config, SETTING_DATA_DIR), &last);
    out->head = last.head;
    out->at = last.at;
    out->store_id = last.store_id;
    memcpy(out->path, last.path, sizeof last.path);
}

/* To DB_HOST, as many to each standby, and one more that asks it how far it is. */
static unsigned read_connections(const struct config *config)
{
    const char *const *hosts = config_list(config, SETTING_READ_HOSTS);
    unsigned each = (unsigned)config_number(config, SETTING_DB_CONNECTIONS), all = each;

    for (; hosts && *hosts; hosts++)
        all += each + 1;
    return all;
}

struct dbk_server_options serve_server_options(const struct serving *serving)
{
    const struct config *config = serving->tool->config;

    return (struct dbk_server_options){
        .address = config_text(config, SETTING_HOST),
        .port = (unsigned)config_number(config, SETTING_PORT),
        .tokens_dir = config_text(config, SETTING_DATA_DIR),
        .require_tokens = config_boolean(config, SETTING_REQUIRE_TOKENS),
        .audit_public = config_boolean(config, SETTING_AUDIT_PUBLIC),
        .trusted_proxy = config_text(config, SETTING_TRUSTED_PROXY),
        .threads = (unsigned)config_number(config, SETTING_HTTP_THREADS),
        .address_connections_max =
            (unsigned)config_number(config, SETTING_ADDRESS_CONNECTIONS_MAX),
        .body_max = (size_t)config_number(config, SETTING_BODY_MAX),
        .batch_body_max = (size_t)config_number(config, SETTING_BATCH_BODY_MAX),
        .bodies_max = (size_t)config_number(config, SETTING_BODIES_MAX),
        .batch_items_max = (unsigned)config_number(config, SETTING_BATCH_ITEMS_MAX),
        .lag_max_ms = (int)config_number(config, SETTING_LAG_MAX),
        .ready_lag_ms = (int)config_number(config, SETTING_READY_LAG),
        .read_wait_ms = (int)config_number(config, SETTING_READ_WAIT),
        .request_timeout_ms = (int)config_number(config, SETTING_REQUEST_TIMEOUT),
        .idempotency_keep_us =
            config_number(config, SETTING_IDEMPOTENCY_DAYS) * INT64_C(86400) * 1000000,
        .retention_us =
            config_number(config, SETTING_RETENTION) * INT64_C(86400) * 1000000,
        .event_types = config_list(config, SETTING_EVENT_TYPES),
        .cors_origins = config_list(config, SETTING_CORS_ORIGINS),
        .show_error_details = config_error_details(config),
        .membership = serving->joins ? &serving->membership : NULL,
        .history = serving->history,
        .notary = serving->notary,
        .streams_max = (unsigned)config_number(config, SETTING_STREAMS_MAX),
        .database_connections = read_connections(config),
        .database = &serving->database.at,
        .tables_full = serving->database.cluster ? is_full : NULL,
        .tables_full_context = serving->database.cluster,
        .backups = backups_known,
        .backups_context = (void *)(uintptr_t)serving,
        .bound = give_up_port_right,
        .access = serve_report_access,
        .access_context = serving_logger(serving),
        .report = serve_report_trouble,
        .notice = serve_report_notice,
        .report_context = serving_logger(serving),
    };
}
