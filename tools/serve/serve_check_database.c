#include "serve_check_private.h"

#include "projections/database_look.h"
#include "projections/migrate.h"
#include "projections/projector.h"
#include "tool_data.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Beside those of reads, as docs/operators.md tells. */
enum { OTHER_CONNECTIONS = 5 };

static void count_pending(void *context, const struct dbk_migration_state *state)
{
    *(size_t *)context += !state->applied;
}

static void check_tables(struct serve_check *check, const struct dbk_database *database)
{
    struct dbk_tables_state checkpoint;
    struct dbk_error err;
    enum dbk_code code;
    size_t pending = 0;

    if (dbk_migrate_status(database, count_pending, &pending, &err) != DBK_OK) {
        serve_check_tell(check, WRONG, "tables", "%s", err.text);
        return;
    }
    if (pending > 0) {
        serve_check_tell(check, RIGHT, "tables", "%zu migrations would be applied",
                         pending);
        return;
    }
    code = dbk_tables_read(database, &checkpoint, &err);
    if (code == DBK_OK && check->log)
        code = dbk_tables_check(check->log, &checkpoint, &err);
    if (code == DBK_NOT_FOUND)
        serve_check_tell(check, RIGHT, "tables",
                         "empty: they would be posted from the log");
    else if (code == DBK_BUSY && check->served)
        serve_check_tell(check, RIGHT, "tables", "the server that runs posts to them");
    else if (code != DBK_OK)
        serve_check_tell(check, WRONG, "tables", "reads would answer 503: %s",
                         err.text);
    else
        serve_check_tell(check, RIGHT, "tables", "up to record %" PRIu64,
                         checkpoint.projected);
}

static void check_rights(struct serve_check *check, const struct dbk_database *database,
                         const struct dbk_database_state *state)
{
    if (state->read_only)
        serve_check_tell(check, WRONG, "database",
                         "it is read-only: the tables would fall behind (a standby, or "
                         "default_transaction_read_only)");
    else if (state->replica)
        serve_check_tell(
            check, WRONG, "database",
            "session_replication_role is replica for %s, so the triggers that count "
            "events would not fire, and nothing would be posted: set it to origin",
            database->user);
    else if (state->has_schema && !state->may_use)
        serve_check_tell(
            check, WRONG, "database",
            "%s has no right to make tables in the schema %s: grant usage, create on "
            "schema \"%s\" to \"%s\"",
            database->user, database->schema, database->schema, database->user);
    else if (!state->has_schema && !state->may_make)
        serve_check_tell(
            check, WRONG, "database",
            "%s has no right to make the schema %s: grant create on database \"%s\" to "
            "\"%s\"",
            database->user, database->schema, database->name, database->user);
    else
        serve_check_tell(check, *state->untested ? WARN : RIGHT, "database",
                         "PostgreSQL %s, %s, schema %s%s%s", state->version,
                         state->encoding, database->schema,
                         state->has_schema ? "" : ", which would be made",
                         state->untested);
}

/* It would serve, and something would be missed. */
static void check_bounds(struct serve_check *check, const struct dbk_database *database,
                         const struct dbk_database_state *state)
{
    unsigned needed =
        (unsigned)config_number(check->tool->config, SETTING_DB_CONNECTIONS) +
        OTHER_CONNECTIONS;

    if (state->has_schema && !state->may_make)
        serve_check_tell(
            check, WARN, "rights",
            "daybook rebuild, replay and verify --projection would be refused, for %s "
            "may make no schema beside %s: grant create on database \"%s\" to \"%s\"",
            database->user, database->schema, database->name, database->user);
    if (state->connections < needed)
        serve_check_tell(
            check, WARN, "connections",
            "PostgreSQL gives %s %u at most, and serve takes up to %u (DB_CONNECTIONS "
            "and %d): let it have more",
            database->user, state->connections, needed, OTHER_CONNECTIONS);
}

static void look(struct serve_check *check, const struct dbk_database *database)
{
    struct dbk_database_state state;
    struct dbk_error err;

    if (dbk_database_look(database, &state, &err) != DBK_OK) {
        serve_check_tell(check, WRONG, "database", "%s", err.text);
        return;
    }
    check_rights(check, database, &state);
    check_bounds(check, database, &state);
    if (state.has_schema)
        check_tables(check, database);
    else
        serve_check_tell(check, RIGHT, "tables", "none: they would be made");
}

/* A directory that is there, or is made in one that is. */
static bool has_cluster_dir(const struct serve_check *check)
{
    const char *dir = config_text(check->tool->config, SETTING_CLUSTER_DIR);
    const char *slash = strrchr(dir, '/');
    char parent[PATH_MAX];

    if (!*dir || access(dir, F_OK) == 0)
        return true;
    if (dir[0] != '/' || slash == dir)
        return dir[0] == '/';
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - dir), dir);
    return access(parent, F_OK) == 0;
}

void serve_check_database(struct serve_check *check)
{
    struct tool_database database;
    struct dbk_database own;
    struct dbk_error err;
    struct dbk_uuid id;
    enum dbk_code code;
    char version[64];

    if (config_database(check->tool->config, &own)) {
        look(check, &own);
        return;
    }
    if (dbk_cluster_programs(version, sizeof version, &err) != DBK_OK) {
        serve_check_tell(check, WRONG, "database", "%s", err.text);
        return;
    }
    if (!has_cluster_dir(check)) {
        serve_check_tell(check, WRONG, "database",
                         "CLUSTER_DIR %s is not there: make it, or mount its disk",
                         config_text(check->tool->config, SETTING_CLUSTER_DIR));
        return;
    }
    if (check->log) {
        id = dbk_log_store_id(check->log);
        code = tool_database_open(check->tool, &id, true, &database, &err);
        if (code == DBK_OK) {
            look(check, &database.at);
            tool_database_close(&database);
            return;
        }
        if (code == DBK_CONFLICT) {
            serve_check_tell(check, WRONG, "database", "%s", err.text);
            return;
        }
    }
    serve_check_tell(check, RIGHT, "database",
                     "a private PostgreSQL %s would be started", version);
}
