/* daybook status - how far the log is, and how far the tables follow. */
#include "command.h"
#include "database_file.h"
#include "status_print.h"
#include "tool_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY (INT64_C(86400) * 1000000)
#define ROOM_MIN (UINT64_C(4) << 20) /* with less on the disk, it is full */

/* The record that it names is there, also where it says nothing any more. */
static enum dbk_code read_expired(struct dbk_log *log, struct status *status,
                                  struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;
    enum dbk_code code = dbk_log_expired(log, &status->expired, err);

    if (code == DBK_OK && status->expired > 0 &&
        dbk_log_record(log, status->expired, &batch, &record, NULL) == DBK_OK)
        status->expired_at = record.recorded_at;
    dbk_batch_finish(&batch);
    return code;
}

/* The log stays open, so that the tables can be held against it. */
static enum dbk_code read_log(const struct tool *tool, struct dbk_log **log,
                              struct status *status, struct dbk_error *err)
{
    const int64_t days = config_number(tool->config, SETTING_RETENTION);

    if (tool_log_open(tool, log, err) != DBK_OK)
        return err->code;
    if (dbk_log_stats(*log, &status->log, err) != DBK_OK)
        return err->code;
    if (read_expired(*log, status, err) != DBK_OK)
        return err->code;
    if (days > 0 && dbk_log_due(*log, dbk_timestamp_now() - days * DAY, &status->due,
                                err) != DBK_OK)
        return err->code;
    status->member = dbk_log_place(*log, &status->place, err) == DBK_OK;
    return DBK_OK;
}

static void add_quarantined(void *context, const struct dbk_quarantined *one)
{
    struct status *status = context;
    struct status_quarantined *to;

    if (status->quarantine_count == STATUS_QUARANTINE_MAX)
        return;
    to = &status->quarantine[status->quarantine_count++];
    if (one->has_person)
        dbk_uuid_format(&one->person_id, to->person);
    snprintf(to->anonymous_id, sizeof to->anonymous_id, "%s", one->anonymous_id);
    to->sequence = one->sequence;
    snprintf(to->reason, sizeof to->reason, "%s", one->reason);
    snprintf(to->at, sizeof to->at, "%s", one->quarantined_at);
}

static enum dbk_code read_tables(struct dbk_log *log,
                                 const struct dbk_database *database,
                                 struct status *status, struct dbk_error *err)
{
    enum dbk_code code = dbk_tables_read(database, &status->tables, err);

    if (code == DBK_OK)
        code = dbk_tables_check(log, &status->tables, err);
    status->foreign = code == DBK_UNSUPPORTED || code == DBK_BUSY;
    if (status->foreign)
        snprintf(status->why_foreign, sizeof status->why_foreign, "%s", err->text);
    else if (code != DBK_OK)
        return code;
    if (status->tables.quarantined == 0)
        return DBK_OK;
    return dbk_quarantine_list(database, 0, STATUS_QUARANTINE_MAX, add_quarantined,
                               status, err);
}

static void add_schema(void *context, const struct dbk_side_schema *one)
{
    struct status *status = context;
    struct status_schema *to;

    if (status->schema_count == STATUS_SCHEMAS_MAX)
        return;
    to = &status->schemas[status->schema_count++];
    snprintf(to->name, sizeof to->name, "%s", one->name);
    to->is = *one;
    to->is.name = NULL;
}

/* Where there are no tables, others may still be beside their place. */
static enum dbk_code read_all(struct dbk_log *log, const struct dbk_database *database,
                              struct status *status, struct dbk_error *err)
{
    enum dbk_code code = read_tables(log, database, status, err);
    struct dbk_error why;

    status->asked = code == DBK_OK;
    if (code != DBK_OK && code != DBK_NOT_FOUND)
        return code;
    if (database->host)
        snprintf(status->postgres, sizeof status->postgres, "%s", database->host);
    if (dbk_side_schemas(database, add_schema, status, &why) == DBK_OK)
        return code;
    *err = why;
    status->asked = false;
    return why.code;
}

/* A private cluster that does not run is not started for a question: the log's part is
 * the answer then, and no failure. */
static enum dbk_code ask_tables(const struct tool *tool, struct dbk_log *log,
                                struct status *status, struct dbk_error *err)
{
    struct tool_database database;
    enum dbk_code code =
        tool_database_open(tool, &status->log.store_id, true, &database, err);

    server_look(config_text(tool->config, SETTING_DATA_DIR), &status->server);
    if (code == DBK_OK) {
        code = read_all(log, &database.at, status, err);
        tool_database_close(&database);
    } else if (code == DBK_UNAVAILABLE) {
        dbk_fail(err, code, "not asked: the private PostgreSQL does not run");
        code = DBK_OK;
    }
    if (!status->asked)
        snprintf(status->why_not, sizeof status->why_not, "%s", err->text);
    return code;
}

static bool server_is_ill(const struct server_look *server)
{
    return server->found && server->status != 200;
}

/* A server says itself how it is; without one, what can be known from beside. */
static bool is_well(const struct status *status)
{
    return !server_is_ill(&status->server) && !status->foreign &&
           !status->tables.quarantined && !status->tables.read_only &&
           status->log.free_bytes >= ROOM_MIN && !*status->audit.error &&
           !*status->keys.error && !*status->due.why;
}

static enum tool_exit run_into(const struct tool *tool, struct status *status)
{
    struct dbk_log *log = NULL;
    struct dbk_error err;
    enum dbk_code code = read_log(tool, &log, status, &err);

    if (code != DBK_OK) {
        dbk_log_close(log);
        return tool_fail(tool, &err);
    }
    backup_last_read(config_text(tool->config, SETTING_DATA_DIR), &status->backup);
    audit_look(tool->config, log, status->log.head, &status->audit);
    keys_look(tool, log, &status->keys);
    leftovers_find(tool->config, &status->leftovers);
    code = ask_tables(tool, log, status, &err);
    dbk_log_close(log);
    tool_cluster_size(tool, &status->log.store_id, &status->cluster, NULL);
    if (tool_has(tool, "--json"))
        status_print_json(status);
    else
        status_print_text(status);
    if (code != DBK_OK && code != DBK_NOT_FOUND) /* not found: no tables yet */
        return tool_fail(tool, &err);
    return is_well(status) ? TOOL_DONE : TOOL_DIFFERENT;
}

static enum tool_exit run(struct tool *tool)
{
    enum tool_exit result = database_file_check(tool);
    struct status *status;
    struct dbk_error err;

    if (result != TOOL_DONE)
        return result;
    status = calloc(1, sizeof *status);
    if (!status) {
        dbk_fail(&err, DBK_NO_MEMORY, "out of memory");
        return tool_fail(tool, &err);
    }
    result = run_into(tool, status);
    free(status);
    return result;
}

const struct command command_status = {
    .name = "status",
    .purpose = "show the log's head, the projection's lag, and sizes",
    .operands = "",
    .details =
        "Works beside a running server, and without one. Exits with 1 where the\n"
        "server's GET /health is not 200 (a running one is asked), persons are\n"
        "quarantined, the tables are of another log or of another history of it,\n"
        "another server has them, PostgreSQL is read-only, the ring of keys of a "
        "sealed\n"
        "log cannot be used, RETENTION waits for an operator, or the disk of the log "
        "is\n"
        "full; with 3 where the log or the tables cannot be asked.\n",
    .example = "  daybook status\n"
               "  daybook status --json\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE | CONFIG_GROUP_AGE,
    .options = {{"--json", NULL, "Print one JSON object"}},
    .run = run,
};
