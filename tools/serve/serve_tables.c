/* The steps of a start that concern the read tables: where they are, who posts, who reads. */
#include "database_file.h"
#include "serve_report.h"
#include "serve_steps.h"
#include "store/clock.h"

#include <assert.h>

#define START_MS 2000 /* how long PostgreSQL may take to answer for the first time */

/* For tools that are not told where the tables are; one that has to be told is no reason
 * not to serve. */
static void leave_database(const struct serving *serving)
{
    char before[DATABASE_FILE_TEXT];
    struct log_field field = {.key = "before", .text = before};
    struct dbk_error err;

    if (database_file_leave(serving->tool->config, before, &err) != DBK_OK) {
        dbk_wrap(&err, "note where the read tables are");
        serving_warn(serving, err.text);
    } else if (*before) {
        logger_write(serving->tool->logger, LOG_LEVEL_WARN,
                     "the read tables are elsewhere than at the last start", &field, 1);
    }
}

/* One that is away may come, and keeps nobody from writing; one that the tables can never
 * be in is a mistake that is better told now. */
static enum dbk_code check_database(const struct serving *serving,
                                    struct dbk_error *err)
{
    if (dbk_database_check(&serving->database.at, START_MS, err) == DBK_UNSUPPORTED)
        return err->code;
    return DBK_OK;
}

/* Answers that wait for PostgreSQL when the stop's patience is over. */
static bool reads_are_over(void *context)
{
    const struct serving *serving = context;
    int64_t end = serving->reads_end;

    return end != 0 && dbk_clock_ms() >= end;
}

enum dbk_code serve_open_database(struct serving *serving, struct dbk_error *err)
{
    struct dbk_uuid store_id = dbk_log_store_id(serving->log);

    if (tool_database_keep(serving->tool, &store_id, &serving->database, err) != DBK_OK)
        return dbk_wrap(err, "start the private PostgreSQL (or set DB_HOST to use "
                             "one of yours)");
    serving->database.at.stop = reads_are_over;
    serving->database.at.stop_context = serving;
    if (!serving->database.cluster) { /* the private one has said so itself */
        serving_say_with(serving, "PostgreSQL is set", "host",
                         serving->database.at.host);
        if (check_database(serving, err) != DBK_OK)
            return err->code;
    }
    leave_database(serving);
    return DBK_OK;
}

/* Whether the private PostgreSQL is away, or may not be posted to. */
static bool holds(void *cluster, char *why, size_t size)
{
    return dbk_cluster_away(cluster, why, size);
}

enum dbk_code serve_start_projector(struct serving *serving, struct dbk_error *err)
{
    struct dbk_projector_options options = {.report = serve_report_projection,
                                            .report_context = serving_logger(serving)};

    options.flush = config_list(serving->tool->config, SETTING_READ_HOSTS) != NULL;
    if (serving->database.cluster) {
        options.hold = holds;
        options.hold_context = serving->database.cluster;
    }
    if (dbk_projector_start(serving->log, &serving->database.at, &options,
                            &serving->projector, err) != DBK_OK)
        return dbk_wrap(err, "start the projector");
    serving_say(serving, "projector started");
    return DBK_OK;
}

enum dbk_code serve_await_projection(struct serving *serving, struct dbk_error *err)
{
    struct dbk_error why;

    (void)err;
    if (dbk_projector_wait(serving->projector, 0, START_MS, &why) != DBK_OK)
        serving_warn(serving,
                     "starting without the read tables: writes work, reads answer 503");
    return DBK_OK;
}

/* Replicas of one's own PostgreSQL, where there are some. */
static enum dbk_code open_standbys(struct serving *serving, struct dbk_error *err)
{
    serving->standbys = (struct dbk_standby_options){
        .hosts = config_list(serving->tool->config, SETTING_READ_HOSTS),
        .store_id = dbk_log_store_id(serving->log),
        .report = serve_report_trouble,
        .report_context = serving_logger(serving)};
    if (!serving->standbys.hosts)
        return DBK_OK;
    assert(!serving->database.cluster); /* config_load has seen to it */
    return dbk_read_model_standbys(serving->model, &serving->standbys, err);
}

static uint64_t renewals(const void *projector)
{
    return dbk_projector_renewals(projector);
}

enum dbk_code serve_open_read_model(struct serving *serving, struct dbk_error *err)
{
    const struct config *config = serving->tool->config;

    if (dbk_read_model_open(&serving->database.at,
                            (unsigned)config_number(config, SETTING_DB_CONNECTIONS),
                            (int)config_number(config, SETTING_QUERY_TIMEOUT),
                            &serving->model, err) != DBK_OK ||
        open_standbys(serving, err) != DBK_OK)
        return dbk_wrap(err, "open the read model");
    dbk_read_model_renew(serving->model, renewals, serving->projector);
    if (dbk_read_model_watch(serving->model, err) != DBK_OK)
        return dbk_wrap(err, "open the read model");
    serving_say(serving, "read model open");
    return DBK_OK;
}
