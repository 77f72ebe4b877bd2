/* The table of applied migrations, and what changes it. */
#include "migration_log.h"
#include "sql.h"
#include "tables.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 10000
#define QUICK_MS 30000
#define LOCK_MS 60000
/* An index on a large table takes its time; a bound would begin it again and again. */
#define MIGRATION_MS (14 * 24 * 60 * 60 * 1000)

enum column { VERSION, NAME, CHECKSUM, APPLIED_AT };

static void checksum(const struct migration *item, char out[CHECKSUM_TEXT + 1])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)item->up, strlen(item->up));
    sodium_bin2hex(out, CHECKSUM_TEXT + 1, hash, sizeof hash);
}

/* A refusal is the migration's fault or the set-up's, not PostgreSQL being away. */
static enum dbk_code explain(const struct migration_log *log, enum dbk_code code,
                             struct dbk_error *err)
{
    const char *sqlstate = log->pg ? pg_sqlstate(log->pg) : "";
    bool away = !*sqlstate || !strncmp(sqlstate, "08", 2) ||
                !strncmp(sqlstate, "53", 2) || !strncmp(sqlstate, "57", 2) ||
                !strncmp(sqlstate, "40", 2);

    if (code == DBK_TIMEOUT || (code == DBK_UNAVAILABLE && away))
        code = DBK_UNAVAILABLE;
    else if (code == DBK_UNAVAILABLE || code == DBK_INTERNAL)
        code = DBK_INVALID;
    if (err)
        err->code = code;
    return code;
}

static enum dbk_code run(struct migration_log *log, const char *sql,
                         const struct pg_param *params, int count, int timeout_ms,
                         struct pg_result **result, struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};
    enum dbk_code code;

    code = pg_run(log->pg, &statement, params, count, timeout_ms, result, err);
    return code == DBK_OK ? DBK_OK : explain(log, code, err);
}

/* One run at a time per schema. The lock is the session's: it ends with it, so a run
 * that was killed blocks nobody. */
static enum dbk_code lock(struct migration_log *log, const char *schema,
                          struct dbk_error *err)
{
    const struct pg_param param = pg_text(schema);
    enum dbk_code code;

    code = run(log, sql_migration_lock, &param, 1, LOCK_MS, NULL, err);
    if (code == DBK_UNAVAILABLE)
        dbk_wrap(err, "waiting for another migration to end");
    return code;
}

static enum dbk_code make_schema(struct migration_log *log, const char *schema,
                                 struct dbk_error *err)
{
    const struct pg_param param = pg_text(schema);
    struct pg_result *command;
    enum dbk_code code;

    code = run(log, sql_migration_schema, &param, 1, QUICK_MS, &command, err);
    if (code != DBK_OK)
        return code;
    if (pg_rows(command) > 0)
        code = run(log, pg_value(command, 0, 0).data, NULL, 0, QUICK_MS, NULL, err);
    if (code != DBK_OK)
        code = pg_name_right(log->pg, PG_RIGHT_SCHEMA, code, err);
    log->schema_made = code == DBK_OK && pg_rows(command) > 0;
    pg_clear(command);
    return code;
}

static enum dbk_code table_exists(struct migration_log *log, bool *exists,
                                  struct dbk_error *err)
{
    struct pg_result *result;
    enum dbk_code code;

