#include "routes.h"

#include "handlers.h"
#include "http/tokens.h"
#include "store/metrics.h"

#include <assert.h>
#include <string.h>

enum {
    PUBLIC = 0,
    READ = DBK_SCOPE_READ,
    WRITE = DBK_SCOPE_WRITE,
    AUDIT = DBK_SCOPE_AUDIT,
    ADMIN = DBK_SCOPE_ADMIN,
    METRICS = DBK_SCOPE_METRICS,
    DELETE = DBK_SCOPE_WRITE | DBK_SCOPE_ERASE, /* which of them, the handler says */
    RECEIPT = DBK_SCOPE_AUDIT | DBK_SCOPE_ERASE,
    APPEND = DBK_SCOPE_WRITE | DBK_SCOPE_INGEST,
    LEARN = DBK_SCOPE_READ | DBK_SCOPE_WRITE | DBK_SCOPE_AUDIT | DBK_SCOPE_METRICS |
            DBK_SCOPE_ERASE,
};

static const char *const none[] = {NULL};
static const char *const times[] = {"timestamps", NULL};
static const char *const append[] = {"key", NULL}; /* authorize.h takes it */
static const char *const append_one[] = {"key", "timestamps", NULL};
static const char *const append_event[] = {"key", "include", "timestamps", NULL};
static const char *const event[] = {"fields", "include", "timestamps", NULL};
static const char *const persons[] = {
    "q",     "email", "external_id",  "anonymous_id", "properties", "limit", "after",
    "order", "count", "events_limit", "fields",       "timestamps", NULL};
static const char *const person[] = {"events_limit", "fields", "timestamps", NULL};
static const char *const events[] = {
    "keyword", "person_id",  "email",      "external_id", "anonymous_id", "since",
    "until",   "properties", "limit",      "after",       "order",        "count",
    "fields",  "include",    "timestamps", NULL};
static const char *const page[] = {"limit", "after", "timestamps", NULL};
static const char *const stats[] = {"by", "type",   "person_id", "since",      "until",
                                    "tz", "unique", "group",     "timestamps", NULL};
static const char *const types[] = {"limit", "timestamps", NULL};
static const char *const funnel[] = {"steps", "within", "since", "until", NULL};
static const char *const retention[] = {"first", "then", "by",         "since",
                                        "until", "tz",   "timestamps", NULL};
static const char *const erase[] = {"erase", "timestamps", NULL};
static const char *const log_page[] = {"limit", "after", "wait", "timestamps", NULL};
static const char *const log_stream[] = {
    "after", "type", "person_id", "event_type", "timestamps", "format", NULL};

