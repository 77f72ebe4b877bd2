#include "serve_check.h"

#include "cluster_keys.h"
#include "cluster_options.h"
#include "directory.h"
#include "escape.h"
#include "http/server.h"
#include "http/tokens.h"
#include "leftovers.h"
#include "log_place.h"
#include "policy_file.h"
#include "privileges.h"
#include "projections/database_look.h"
#include "projections/migrate.h"
#include "projections/projector.h"
#include "store/replicated.h"
#include "tool_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define CLUSTER_MS 5000 /* how long brokers may take to tell of the topic */

/* One run. */
struct check {
    const struct tool *tool;
    bool served; /* a server runs on the directory now */
    bool misused, wrong;
    struct dbk_log *log; /* NULL: there is none, or it cannot be opened */
};

/* Beside those of reads, as docs/operators.md tells. */
enum { OTHER_CONNECTIONS = 5 };
enum verdict { RIGHT, WARN, WRONG };

static void tell(struct check *check, enum verdict verdict, const char *what,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static void tell(struct check *check, enum verdict verdict, const char *what,
                 const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "wrong"};
    char text[2 * PATH_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%-6s %-10s ", words[verdict], what);
    escape_plain(stdout, dbk_slice(text));
    putchar('\n');
    check->wrong = check->wrong || verdict == WRONG;
}

/* They have been read, or we would not be here. */
static void check_settings(struct check *check)
{
    const struct config *config = check->tool->config;
    char text[1024] = "all are right";
    size_t length = strlen(text), told = 0;

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const char *origin = config_origin(config, i);

        if (!origin || !strcmp(origin, "the default") || length >= sizeof text)
            continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %s by %s",
                                   told++ ? "," : ";", config_table[i].name, origin);
    }
    if (*config_mistyped(config))
        tell(check, WARN, "settings", "%s", config_mistyped(config));
    else
        tell(check, RIGHT, "settings", "%s", text);
}

static void check_directory(struct check *check)
{
    const char *dir = config_text(check->tool->config, SETTING_DATA_DIR);
    char path[PATH_MAX], user[33];

    directory_absolute(dir, path);
    privileges_user(user);
    if (access(dir, R_OK | W_OK | X_OK) == 0)
        tell(check, RIGHT, "directory", "%s, as the user %s", path, user);
    else if (errno == ENOENT)
        tell(check, WARN, "directory", "%s would be made", path);
    else
        tell(check, WRONG, "directory", "%s, as the user %s: %s", path, user,
             strerror(errno));
}

/* Its lock is only looked at, by taking it for a moment, beside others who look. */
static void check_served(struct check *check)
{
    char path[PATH_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s/serve.lock",
             config_text(check->tool->config, SETTING_DATA_DIR));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    check->served = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    if (check->served)
        tell(check, WARN, "server",
             "one runs on this directory now: it must end first");
}

static void check_log(struct check *check)
{
    struct dbk_log_stats stats;
    struct dbk_error err;
    char id[DBK_UUID_TEXT + 1];
    bool is_new = tool_has(check->tool, "--new");

    if (!log_place_has_log(check->tool->config)) {
        if (!is_new && log_place_check_new(check->tool, &err) != DBK_OK)
            tell(check, WRONG, "log", "%s", err.text);
        else
            tell(check, WARN, "log", "there is none: a new one would be made%s",
                 config_boolean(check->tool->config, SETTING_SEALED) ? ", sealed" : "");
        return;
    }
    if (tool_log_open_whole(check->tool, &check->log, &err) != DBK_OK ||
        dbk_log_stats(check->log, &stats, &err) != DBK_OK) {
        tell(check, WRONG, "log", "%s", err.text);
        return;
    }
    dbk_uuid_format(&stats.store_id, id);
    if (is_new)
        tell(check, WRONG, "log", "--new is refused, for %s is here", id);
    else
        tell(check, RIGHT, "log",
             "%s, up to record %" PRIu64 "; %" PRIu64 " MiB are free", id, stats.head,
             stats.free_bytes >> 20);
}

