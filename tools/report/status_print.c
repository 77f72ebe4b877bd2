#include "status_print.h"

#include "escape.h"
#include "plural.h"

#include <inttypes.h>
#include <stdio.h>

/* The tables may be ahead of what was read of the log a moment before. */
uint64_t status_lag(const struct status *status)
{
    uint64_t head = status->log.head, projected = status->tables.projected;

    return head > projected ? head - projected : 0;
}

static void print_server(const struct server_look *server)
{
    if (!server->found)
        return;
    printf("%-13s %s", "server", server->status == 200 ? "well" : "not well: ");
    if (server->status != 200)
        escape_plain(stdout, dbk_slice(server->details));
    putchar('\n');
}

/* Its place is the file's; what it does there its server says, where one runs. */
static void print_member(const struct status *status)
{
    const struct server_look *server = &status->server;

    if (!status->member)
        return;
    printf("%-13s of a cluster, at message %" PRId64 ", epoch %" PRId64, "member",
           status->place.next, status->place.epoch);
    if (*server->state) {
        fputs("; ", stdout);
        escape_plain(stdout, dbk_slice(server->state));
    }
    if (*server->leader) {
        fputs("; the leader is ", stdout);
        escape_plain(stdout, dbk_slice(server->leader));
    }
    putchar('\n');
}

static void print_count(const char *name, uint64_t count)
{
    printf("%-13s %" PRIu64 "\n", name, count);
}

static void write_bytes(uint64_t bytes, char *out, size_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes;
    size_t unit = 0;

    for (; amount >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        amount /= 1024;
    snprintf(out, size, "%.*f %s", unit ? 1 : 0, amount, units[unit]);
}

static void print_bytes(const char *name, uint64_t bytes)
{
    char text[64];

    write_bytes(bytes, text, sizeof text);
    printf("%-13s %s\n", name, text);
}

/* Where the private cluster takes room, whether it runs or not. */
static void print_cluster(const struct dbk_cluster_size *cluster)
{
    char bytes[64], wal[64];

    if (cluster->bytes > 0) {
        write_bytes(cluster->bytes, bytes, sizeof bytes);
        write_bytes(cluster->wal_bytes, wal, sizeof wal);
        printf("%-13s %s, of which %s write-ahead log, ", "cluster", bytes, wal);
        escape_plain(stdout, dbk_slice(cluster->dir));
        putchar('\n');
    }
    if (cluster->aside_bytes > 0)
        print_bytes("set aside", cluster->aside_bytes);
}

static const char *kind_of(const struct dbk_side_schema *schema)
{
    switch (schema->kind) {
    case DBK_SIDE_KEPT:
        return "kept tables";
    case DBK_SIDE_SHADOW:
        return schema->held ? "being built" : "left behind";
    case DBK_SIDE_REPLAY:
        break;
    }
    return "replay";
}

static void print_schemas(const struct status *status)
{
    for (size_t i = 0; i < status->schema_count; i++) {
        const struct status_schema *schema = &status->schemas[i];
        bool droppable = schema->is.kind == DBK_SIDE_KEPT ||
                         (schema->is.kind == DBK_SIDE_SHADOW && !schema->is.held);
        char bytes[64] = "in use";

        if (schema->is.has_bytes)
            write_bytes(schema->is.bytes, bytes, sizeof bytes);
        printf("%-13s %s, schema %s%s\n", kind_of(&schema->is), bytes, schema->name,
               droppable ? "; daybook rebuild --drop-old drops it" : "");
    }
}

static void print_quarantined(const struct status_quarantined *one)
{
    fputs("  ", stdout);
    if (*one->anonymous_id)
        fputs("anonymous id ", stdout);
    escape_plain(stdout, dbk_slice(*one->person         ? one->person
                                   : *one->anonymous_id ? one->anonymous_id
                                                        : "(unreadable)"));
    printf("  from record %" PRIu64 ", since %s: ", one->sequence, one->at);
    escape_plain(stdout, dbk_slice(one->reason));
    putchar('\n');
}

static void print_tables(const struct status *status)
{
    if (!status->asked) {
        printf("%-13s %s\n", "read tables", status->why_not);
        return;
    }
    if (status->foreign) {
        printf("%-13s ", "not ours");
        escape_plain(stdout, dbk_slice(status->why_foreign));
        putchar('\n');
        return;
    }
    if (status->tables.read_only)
        printf("%-13s is read-only (a standby, or default_transaction_read_only): the "
               "tables fall behind\n",
               "PostgreSQL");
    print_count("projected", status->tables.projected);
    print_count("lag", status_lag(status));
    print_count("persons", status->tables.persons);
    printf("%-13s %s%" PRIu64 "\n", "events",
           status->tables.events_exact ? "" : "about ", status->tables.events);
    print_bytes("read tables", status->tables.table_bytes);
    if (status->tables.held && *status->tables.holder) {
        printf("%-13s ", "posted by");
        escape_plain(stdout, dbk_slice(status->tables.holder));
        putchar('\n');
    }
    print_count("quarantined", status->tables.quarantined);
    for (size_t i = 0; i < status->quarantine_count; i++)
        print_quarantined(&status->quarantine[i]);
}

static void print_backup(const struct status *status)
{
    const struct backup_last *last = &status->backup;
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (last->head == 0) {
        printf("%-13s no backup known: daybook backup makes one\n", "last backup");
        return;
    }
    dbk_timestamp_format(last->at, at);
    printf("%-13s %.19s, ", "last backup", at);
    if (!dbk_uuid_equal(&last->store_id, &status->log.store_id))
        fputs("of another log, ", stdout);
    else if (status->log.head >= last->head)
        printf("%" PRIu64 " records ago, ", status->log.head - last->head);
    else
        printf("of record %" PRIu64 ", which the log does not have, ", last->head);
    escape_plain(stdout, dbk_slice(last->path));
    putchar('\n');
}

static void print_warning(void *context, const char *sentence)
{
    (void)context;
    printf("%-13s ", "warning");
    escape_plain(stdout, dbk_slice(sentence));
    putchar('\n');
}

static void print_keys(const struct keys_look *keys)
{
    if (!keys->sealed) {
        printf("%-13s none: the log is not sealed, so nobody can be erased from it "
               "(daybook reseal)\n",
               "keys");
        return;
    }
    if (*keys->error) {
        printf("%-13s trouble: ", "keys");
        escape_plain(stdout, dbk_slice(keys->error));
        putchar('\n');
        return;
    }
    printf("%-13s %" PRIu64 " used, epoch %" PRIu64 "%s%.19s\n", "keys", keys->used,
           keys->state.epoch, *keys->copied_at ? "; newest copy " : "",
           keys->copied_at);
    keys_look_warn(keys, print_warning, NULL);
}

static void print_witnesses(const struct dbk_witnesses *witnesses)
{
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct dbk_witness_state *one = &witnesses->list[i];

        printf("%-13s ", i == 0 ? "witnesses" : "");
        escape_plain(stdout, dbk_slice(one->name));
        printf(" %s, %" PRIu64 " records%s", dbk_witness_verdict_name(one->verdict),
               one->size, *one->why ? ": " : "");
        escape_plain(stdout, dbk_slice(one->why));
        putchar('\n');
    }
}