    code = run(log, sql_migration_exists, NULL, 0, QUICK_MS, &result, err);
    if (code != DBK_OK)
        return code;
    *exists = pg_bool(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

static enum dbk_code prepare(struct migration_log *log, const char *schema,
                             struct dbk_error *err)
{
    enum dbk_code code;
    bool exists;

    code = lock(log, schema, err);
    if (code == DBK_OK)
        code = make_schema(log, schema, err);
    if (code == DBK_OK)
        code = table_exists(log, &exists, err);
    if (code != DBK_OK || exists)
        return code;
    code = run(log, sql_migration_table, NULL, 0, QUICK_MS, NULL, err);
    return code == DBK_OK ? DBK_OK : pg_name_right(log->pg, PG_RIGHT_TABLES, code, err);
}

static enum dbk_code load(struct migration_log *log, struct dbk_error *err)
{
    enum dbk_code code;
    bool exists;

    code = table_exists(log, &exists, err);
    if (code != DBK_OK || !exists)
        return code;
    code = run(log, sql_migration_list, NULL, 0, QUICK_MS, &log->rows, err);
    if (code == DBK_OK)
        log->count = pg_rows(log->rows);
    return code;
}

enum dbk_code migration_log_open(struct migration_log *log,
                                 const struct dbk_database *database, bool to_change,
                                 struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook migrate",
                                       .connect_timeout_ms = CONNECT_MS};
    enum dbk_code code;

    memset(log, 0, sizeof *log);
    code = pg_open(database, &options, &log->pg, err);
    if (code != DBK_OK)
        return explain(log, code, err);
    if (to_change)
        code = prepare(log, pg_schema(database), err);
    if (code == DBK_OK)
        code = load(log, err);
    if (code != DBK_OK)
        migration_log_close(log);
    return code;
}

void migration_log_close(struct migration_log *log)
{
    pg_clear(log->rows);
    pg_close(log->pg);
    memset(log, 0, sizeof *log);
}

int migration_log_version(const struct migration_log *log, size_t i)
{
    return atoi(pg_value(log->rows, i, VERSION).data);
}

struct dbk_migration_state migration_log_state(const struct migration_log *log,
                                               size_t i, const struct migration *item)
{
    struct dbk_migration_state state = {.version = migration_log_version(log, i),
                                        .name = "",
                                        .applied = true,
                                        .known = item != NULL};
    const char *applied = pg_value(log->rows, i, CHECKSUM).data;
    char expected[CHECKSUM_TEXT + 1];

    snprintf(state.applied_at, sizeof state.applied_at, "%s",
             pg_value(log->rows, i, APPLIED_AT).data);
    if (item) {
        checksum(item, expected);
        state.name = item->name;
        state.changed =
            strcmp(expected, applied) != 0 && !migration_was(state.version, applied);
    }
    return state;
}

/* What of it is not the script's fault. */
static enum dbk_code refused(const struct migration_log *log, enum dbk_code code,
                             struct dbk_error *err)
{
    if (tables_broken(log->pg))
        return tables_advise(code, err);
    return pg_name_right(log->pg, PG_RIGHT_TABLES, code, err);
}

/* The script, still inside its transaction at the end. */
static enum dbk_code run_script(struct migration_log *log, const char *sql,
                                struct dbk_error *err)
{
    enum dbk_code code;

    code = pg_check_place(log->pg, QUICK_MS, err);
    if (code != DBK_OK)
        return explain(log, code, err);
    code = pg_script(log->pg, sql, MIGRATION_MS, err);
    if (code != DBK_OK)
        return refused(log, explain(log, code, err), err);
    if (!pg_in_transaction(log->pg))
        return dbk_fail(err, DBK_INVALID,
                        "It ends its transaction itself: take COMMIT or ROLLBACK out");
    return DBK_OK;
}

static enum dbk_code commit(struct migration_log *log, struct dbk_error *err)
{
    enum dbk_code code = pg_commit(log->pg, MIGRATION_MS, err);

    return code == DBK_OK ? DBK_OK : explain(log, code, err);
}

enum dbk_code migration_log_apply(struct migration_log *log,
                                  const struct migration *item, char *applied_at,
                                  struct dbk_error *err)
{
    struct pg_result *row = NULL;
    char digits[16], sum[CHECKSUM_TEXT + 1];
    enum dbk_code code;

    snprintf(digits, sizeof digits, "%d", item->version);
    checksum(item, sum);
    const struct pg_param params[] = {pg_text(digits), pg_text(item->name),
                                      pg_text(sum)};

    code = pg_begin(log->pg, QUICK_MS, err);
    if (code != DBK_OK)
        return explain(log, code, err);
    code = run_script(log, item->up, err);
    if (code == DBK_OK)
        code = run(log, sql_migration_add, params, 3, QUICK_MS, &row, err);
    if (code == DBK_OK)
        code = commit(log, err);
    if (code == DBK_OK)
        snprintf(applied_at, 32, "%s", pg_value(row, 0, 0).data);
    else if (pg_in_transaction(log->pg))
        pg_rollback(log->pg, QUICK_MS, NULL);
    pg_clear(row);
    return code;
}

enum dbk_code migration_log_revert(struct migration_log *log,
                                   const struct migration *item, struct dbk_error *err)
{
    struct pg_param version;
    enum dbk_code code;
    char digits[16];

    snprintf(digits, sizeof digits, "%d", item->version);
    version = pg_text(digits);
    code = pg_begin(log->pg, QUICK_MS, err);
    if (code != DBK_OK)
        return explain(log, code, err);
    code = run_script(log, item->down, err);
    if (code == DBK_OK)
        code = run(log, sql_migration_remove, &version, 1, QUICK_MS, NULL, err);
    if (code == DBK_OK)
        code = commit(log, err);
    if (code != DBK_OK && pg_in_transaction(log->pg))
        pg_rollback(log->pg, QUICK_MS, NULL);
    return code;
}