/* Whose copy a log here would be. */
static void check_copy(struct check *check, const struct cluster_options *cluster,
                       const struct dbk_replica_found *found)
{
    struct dbk_place place;
    struct dbk_error err;
    struct dbk_uuid id;
    char text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&found->store_id, text);
    if (!check->log && found->from > 0)
        tell(check, WRONG, "cluster",
             "records 1 to %" PRIu64 " are not in the topic %s: daybook restore a "
             "backup of another node first, with --member",
             found->from, cluster->replica.topic);
    else if (!check->log && found->sealed &&
             cluster_keys_check(check->tool->config, &err) != DBK_OK)
        tell(check, WRONG, "cluster", "%s", err.text);
    else if (!check->log)
        tell(check, RIGHT, "cluster", "a copy of the log %s would be made, as %s", text,
             cluster->replica.node);
    else if (id = dbk_log_store_id(check->log), !dbk_uuid_equal(&id, &found->store_id))
        tell(check, WRONG, "cluster",
             "the topic %s is of the log %s, which this is no copy of",
             cluster->replica.topic, text);
    else if (dbk_log_place(check->log, &place, NULL) == DBK_OK)
        tell(check, RIGHT, "cluster", "%s goes on at message %" PRId64 ", as %s",
             cluster->replica.topic, place.next,
             cluster->replica.follower ? "a follower that never leads" : "a member");
    else
        tell(
            check, WARN, "cluster",
            "it is no member yet: it would become one only where the topic begins with "
            "what it has");
}

static void check_cluster(struct check *check)
{
    const struct config *config = check->tool->config;
    struct cluster_options cluster;
    struct dbk_replica_found found;
    struct dbk_place place;
    struct dbk_error err;
    enum dbk_code code;

    if (!cluster_joins(config)) {
        if (check->log && dbk_log_place(check->log, &place, NULL) == DBK_OK)
            tell(check, WRONG, "cluster",
                 "the log is a member of one, and CLUSTER_BROKERS is empty");
        return;
    }
    code = cluster_options_read(config, &cluster, &err);
    check->misused = check->misused || code == DBK_INVALID;
    if (code == DBK_OK)
        code = dbk_replica_check(&cluster.replica, CLUSTER_MS, &found, &err);
    if (code == DBK_OK)
        check_copy(check, &cluster, &found);
    else
        tell(check, code == DBK_UNAVAILABLE && check->log ? WARN : WRONG, "cluster",
             "%s", err.text);
}

static void check_leftovers(struct check *check)
{
    struct leftovers *leftovers = malloc(sizeof *leftovers);

    if (!leftovers)
        return;
    leftovers_find(check->tool->config, leftovers);
    for (size_t i = 0; i < leftovers->count; i++) {
        if (!leftovers->list[i].in_use)
            tell(check, WARN, "left", "%s, %" PRIu64 " KiB: daybook clean removes it",
                 leftovers->list[i].path, leftovers->list[i].bytes / 1024);
    }
    free(leftovers);
}

static void check_tokens(struct check *check)
{
    const struct config *config = check->tool->config;
    bool required = config_boolean(config, SETTING_REQUIRE_TOKENS);
    struct dbk_error err;
    size_t count;
    enum dbk_code code =
        dbk_tokens_allow(config_text(config, SETTING_DATA_DIR),
                         config_text(config, SETTING_HOST), &count, &err);

    if (code == DBK_INVALID && !required) {
        tell(check, WRONG, "tokens", "HOST from %s: %s",
             config_origin(config, SETTING_HOST), err.text);
        check->misused = true;
    } else if (code != DBK_OK && code != DBK_INVALID) {
        tell(check, WRONG, "tokens", "%s", err.text);
    } else if (count > 0) {
        tell(check, RIGHT, "tokens", "%zu: each request must bring one", count);
    } else if (required) {
        tell(
            check, WARN, "tokens",
            "none, and REQUIRE_TOKENS is set: everyone would be refused until there is "
            "one (daybook token create)");
    } else {
        tell(check, WARN, "tokens", "none: nobody on this machine would be asked");
    }
}

static void check_port(struct check *check)
{
    const char *address = config_text(check->tool->config, SETTING_HOST);
    unsigned port = (unsigned)config_number(check->tool->config, SETTING_PORT);
    struct dbk_error err;
    enum dbk_code code = dbk_server_check(address, port, &err);

    if (code == DBK_OK)
        tell(check, RIGHT, "port", "%s:%u is free", address, port);
    else if (code == DBK_CONFLICT && check->served)
        tell(check, WARN, "port", "%s:%u is taken, by the server that runs perhaps",
             address, port);
    else
        tell(check, WRONG, "port", "%s:%u: %s", address, port, err.text);
}

static void check_policy(struct check *check)
{
    const char *path = config_text(check->tool->config, SETTING_AUDIT_POLICY);
    struct dbk_policy *policy;
    struct dbk_error err;

    if (!*path)
        return;
    if (policy_file_read(path, &policy, &err) != DBK_OK) {
        tell(check, WRONG, "witnesses", "%s", err.text);
        check->misused = true;
        return;
    }
    tell(check, RIGHT, "witnesses", "%zu in %s", policy->witness_count, path);
    dbk_policy_destroy(policy);
}

static void count_pending(void *context, const struct dbk_migration_state *state)
{
    *(size_t *)context += !state->applied;
}

