/* The settings, an entry each, whose first line has its name: enum setting is made of
 * those. docs/settings.md and .env.sample are held against this table. */
#include "config.h"
#include "projections/cluster.h"

#include <string.h>

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND INT64_C(1000)

/* clang-format off */
const struct config_entry config_table[SETTING_COUNT] = {
    {.name = "DATA_DIR", .flag = "--data-dir", .fallback = "./data",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATA, .min = 1, .max = 3072,
     .help = "Directory of the log and of the private PostgreSQL"},
    {.name = "CLUSTER_DIR", .flag = "--cluster-dir", .fallback = "",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATA, .max = 3072,
     .help = "Directory of the private PostgreSQL, on another disk say; empty: DATA_DIR"},
    {.name = "RUN_AS", .flag = "--run-as", .fallback = "",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATA, .max = 32,
     .help = "User to become where root starts it; empty: the owner of DATA_DIR"},
    {.name = "LOG_LEVEL", .flag = "--log-level", .fallback = "info",
     .kind = CONFIG_CHOICE, .group = CONFIG_GROUP_DATA,
     .choices = "error, warn, info, debug",
     .help = "What is logged to stderr; each request is at info"},
    {.name = "LOG_FORMAT", .flag = "--log-format", .fallback = "text",
     .kind = CONFIG_CHOICE, .group = CONFIG_GROUP_DATA, .choices = "text, json",
     .help = "Lines for people, or a JSON object a line"},
    {.name = "HOST", .flag = "--host", .fallback = "127.0.0.1",
     .kind = CONFIG_ADDRESS, .group = CONFIG_GROUP_SERVE,
     .help = "Address to listen on; one that others can reach needs access tokens"},
    {.name = "PORT", .flag = "--port", .fallback = "8080",
     .kind = CONFIG_PORT, .group = CONFIG_GROUP_SERVE, .min = 0, .max = 65535,
     .help = "Port to listen on; 0 takes any free one and logs which"},
    {.name = "REQUIRE_TOKENS", .flag = "--require-tokens", .fallback = "false",
     .kind = CONFIG_BOOLEAN, .group = CONFIG_GROUP_SERVE,
     .help = "Ask for an access token also while there is none, and so let nobody in"},
    {.name = "TRUSTED_PROXY", .flag = "--trusted-proxy", .fallback = "",
     .kind = CONFIG_PEER, .group = CONFIG_GROUP_SERVE,
     .help = "Address of a proxy whose X-Forwarded-For is believed"},
    {.name = "HTTP_THREADS", .flag = "--http-threads", .fallback = "256",
     .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE, .min = 2, .max = 4096,
     .help = "Connections served at once"},
    {.name = "ADDRESS_CONNECTIONS_MAX", .flag = "--address-connections-max",
     .fallback = "192", .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE,
     .min = 0, .max = 4096,
     .help = "Connections one address keeps while others wait; 0: any"},
    {.name = "STREAMS_MAX", .flag = "--streams-max", .fallback = "256",
     .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE, .min = 0, .max = 4096,
     .help = "Streams of the log, and requests that wait for it, open at once"},
    {.name = "BODY_MAX", .flag = "--body-max", .fallback = "1 MiB",
     .kind = CONFIG_SIZE, .group = CONFIG_GROUP_SERVE, .min = KIB, .max = GIB,
     .help = "Largest body of a request"},
    {.name = "BATCH_BODY_MAX", .flag = "--batch-body-max", .fallback = "8 MiB",
     .kind = CONFIG_SIZE, .group = CONFIG_GROUP_SERVE, .min = KIB, .max = GIB,
     .help = "Largest body of POST /events/batch"},
    {.name = "BATCH_ITEMS_MAX", .flag = "--batch-items-max", .fallback = "10000",
     .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE, .min = 1, .max = 1000000,
     .help = "Most items in one POST /events/batch"},
    {.name = "BODIES_MAX", .flag = "--bodies-max", .fallback = "256 MiB",
     .kind = CONFIG_SIZE, .group = CONFIG_GROUP_SERVE, .min = MIB, .max = 1024 * GIB,
     .help = "Memory for all bodies under way; beyond it 503"},
    {.name = "REQUEST_TIMEOUT", .flag = "--request-timeout", .fallback = "30",
     .kind = CONFIG_SECONDS, .group = CONFIG_GROUP_SERVE,
     .min = SECOND / 10, .max = 3600 * SECOND,
     .help = "Seconds in which a whole request must arrive"},
    {.name = "READ_WAIT", .flag = "--read-wait", .fallback = "5",
     .kind = CONFIG_SECONDS, .group = CONFIG_GROUP_SERVE,
     .min = 0, .max = 60 * SECOND,
     .help = "Seconds a read waits for what was written before it"},
    {.name = "LAG_MAX", .flag = "--lag-max", .fallback = "30",
     .kind = CONFIG_SECONDS, .group = CONFIG_GROUP_SERVE,
     .min = SECOND, .max = 86400 * SECOND,
     .help = "Seconds the read tables may be behind before GET /health is 503"},
    {.name = "READY_LAG", .flag = "--ready-lag", .fallback = "30",
     .kind = CONFIG_SECONDS, .group = CONFIG_GROUP_SERVE,
     .min = SECOND, .max = 86400 * SECOND,
     .help = "Seconds they may be behind before GET /health/ready is 503"},
    {.name = "QUERY_TIMEOUT", .flag = "--query-timeout", .fallback = "10",
     .kind = CONFIG_SECONDS, .group = CONFIG_GROUP_SERVE,
     .min = SECOND / 10, .max = 600 * SECOND,
     .help = "Seconds a query of the read tables may take"},
    {.name = "IDEMPOTENCY_DAYS", .flag = "--idempotency-days", .fallback = "7",
     .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE, .min = 1, .max = 3650,
     .help = "Days an Idempotency-Key is remembered"},
    {.name = "EVENT_TYPES", .flag = "--event-types", .fallback = "",
     .kind = CONFIG_LIST, .group = CONFIG_GROUP_EVENTS, .min = 1, .max = 200,
     .help = "Event types to accept, separated by commas; empty accepts any"},
    {.name = "CORS_ORIGINS", .flag = "--cors-origins", .fallback = "",
     .kind = CONFIG_ORIGINS, .group = CONFIG_GROUP_SERVE, .min = 1, .max = 256,
     .help = "Sites whose pages may call, as https://name, separated by commas"},
    {.name = "ENVIRONMENT", .flag = "--environment", .fallback = "local",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_SERVE, .min = 1, .max = 64,
     .help = "Name of this installation"},
    {.name = "SHOW_ERROR_DETAILS", .flag = "--show-error-details",
     .fallback = "false", .kind = CONFIG_BOOLEAN, .group = CONFIG_GROUP_SERVE,
     .help = "Tell clients the inner cause of a 5xx; only where ENVIRONMENT is local"},
    {.name = "DB_HOST", .flag = "--db-host", .fallback = "",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATABASE, .max = 1024,
     .help = "PostgreSQL for the read tables; empty runs a private one"},
    {.name = "DB_PORT", .flag = "--db-port", .fallback = "5432",
     .kind = CONFIG_PORT, .group = CONFIG_GROUP_DATABASE, .min = 1, .max = 65535,
     .help = "Its port"},
    {.name = "DB_NAME", .flag = "--db-name", .fallback = "postgres",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATABASE, .min = 1, .max = 63,
     .help = "Its database"},
    {.name = "DB_USER", .flag = "--db-user", .fallback = "postgres",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATABASE, .min = 1, .max = 63,
     .help = "Its user"},
    {.name = "DB_PASS", .flag = NULL, .fallback = "",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATABASE, .max = 1024, .secret = true,
     .help = "The user's password; no flag, for others could read it in ps"},
    {.name = "DB_SCHEMA", .flag = "--db-schema", .fallback = "daybook",
     .kind = CONFIG_TEXT, .group = CONFIG_GROUP_DATABASE, .min = 1, .max = 63,
     .help = "Schema of the read tables"},
    {.name = "DB_CONNECTIONS", .flag = "--db-connections", .fallback = "8",
     .kind = CONFIG_INTEGER, .group = CONFIG_GROUP_SERVE, .min = 1,
     .max = DBK_CLUSTER_READS_MAX, .help = "Connections that reads share"},
    {.name = "READ_HOSTS", .flag = "--read-hosts", .fallback = "",
     .kind = CONFIG_HOSTS, .group = CONFIG_GROUP_SERVE, .max = 255,
     .help = "Streaming replicas of DB_HOST that reads go round, as host[:port], separated by commas"},
};
/* clang-format on */

enum setting config_find_flag(const char *flag, size_t length)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *known = config_table[i].flag;

        if (known && strlen(known) == length && !memcmp(known, flag, length))
            return (enum setting)i;
    }
    return SETTING_COUNT;
}
