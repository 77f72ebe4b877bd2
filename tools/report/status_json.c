#include "status_print.h"

#include "escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_json_server(const struct server_look *server)
{
    fputs(",\"server\":", stdout);
    if (!server->found) {
        fputs("null", stdout);
        return;
    }
    printf("{\"health\":%d,\"details\":", server->status);
    escape_string(stdout, server->details);
    putchar('}');
}

static void print_json_text(const char *key, const char *text)
{
    printf(",\"%s\":", key);
    if (*text)
        escape_string(stdout, text);
    else
        fputs("null", stdout);
}

static void print_json_member(const struct status *status)
{
    const struct server_look *server = &status->server;

    if (!status->member) {
        fputs(",\"member\":null", stdout);
        return;
    }
    printf(",\"member\":{\"next\":%" PRId64 ",\"epoch\":%" PRId64 ",\"leads\":%s",
           status->place.next, status->place.epoch,
           !strcmp(server->state, "leads") ? "true" : "false");
    print_json_text("state", server->state);
    print_json_text("leader", server->leader);
    putchar('}');
}

static void print_json_quarantine(const struct status *status)
{
    fputs(",\"quarantine\":[", stdout);
    for (size_t i = 0; i < status->quarantine_count; i++) {
        const struct status_quarantined *one = &status->quarantine[i];

        printf("%s{\"person_id\":", i ? "," : "");
        if (*one->person)
            escape_string(stdout, one->person);
        else
            fputs("null", stdout);
        fputs(",\"anonymous_id\":", stdout);
        if (*one->anonymous_id)
            escape_string(stdout, one->anonymous_id);
        else
            fputs("null", stdout);
        printf(",\"sequence\":%" PRIu64 ",\"reason\":", one->sequence);
        escape_string(stdout, one->reason);
        fputs(",\"quarantined_at\":", stdout);
        escape_string(stdout, one->at);
        putchar('}');
    }
    putchar(']');
}

static void print_json_tables(const struct status *status)
{
    const struct dbk_tables_state *tables = &status->tables;

    if (!status->asked) {
        fputs(",\"projected\":null,\"lag\":null,\"quarantined\":null,\"tables\":null,"
              "\"tables_error\":",
              stdout);
        escape_string(stdout, status->why_not);
        print_json_quarantine(status);
        return;
    }
    printf(",\"projected\":%" PRIu64 ",\"lag\":%" PRIu64 ",\"quarantined\":%" PRIu64
           ",\"tables\":{\"foreign\":%s,\"persons\":%" PRIu64 ",\"events\":%" PRIu64
           ",\"events_exact\":%s,\"bytes\":%" PRIu64 ",\"read_only\":%s",
           tables->projected, status_lag(status), tables->quarantined,
           status->foreign ? "true" : "false", tables->persons, tables->events,
           tables->events_exact ? "true" : "false", tables->table_bytes,
           tables->read_only ? "true" : "false");
    fputs(",\"why_foreign\":", stdout);
    if (status->foreign)
        escape_string(stdout, status->why_foreign);
    else
        fputs("null", stdout);
    fputs(",\"posted_by\":", stdout);
    if (tables->held && *tables->holder)
        escape_string(stdout, tables->holder);
    else
        fputs("null", stdout);
    fputs("},\"tables_error\":null", stdout);
    print_json_quarantine(status);
}

static void print_json_schemas(const struct status *status)
{
    static const char *const kinds[] = {[DBK_SIDE_KEPT] = "kept",
                                        [DBK_SIDE_SHADOW] = "shadow",
                                        [DBK_SIDE_REPLAY] = "replay"};

    fputs(",\"postgres\":", stdout);
    if (*status->postgres)
        escape_string(stdout, status->postgres);
    else
        fputs("null", stdout);
    fputs(",\"schemas\":[", stdout);
    for (size_t i = 0; i < status->schema_count; i++) {
        const struct status_schema *schema = &status->schemas[i];

        printf("%s{\"name\":", i ? "," : "");
        escape_string(stdout, schema->name);
        printf(",\"kind\":\"%s\",\"in_use\":%s,\"bytes\":", kinds[schema->is.kind],
               schema->is.held ? "true" : "false");
        if (schema->is.has_bytes)
            printf("%" PRIu64 "}", schema->is.bytes);
        else
            fputs("null}", stdout);
    }
    putchar(']');
}

static void print_json_backup(const struct status *status)
{
    const struct backup_last *last = &status->backup;
    char at[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];

    if (last->head == 0) {
        fputs(",\"last_backup\":null", stdout);
        return;
    }
    dbk_timestamp_format(last->at, at);
    dbk_uuid_format(&last->store_id, id);
    printf(",\"last_backup\":{\"head\":%" PRIu64
           ",\"at\":\"%s\",\"store_id\":\"%s\",\"path\":",
           last->head, at, id);
    escape_string(stdout, last->path);
    putchar('}');
}