static void print_audit(const struct status *status)
{
    const struct audit_look *audit = &status->audit;
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (!audit->found)
        return;
    if (*audit->error) {
        printf("%-13s trouble: ", "signed");
        escape_plain(stdout, dbk_slice(audit->error));
        putchar('\n');
        print_witnesses(&audit->witnesses);
        return;
    }
    dbk_timestamp_format(audit->at, at);
    printf("%-13s %.19s, %" PRIu64 " records ago, as ", "signed", at,
           status->log.head > audit->size ? status->log.head - audit->size : 0);
    escape_plain(stdout, dbk_slice(audit->origin));
    putchar('\n');
    print_witnesses(&audit->witnesses);
}

static void print_leftovers(const struct status *status)
{
    char bytes[64];

    for (size_t i = 0; i < status->leftovers.count; i++) {
        const struct leftover *one = &status->leftovers.list[i];

        if (one->in_use)
            continue;
        write_bytes(one->bytes, bytes, sizeof bytes);
        printf("%-13s %s, ", "left behind", bytes);
        escape_plain(stdout, dbk_slice(one->path));
        puts("; daybook clean removes it");
    }
}

static void print_expired(const struct status *status)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (status->expired == 0)
        return;
    dbk_timestamp_format(status->expired_at, at);
    printf("%-13s up to record %" PRIu64 ", of %s\n", "expired", status->expired, at);
}

static void print_due(const struct dbk_log_due *due)
{
    char before[DBK_MONTH_TEXT + 1];

    if (!*due->why)
        return;
    dbk_month_format(due->before, before);
    printf("%-13s %s to forget, and it waits: %s.\n%-13s If the clock is right, "
           "daybook events expire --before %s does it\n",
           "retention", plural(due->months, "months").text, due->why, "", before);
}

void status_print_text(const struct status *status)
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&status->log.store_id, id);
    printf("%-13s %s\n", "store id", id);
    print_count("head", status->log.head);
    print_expired(status);
    print_due(&status->due);
    print_bytes("log file", status->log.file_bytes);
    print_bytes("free disk", status->log.free_bytes);
    print_cluster(&status->cluster);
    print_backup(status);
    print_audit(status);
    print_keys(&status->keys);
    if (*status->postgres)
        printf("%-13s %s\n", "postgres", status->postgres);
    print_server(&status->server);
    print_member(status);
    print_tables(status);
    print_schemas(status);
    print_leftovers(status);
}