static void check_tables(struct check *check, const struct dbk_database *database)
{
    struct dbk_tables_state checkpoint;
    struct dbk_error err;
    enum dbk_code code;
    size_t pending = 0;

    if (dbk_migrate_status(database, count_pending, &pending, &err) != DBK_OK) {
        tell(check, WRONG, "tables", "%s", err.text);
        return;
    }
    if (pending > 0) {
        tell(check, RIGHT, "tables", "%zu migrations would be applied", pending);
        return;
    }
    code = dbk_tables_read(database, &checkpoint, &err);
    if (code == DBK_OK && check->log)
        code = dbk_tables_check(check->log, &checkpoint, &err);
    if (code == DBK_NOT_FOUND)
        tell(check, RIGHT, "tables", "empty: they would be posted from the log");
    else if (code == DBK_BUSY && check->served)
        tell(check, RIGHT, "tables", "the server that runs posts to them");
    else if (code != DBK_OK)
        tell(check, WRONG, "tables", "reads would answer 503: %s", err.text);
    else
        tell(check, RIGHT, "tables", "up to record %" PRIu64, checkpoint.projected);
}

static void check_rights(struct check *check, const struct dbk_database *database,
                         const struct dbk_database_state *state)
{
    if (state->read_only)
        tell(check, WRONG, "database",
             "it is read-only: the tables would fall behind (a standby, or "
             "default_transaction_read_only)");
    else if (state->replica)
        tell(check, WRONG, "database",
             "session_replication_role is replica for %s, so the triggers that count "
             "events would not fire, and nothing would be posted: set it to origin",
             database->user);
    else if (state->has_schema && !state->may_use)
        tell(check, WRONG, "database",
             "%s has no right to make tables in the schema %s: grant usage, create on "
             "schema \"%s\" to \"%s\"",
             database->user, database->schema, database->schema, database->user);
    else if (!state->has_schema && !state->may_make)
        tell(
            check, WRONG, "database",
            "%s has no right to make the schema %s: grant create on database \"%s\" to "
            "\"%s\"",
            database->user, database->schema, database->name, database->user);
    else
        tell(check, *state->untested ? WARN : RIGHT, "database",
             "PostgreSQL %s, %s, schema %s%s%s", state->version, state->encoding,
             database->schema, state->has_schema ? "" : ", which would be made",
             state->untested);
}

/* It would serve, and something would be missed. */
static void check_bounds(struct check *check, const struct dbk_database *database,
                         const struct dbk_database_state *state)
{
    unsigned needed =
        (unsigned)config_number(check->tool->config, SETTING_DB_CONNECTIONS) +
        OTHER_CONNECTIONS;

    if (state->has_schema && !state->may_make)
        tell(check, WARN, "rights",
             "daybook rebuild, replay and verify --projection would be refused, for %s "
             "may make no schema beside %s: grant create on database \"%s\" to \"%s\"",
             database->user, database->schema, database->name, database->user);
    if (state->connections < needed)
        tell(check, WARN, "connections",
             "PostgreSQL gives %s %u at most, and serve takes up to %u (DB_CONNECTIONS "
             "and %d): let it have more",
             database->user, state->connections, needed, OTHER_CONNECTIONS);
}

static void look(struct check *check, const struct dbk_database *database)
{
    struct dbk_database_state state;
    struct dbk_error err;

    if (dbk_database_look(database, &state, &err) != DBK_OK) {
        tell(check, WRONG, "database", "%s", err.text);
        return;
    }
    check_rights(check, database, &state);
    check_bounds(check, database, &state);
    if (state.has_schema)
        check_tables(check, database);
    else
        tell(check, RIGHT, "tables", "none: they would be made");
}

/* A directory that is there, or is made in one that is. */
static bool has_cluster_dir(const struct check *check)
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

/* The private one is asked only where it runs. */
static void check_database(struct check *check)
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
        tell(check, WRONG, "database", "%s", err.text);
        return;
    }
    if (!has_cluster_dir(check)) {
        tell(check, WRONG, "database",
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
            tell(check, WRONG, "database", "%s", err.text);
            return;
        }
    }
    tell(check, RIGHT, "database", "a private PostgreSQL %s would be started", version);
}

enum tool_exit serve_check(const struct tool *tool)
{
    struct check check = {.tool = tool};

    check_settings(&check);
    check_directory(&check);
    check_served(&check);
    check_log(&check);
    check_cluster(&check);
    check_leftovers(&check);
    check_tokens(&check);
    check_port(&check);
    check_policy(&check);
    check_database(&check);
    dbk_log_close(check.log);
    if (check.misused)
        return TOOL_MISUSED;
    return check.wrong ? TOOL_FAILED : TOOL_DONE;
}
