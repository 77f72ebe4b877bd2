/* The steps of a start that concern the log: the directory's lock, the log, the
 * index, who signs. */
#include "lock.h"
#include "log_place.h"
#include "privileges.h"
#include "serve_report.h"
#include "serve_steps.h"

#include <unistd.h>

/* root's own directory is served as root: a first start on a new machine just works. */
static void say_user(const struct serving *serving)
{
    char user[33];

    serving_say_with(serving, "running", "user", privileges_user(user));
    if (geteuid() == 0 && !*config_text(serving->tool->config, SETTING_RUN_AS))
        serving_warn(serving,
                     "running as root, for the data directory is root's: give both to "
                     "a user of its own, by chown -R, where this is more than a trial");
}

static bool is_new(const struct serving *serving)
{
    return tool_has(serving->tool, "--new");
}

enum dbk_code serve_take_lock(struct serving *serving, struct dbk_error *err)
{
    const char *dir = config_text(serving->tool->config, SETTING_DATA_DIR);
    const char *mistyped = config_mistyped(serving->tool->config);

    if (*mistyped)
        serving_warn(serving, mistyped);
    serving->make = is_new(serving) || !log_place_has_log(serving->tool->config);
    /* What is refused makes no file. --new writes over what a running server may need. */
    if (serving->make && !is_new(serving) &&
        log_place_prepare(serving->tool, false, err) != DBK_OK)
        return err->code;
    if (lock_take(dir, &serving->lock, err) != DBK_OK)
        return err->code;
    if (is_new(serving) && log_place_prepare(serving->tool, true, err) != DBK_OK)
        return err->code;
    serving_say_with(serving, "data directory locked", "data_dir", dir);
    say_user(serving);
    return DBK_OK;
}

enum dbk_code serve_open_log(struct serving *serving, struct dbk_error *err)
{
    struct dbk_log_options options = {.report = serve_report_trouble,
                                      .failed = serve_report_failure,
                                      .report_context = serving_logger(serving)};
    char dir[4096], id[DBK_UUID_TEXT + 1];
    struct dbk_uuid store_id;
    uint64_t head;

    if (!tool_log_dir(serving->tool->config, dir, sizeof dir, err))
        return err->code;
    if (serving->cluster_known)
        options.store_id = &serving->cluster_id;
    if (serve_take_ring(serving, &options.keys, err) != DBK_OK)
        return err->code;
    if (log_place_open(serving->tool, serving->make, &options, &serving->log, err) !=
        DBK_OK)
        return dbk_wrap(err, "open the log");
    if (is_new(serving))
        serving_warn(serving,
                     "tables of the log before, where there are any, stay as they are, "
                     "and reads answer 503, until daybook rebuild replaces them");
    if (dbk_log_head(serving->log, &head, err) != DBK_OK)
        return dbk_wrap(err, "read the head of the log");
    store_id = dbk_log_store_id(serving->log);
    dbk_uuid_format(&store_id, id);
    logger_write(serving->tool->logger, LOG_LEVEL_INFO, "log open",
                 (struct log_field[]){{.key = "dir", .text = dir},
                                      {.key = "head", .number = (int64_t)head},
                                      {.key = "store_id", .text = id}},
                 3);
    return DBK_OK;
}

enum dbk_code serve_start_history(struct serving *serving, struct dbk_error *err)
{
    const struct dbk_history_options options = {
        .report = serve_report_trouble, .report_context = serving_logger(serving)};
    char dir[4096];
    struct dbk_error why;

    if (!tool_history_dir(serving->tool->config, dir, sizeof dir, err))
        return err->code;
    if (dbk_history_start(dir, serving->log, &options, &serving->history, &why) !=
        DBK_OK) {
        dbk_wrap(&why, "start the history index");
        serving_warn(serving, why.text);
    }
    return DBK_OK;
}

enum dbk_code serve_start_notary(struct serving *serving, struct dbk_error *err)
{
    const struct config *config = serving->tool->config;
    const struct dbk_notary_options options = {
        .policy = serving->policy,
        .origin = config_text(config, SETTING_AUDIT_ORIGIN),
        .interval_ms = (int)config_number(config, SETTING_AUDIT_INTERVAL),
        .witness_patience_ms =
            (int)config_number(config, SETTING_AUDIT_WITNESS_PATIENCE),
        .report = serve_report_trouble,
        .report_context = serving_logger(serving)};
    char dir[4096];
    struct dbk_error why;

    if (!config_boolean(config, SETTING_AUDIT))
        return DBK_OK;
    if (!tool_audit_dir(config, dir, sizeof dir, err))
        return err->code;
    if (dbk_notary_start(dir, serving->log, &options, &serving->notary, &why) !=
        DBK_OK) {
        dbk_wrap(&why, "start to sign the log");
        serving_warn(serving, why.text);
    }
    return DBK_OK;
}