static void print_json_keys(const struct keys_look *keys)
{
    if (!keys->sealed) {
        fputs(",\"keys\":null", stdout);
        return;
    }
    printf(",\"keys\":{\"used\":%" PRIu64 ",\"epoch\":%" PRIu64, keys->used,
           keys->state.epoch);
    print_json_text("copied_at", keys->copied_at);
    print_json_text("error", keys->error);
    fputs(",\"warnings\":", stdout);
    keys_look_print_warnings(keys, stdout);
    putchar('}');
}

static void print_json_witnesses(const struct dbk_witnesses *witnesses)
{
    fputs(",\"witnesses\":[", stdout);
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct dbk_witness_state *one = &witnesses->list[i];

        fputs(i == 0 ? "{\"name\":" : ",{\"name\":", stdout);
        escape_string(stdout, one->name);
        printf(",\"state\":\"%s\",\"records\":%" PRIu64,
               dbk_witness_verdict_name(one->verdict), one->size);
        fputs(",\"why\":", stdout);
        escape_string(stdout, one->why);
        putchar('}');
    }
    putchar(']');
}

static void print_json_audit(const struct status *status)
{
    const struct audit_look *audit = &status->audit;
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (!audit->found) {
        fputs(",\"audit\":null", stdout);
        return;
    }
    dbk_timestamp_format(audit->at, at);
    fputs(",\"audit\":{\"origin\":", stdout);
    escape_string(stdout, audit->origin);
    printf(",\"signed\":%" PRIu64 ",\"signed_at\":\"%s\",\"lag\":%" PRIu64, audit->size,
           at, status->log.head > audit->size ? status->log.head - audit->size : 0);
    print_json_text("error", audit->error);
    print_json_witnesses(&audit->witnesses);
    putchar('}');
}

static void print_json_leftovers(const struct status *status)
{
    const char *comma = "";

    fputs(",\"leftovers\":[", stdout);
    for (size_t i = 0; i < status->leftovers.count; i++) {
        const struct leftover *one = &status->leftovers.list[i];

        if (one->in_use)
            continue;
        printf("%s{\"path\":", comma);
        escape_string(stdout, one->path);
        printf(",\"bytes\":%" PRIu64 "}", one->bytes);
        comma = ",";
    }
    putchar(']');
}

/* bytes: with everything, wal_bytes of them for the write-ahead log. */
static void print_json_cluster(const struct dbk_cluster_size *cluster)
{
    fputs(",\"cluster\":", stdout);
    if (!*cluster->dir) {
        fputs("null", stdout);
        return;
    }
    fputs("{\"dir\":", stdout);
    escape_string(stdout, cluster->dir);
    printf(",\"bytes\":%" PRIu64 ",\"wal_bytes\":%" PRIu64 ",\"aside_bytes\":%" PRIu64
           "}",
           cluster->bytes, cluster->wal_bytes, cluster->aside_bytes);
}

static void print_json_expired(const struct status *status)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (status->expired == 0) {
        fputs(",\"expired\":null", stdout);
        return;
    }
    dbk_timestamp_format(status->expired_at, at);
    printf(",\"expired\":{\"through\":%" PRIu64 ",\"at\":\"%s\"}", status->expired, at);
}

static void print_json_due(const struct dbk_log_due *due)
{
    char oldest[DBK_MONTH_TEXT + 1], before[DBK_MONTH_TEXT + 1];

    if (!*due->why) {
        fputs(",\"expiry_waits\":null", stdout);
        return;
    }
    dbk_month_format(due->oldest, oldest);
    dbk_month_format(due->before, before);
    printf(",\"expiry_waits\":{\"months\":%" PRIu64
           ",\"oldest\":\"%s\",\"before\":\"%s\",\"through\":%" PRIu64 ",\"why\":",
           due->months, oldest, before, due->through);
    escape_string(stdout, due->why);
    putchar('}');
}

void status_print_json(const struct status *status)
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&status->log.store_id, id);
    printf("{\"store_id\":\"%s\",\"head\":%" PRIu64 ",\"log\":{\"persons\":%" PRIu64
           ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 "},\"free_bytes\":%" PRIu64,
           id, status->log.head, status->log.persons, status->log.events,
           status->log.file_bytes, status->log.free_bytes);
    print_json_expired(status);
    print_json_due(&status->due);
    print_json_backup(status);
    print_json_audit(status);
    print_json_keys(&status->keys);
    print_json_server(&status->server);
    print_json_member(status);
    print_json_tables(status);
    print_json_schemas(status);
    print_json_cluster(&status->cluster);
    print_json_leftovers(status);
    puts("}");
}
