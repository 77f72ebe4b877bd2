/* The step of a start that has events forgotten by age. */
#include "serve_report.h"
#include "serve_steps.h"

static void say(void *context, const char *line)
{
    serving_say(context, line);
}

static void warn(void *context, const char *line)
{
    serving_warn(context, line);
}

enum dbk_code serve_check_retention(struct serving *serving, struct dbk_error *err)
{
    const struct config *config = serving->tool->config;

    if (config_number(config, SETTING_RETENTION) == 0 ||
        dbk_log_is_sealed(serving->log))
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "RETENTION from %s is %s, and this log is not sealed: its events cannot be "
        "forgotten. Set RETENTION=events:off, or make a sealed log of it (daybook help "
        "reseal)",
        config_origin(config, SETTING_RETENTION),
        config_text(config, SETTING_RETENTION));
}

enum dbk_code serve_start_expiry(struct serving *serving, struct dbk_error *err)
{
    const struct expiry_options options = {
        .days = config_number(serving->tool->config, SETTING_RETENTION),
        .agreed = config_number(serving->tool->config, SETTING_RETENTION_AGREED),
        .done = say,
        .failed = warn,
        .context = serving};

    if (options.days == 0)
        return DBK_OK;
    return expiry_start(serving->log, &options, &serving->expiry, err) == DBK_OK
               ? DBK_OK
               : dbk_wrap(err, "start to expire events");
}