const struct route routes[] = {
    {"GET", "/", BODY_NONE, PUBLIC, none, handle_index},
    {"GET", "/console", BODY_NONE, PUBLIC, none, handle_console},
    {"GET", "/console/{file}", BODY_NONE, PUBLIC, none, handle_console_file},
    {"GET", "/admin/backups", BODY_NONE, ADMIN, times, handle_get_backups},
    {"GET", "/admin/cluster", BODY_NONE, ADMIN, times, handle_get_cluster},
    {"POST", "/admin/cluster/hand-over", BODY_JSON, ADMIN, none, handle_post_hand_over},
    {"GET", "/admin/quarantine", BODY_NONE, ADMIN, page, handle_list_quarantine},
    {"POST", "/admin/quarantine/retry", BODY_NONE, ADMIN, none,
     handle_retry_quarantine},
    {"GET", "/admin/rebuild", BODY_NONE, ADMIN, times, handle_get_rebuild},
    {"POST", "/admin/rebuild", BODY_OPTIONAL, ADMIN, times, handle_post_rebuild},
    {"DELETE", "/admin/rebuild", BODY_NONE, ADMIN, times, handle_delete_rebuild},
    {"GET", "/admin/tokens", BODY_NONE, ADMIN, times, handle_list_tokens},
    {"POST", "/admin/tokens", BODY_JSON, ADMIN, times, handle_post_token},
    {"DELETE", "/admin/tokens/{name}", BODY_NONE, ADMIN, none, handle_delete_token},
    {"GET", "/checkpoint", BODY_NONE, AUDIT, none, handle_checkpoint},
    {"GET", "/docs", BODY_NONE, PUBLIC, none, handle_docs},
    {"GET", "/docs/{file}", BODY_NONE, PUBLIC, none, handle_docs_file},
    {"GET", "/events", BODY_NONE, READ, events, handle_list_events},
    {"POST", "/events", BODY_JSON, APPEND, append_event, handle_post_event},
    {"POST", "/events/batch", BODY_BATCH, APPEND, append, handle_post_batch},
    {"GET", "/events/funnel", BODY_NONE, READ, funnel, handle_funnel},
    {"GET", "/events/retention", BODY_NONE, READ, retention, handle_retention},
    {"GET", "/events/stats", BODY_NONE, READ, stats, handle_stats},
    {"GET", "/events/types", BODY_NONE, READ, types, handle_types},
    {"GET", "/events/{id}", BODY_NONE, READ, event, handle_get_event},
    {"POST", "/events/{id}", BODY_JSON, APPEND, append_event, handle_post_event_at},
    {"DELETE", "/events/{id}", BODY_OPTIONAL, WRITE, none, handle_delete_event},
    {"GET", "/health", BODY_NONE, PUBLIC, none, handle_health},
    {"GET", "/health/leader", BODY_NONE, PUBLIC, none, handle_health_leader},
    {"GET", "/health/live", BODY_NONE, PUBLIC, none, handle_health_live},
    {"GET", "/health/ready", BODY_NONE, PUBLIC, none, handle_health_ready},
    {"GET", "/log", BODY_NONE, AUDIT, log_page, handle_list_log},
    {"GET", "/log/stream", BODY_NONE, AUDIT, log_stream, handle_stream},
    {"GET", "/log/{sequence}", BODY_NONE, AUDIT, times, handle_get_record},
    {"GET", "/log/{sequence}/proof", BODY_NONE, AUDIT, none, handle_get_proof},
    {"GET", "/metrics", BODY_NONE, METRICS, none, handle_metrics},
    {"GET", "/openapi.json", BODY_NONE, PUBLIC, none, handle_openapi},
    {"GET", "/persons", BODY_NONE, READ, persons, handle_list_persons},
    {"POST", "/persons", BODY_JSON, WRITE, times, handle_post_person},
    {"GET", "/persons/{id}", BODY_NONE, READ, person, handle_get_person},
    {"PUT", "/persons/{id}", BODY_JSON, WRITE, times, handle_put_person},
    {"PATCH", "/persons/{id}", BODY_PATCH, WRITE, times, handle_patch_person},
    {"DELETE", "/persons/{id}", BODY_OPTIONAL, DELETE, erase, handle_delete_person},
    {"GET", "/persons/{id}/aliases", BODY_NONE, READ, times, handle_list_aliases},
    {"POST", "/persons/{id}/aliases", BODY_JSON, APPEND, append_one, handle_post_alias},
    {"DELETE", "/persons/{id}/aliases/{anonymous_id}", BODY_NONE, WRITE, none,
     handle_delete_alias},
    {"GET", "/persons/{id}/export", BODY_NONE, ADMIN, times, handle_person_export},
    {"GET", "/persons/{id}/history", BODY_NONE, AUDIT, page, handle_person_history},
    {"GET", "/persons/{id}/receipt", BODY_NONE, RECEIPT, times, handle_get_receipt},
    {"GET", "/persons/{id}/restriction", BODY_NONE, ADMIN, times,
     handle_get_restriction},
    {"POST", "/persons/{id}/restriction", BODY_NONE, ADMIN, times,
     handle_post_restriction},
    {"DELETE", "/persons/{id}/restriction", BODY_NONE, ADMIN, none,
     handle_delete_restriction},
    {"GET", "/persons/by/external_id/{value}", BODY_NONE, READ, person,
     handle_get_person_by},
    {"PUT", "/persons/by/external_id/{value}", BODY_JSON, WRITE, times,
     handle_put_person_by},
    {"PATCH", "/persons/by/external_id/{value}", BODY_PATCH, WRITE, times,
     handle_patch_person_by},
    {"DELETE", "/persons/by/external_id/{value}", BODY_OPTIONAL, DELETE, erase,
     handle_delete_person_by},
    {"GET", "/persons/by/external_id/{value}/aliases", BODY_NONE, READ, times,
     handle_list_aliases_by},
    {"POST", "/persons/by/external_id/{value}/aliases", BODY_JSON, APPEND, append_one,
     handle_post_alias_by},
    {"DELETE", "/persons/by/external_id/{value}/aliases/{anonymous_id}", BODY_NONE,
     WRITE, none, handle_delete_alias_by},
    {"GET", "/tile/{level}/{index}.p/{width}", BODY_NONE, AUDIT, none, handle_tile},
    {"GET", "/tile/{level}/{index}", BODY_NONE, AUDIT, none, handle_tile},
    {"GET", "/tokens/self", BODY_NONE, LEARN, none, handle_get_own_token},
};

static_assert(sizeof routes / sizeof *routes < DBK_METRIC_ROUTES, "each is counted");
const size_t routes_count = sizeof routes / sizeof *routes;

const char *routes_meant(const char *path)
{
    static const char *const habits[][2] = {
        {"/console/", "/console"},
        {"/docs/", "/docs"},
        {"/favicon.ico", "/docs/favicon-32x32.png"},
    };

    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        if (strcmp(path, habits[i][0]) == 0)
            return habits[i][1];
    }
    return path;
}
