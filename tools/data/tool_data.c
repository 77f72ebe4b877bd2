#include "tool_data.h"

#include "log_place.h"
#include "signals.h"
#include "tool_keys.h"

#include <limits.h>
#include <stdio.h>

static bool place_in(const struct config *config, const char *name, char *out,
                     size_t size, struct dbk_error *err)
{
    int length =
        snprintf(out, size, "%s/%s", config_text(config, SETTING_DATA_DIR), name);

    if (length > 0 && (size_t)length < size)
        return true;
    dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    return false;
}

bool tool_log_dir(const struct config *config, char *out, size_t size,
                  struct dbk_error *err)
{
    return place_in(config, "log", out, size, err);
}

bool tool_history_dir(const struct config *config, char *out, size_t size,
                      struct dbk_error *err)
{
    return place_in(config, "history", out, size, err);
}

bool tool_audit_dir(const struct config *config, char *out, size_t size,
                    struct dbk_error *err)
{
    return place_in(config, "audit", out, size, err);
}

static enum dbk_code open_log(const struct tool *tool, struct dbk_log **log,
                              struct dbk_error *why, struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    char dir[PATH_MAX];
    enum dbk_code code;

    *log = NULL;
    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = tool_keys_log_open(tool, dir, &options, log, why, err);
    return code == DBK_NOT_FOUND ? log_place_fail(tool->config, err) : code;
}

enum dbk_code tool_log_open(const struct tool *tool, struct dbk_log **log,
                            struct dbk_error *err)
{
    struct dbk_error why, told;
    enum dbk_code code = open_log(tool, log, &why, err);

    if (code == DBK_OK && why.code != DBK_OK) {
        tool_keys_fail(&why, &told);
        logger_line(tool->logger, LOG_LEVEL_WARN, told.text);
    }
    return code;
}

enum dbk_code tool_log_open_shut(const struct tool *tool, struct dbk_log **log,
                                 struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    char dir[PATH_MAX];
    enum dbk_code code;

    *log = NULL;
    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = dbk_log_open(dir, &options, log, err);
    return code == DBK_NOT_FOUND ? log_place_fail(tool->config, err) : code;
}

enum dbk_code tool_log_open_whole(const struct tool *tool, struct dbk_log **log,
                                  struct dbk_error *err)
{
    struct dbk_error why;
    enum dbk_code code = open_log(tool, log, &why, err);

    if (code != DBK_OK || why.code == DBK_OK)
        return code;
    dbk_log_close(*log);
    *log = NULL;
    return tool_keys_fail(&why, err);
}

/* The private cluster is named after its log where it must lie outside of it. */
static enum dbk_code read_store_id(const struct tool *tool, struct dbk_uuid *id,
                                   struct dbk_error *err)
{
    struct dbk_log *log;

    if (tool_log_open(tool, &log, err) != DBK_OK)
        return err->code;
    *id = dbk_log_store_id(log);
    dbk_log_close(log);
    return DBK_OK;
}

static void report(void *context, const char *line)
{
    const struct tool *tool = context;

    logger_line(tool->logger, LOG_LEVEL_INFO, line);
}

static bool stop(void *context)
{
    (void)context;
    return signals_came();
}

static struct dbk_cluster_options cluster_options(const struct tool *tool)
{
    return (struct dbk_cluster_options){
        .data_dir = config_text(tool->config, SETTING_DATA_DIR),
        .cluster_dir = config_text(tool->config, SETTING_CLUSTER_DIR),
        .watch = {.report = report,
                  .stop = stop,
                  .context = (void *)(uintptr_t)tool}, /* they only read it */
    };
}

static enum dbk_code open_as(const struct tool *tool, const struct dbk_uuid *store_id,
                             struct dbk_cluster_options options,
                             struct tool_database *out, struct dbk_error *err)
{
    *out = (struct tool_database){0};
    if (config_database(tool->config, &out->at)) {
        out->at.stop = stop;
        return DBK_OK;
    }
    if (store_id)
        options.store_id = *store_id;
    else if (read_store_id(tool, &options.store_id, err) != DBK_OK)
        return err->code;
    if (dbk_cluster_open(&options, &out->cluster, err) != DBK_OK)
        return err->code;
    out->at = *dbk_cluster_database(out->cluster);
    out->at.schema = config_text(tool->config, SETTING_DB_SCHEMA);
    out->at.stop = stop;
    return DBK_OK;
}

enum dbk_code tool_database_open(const struct tool *tool,
                                 const struct dbk_uuid *store_id, bool attach_only,
                                 struct tool_database *out, struct dbk_error *err)
{
    struct dbk_cluster_options options = cluster_options(tool);

    options.attach_only = attach_only;
    return open_as(tool, store_id, options, out, err);
}

enum dbk_code tool_database_keep(const struct tool *tool,
                                 const struct dbk_uuid *store_id,
                                 struct tool_database *out, struct dbk_error *err)
{
    struct dbk_cluster_options options = cluster_options(tool);

    options.keep_trying = true;
    return open_as(tool, store_id, options, out, err);
}

enum dbk_code tool_cluster_size(const struct tool *tool,
                                const struct dbk_uuid *store_id,
                                struct dbk_cluster_size *out, struct dbk_error *err)
{
    struct dbk_cluster_options options = cluster_options(tool);
    struct dbk_database database;

    *out = (struct dbk_cluster_size){0};
    if (config_database(tool->config, &database))
        return DBK_OK;
    options.store_id = *store_id;
    return dbk_cluster_size(&options, out, err);
}

void tool_database_close(struct tool_database *database)
{
    dbk_cluster_close(database->cluster);
    *database = (struct tool_database){0};
}
