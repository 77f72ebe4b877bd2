/* daybook serve - the log, the projector and the REST API in one process. */
#include "backup_last.h"
#include "command.h"
#include "database_file.h"
#include "http/server.h"
#include "http/tokens.h"
#include "lock.h"
#include "log_place.h"
#include "privileges.h"
#include "projections/projector.h"
#include "projections/read_model.h"
#include "serve_check.h"
#include "serve_report.h"
#include "server_look.h"
#include "signals.h"
#include "store/clock.h"
#include "store/history.h"
#include "store/log.h"
#include "tool_data.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define START_MS 2000 /* how long PostgreSQL may take to answer for the first time */
#define DRAIN_MS 2000 /* for requests under way; the whole stop has 5 s */
#define LARGE_BYTES (256 << 10)

/* What runs, in the order in which it was started. */
struct serving {
    const struct tool *tool;
    int lock;
    bool make; /* there is no log, and one may be made */
    struct dbk_log *log;
    struct tool_database database;
    struct dbk_projector *projector;
    struct dbk_read_model *model;
    struct dbk_history *history;
    struct dbk_server *server;
    _Atomic int64_t reads_end; /* when reads are no longer waited for; 0: never */
};

static void say(const struct serving *serving, const char *message)
{
    logger_line(serving->tool->logger, LOG_LEVEL_INFO, message);
}

static void say_with(const struct serving *serving, const char *message,
                     const char *key, const char *value)
{
    struct log_field field = {.key = key, .text = value};

    logger_write(serving->tool->logger, LOG_LEVEL_INFO, message, &field, 1);
}

/* The callbacks take a plain pointer; they only read what it points to. */
static void *logger_of(const struct serving *serving)
{
    return (void *)(uintptr_t)serving->tool->logger;
}

/* root's own directory is served as root: a first start on a new machine just works. */
static void say_user(const struct serving *serving)
{
    char user[33];

    say_with(serving, "running", "user", privileges_user(user));
    if (geteuid() == 0 && !*config_text(serving->tool->config, SETTING_RUN_AS))
        logger_line(serving->tool->logger, LOG_LEVEL_WARN,
                    "running as root, for the data directory is root's: give both to a "
                    "user of its own, by chown -R, where this is more than a trial");
}

static bool is_new(const struct serving *serving)
{
    return tool_has(serving->tool, "--new");
}

static enum dbk_code take_lock(struct serving *serving, struct dbk_error *err)
{
    const char *dir = config_text(serving->tool->config, SETTING_DATA_DIR);

    serving->make = is_new(serving) || !log_place_has_log(serving->tool->config);
    /* What is refused makes no file. --new writes over what a running server may need. */
    if (serving->make && !is_new(serving) &&
        log_place_prepare(serving->tool, false, err) != DBK_OK)
        return err->code;
    if (lock_take(dir, &serving->lock, err) != DBK_OK)
        return err->code;
    if (is_new(serving) && log_place_prepare(serving->tool, true, err) != DBK_OK)
        return err->code;
    say_with(serving, "data directory locked", "data_dir", dir);
    say_user(serving);
    return DBK_OK;
}

static enum dbk_code check_port(struct serving *serving, struct dbk_error *err)
{
    const char *address = config_text(serving->tool->config, SETTING_HOST);
    unsigned port = (unsigned)config_number(serving->tool->config, SETTING_PORT);

    if (dbk_server_check(address, port, err) != DBK_OK)
        return dbk_wrap(err, "listen on %s port %u", address, port);
    return DBK_OK;
}

static enum dbk_code open_log(struct serving *serving, struct dbk_error *err)
{
    struct dbk_log_options options = {.report = serve_report_trouble,
                                      .failed = serve_report_failure,
                                      .report_context = logger_of(serving)};
    char dir[4096], id[DBK_UUID_TEXT + 1];
    struct dbk_uuid store_id;
    uint64_t head;

    if (!tool_log_dir(serving->tool->config, dir, sizeof dir, err))
        return err->code;
    if (log_place_open(serving->tool, serving->make, &options, &serving->log, err) !=
        DBK_OK)
        return dbk_wrap(err, "open the log");
    if (is_new(serving))
        logger_line(serving->tool->logger, LOG_LEVEL_WARN,
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

/* For tools that are not told where the tables are; one that has to be told is no reason
 * not to serve. */
static void leave_database(const struct serving *serving)
{
    char before[DATABASE_FILE_TEXT];
    struct log_field field = {.key = "before", .text = before};
    struct dbk_error err;

    if (database_file_leave(serving->tool->config, before, &err) != DBK_OK) {
        dbk_wrap(&err, "note where the read tables are");
        logger_line(serving->tool->logger, LOG_LEVEL_WARN, err.text);
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

static enum dbk_code open_database(struct serving *serving, struct dbk_error *err)
{
    struct dbk_uuid store_id = dbk_log_store_id(serving->log);

    if (tool_database_keep(serving->tool, &store_id, &serving->database, err) != DBK_OK)
        return dbk_wrap(err, "start the private PostgreSQL (or set DB_HOST to use "
                             "one of yours)");
    serving->database.at.stop = reads_are_over;
    serving->database.at.stop_context = serving;
    if (!serving->database.cluster) { /* the private one has said so itself */
        say_with(serving, "PostgreSQL is set", "host", serving->database.at.host);
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

static enum dbk_code start_projector(struct serving *serving, struct dbk_error *err)
{
    struct dbk_projector_options options = {.report = serve_report_projection,
                                            .report_context = logger_of(serving)};

    if (serving->database.cluster) {
        options.hold = holds;
        options.hold_context = serving->database.cluster;
    }
    if (dbk_projector_start(serving->log, &serving->database.at, &options,
                            &serving->projector, err) != DBK_OK)
        return dbk_wrap(err, "start the projector");
    say(serving, "projector started");
    return DBK_OK;
}

/* Whoever reads the moment it is ready should not meet a projector that is about to
 * connect. A PostgreSQL that is away keeps nobody from writing, so not for long. */
static enum dbk_code await_projection(struct serving *serving, struct dbk_error *err)
{
    struct dbk_error why;

    (void)err;
    if (dbk_projector_wait(serving->projector, 0, START_MS, &why) != DBK_OK)
        logger_line(serving->tool->logger, LOG_LEVEL_WARN,
                    "starting without the read tables: writes work, reads answer 503");
    return DBK_OK;
}

static enum dbk_code open_read_model(struct serving *serving, struct dbk_error *err)
{
    const struct config *config = serving->tool->config;

    if (dbk_read_model_open(&serving->database.at,
                            (unsigned)config_number(config, SETTING_DB_CONNECTIONS),
                            (int)config_number(config, SETTING_QUERY_TIMEOUT),
                            &serving->model, err) != DBK_OK ||
        dbk_read_model_watch(serving->model, err) != DBK_OK)
        return dbk_wrap(err, "open the read model");
    say(serving, "read model open");
    return DBK_OK;
}

/* It is never needed: what keeps it from growing keeps nobody from anything. */
static enum dbk_code start_history(struct serving *serving, struct dbk_error *err)
{
    const struct dbk_history_options options = {.report = serve_report_trouble,
                                                .report_context = logger_of(serving)};
    char dir[4096];
    struct dbk_error why;

    if (!tool_history_dir(serving->tool->config, dir, sizeof dir, err))
        return err->code;
    if (dbk_history_start(dir, serving->log, &options, &serving->history, &why) !=
        DBK_OK) {
        dbk_wrap(&why, "start the history index");
        logger_line(serving->tool->logger, LOG_LEVEL_WARN, why.text);
    }
    return DBK_OK;
}

static enum dbk_code give_up_port_right(void *context, struct dbk_error *err)
{
    (void)context;
    return privileges_finish(err);
}

/* Whether the rest of the disk that the private PostgreSQL shares with the log is the
 * log's. */
static bool is_full(void *cluster, char *why, size_t size)
{
    return dbk_cluster_full(cluster, why, size);
}

/* Read anew for each who asks: backups are made by other processes. */
static void backups_known(void *context, struct dbk_backup_known *out)
{
    const struct serving *serving = context;
    struct backup_last last;

    static_assert(sizeof last.path <= sizeof out->path, "the path of a backup");
    backup_last_read(config_text(serving->tool->config, SETTING_DATA_DIR), &last);
    out->head = last.head;
    out->at = last.at;
    out->store_id = last.store_id;
    memcpy(out->path, last.path, sizeof last.path);
}

static struct dbk_server_options server_options(const struct serving *serving)
{
    const struct config *config = serving->tool->config;

    return (struct dbk_server_options){
        .address = config_text(config, SETTING_HOST),
        .port = (unsigned)config_number(config, SETTING_PORT),
        .tokens_dir = config_text(config, SETTING_DATA_DIR),
        .require_tokens = config_boolean(config, SETTING_REQUIRE_TOKENS),
        .trusted_proxy = config_text(config, SETTING_TRUSTED_PROXY),
        .threads = (unsigned)config_number(config, SETTING_HTTP_THREADS),
        .address_connections_max =
            (unsigned)config_number(config, SETTING_ADDRESS_CONNECTIONS_MAX),
        .body_max = (size_t)config_number(config, SETTING_BODY_MAX),
        .batch_body_max = (size_t)config_number(config, SETTING_BATCH_BODY_MAX),
        .bodies_max = (size_t)config_number(config, SETTING_BODIES_MAX),
        .batch_items_max = (unsigned)config_number(config, SETTING_BATCH_ITEMS_MAX),
        .lag_max_ms = (int)config_number(config, SETTING_LAG_MAX),
        .ready_lag_ms = (int)config_number(config, SETTING_READY_LAG),
        .read_wait_ms = (int)config_number(config, SETTING_READ_WAIT),
        .request_timeout_ms = (int)config_number(config, SETTING_REQUEST_TIMEOUT),
        .idempotency_keep_us =
            config_number(config, SETTING_IDEMPOTENCY_DAYS) * INT64_C(86400) * 1000000,
        .event_types = config_list(config, SETTING_EVENT_TYPES),
        .cors_origins = config_list(config, SETTING_CORS_ORIGINS),
        .show_error_details = config_error_details(config),
        .history = serving->history,
        .streams_max = (unsigned)config_number(config, SETTING_STREAMS_MAX),
        .database = &serving->database.at,
        .tables_full = serving->database.cluster ? is_full : NULL,
        .tables_full_context = serving->database.cluster,
        .backups = backups_known,
        .backups_context = (void *)(uintptr_t)serving,
        .bound = give_up_port_right,
        .access = serve_report_access,
        .access_context = logger_of(serving),
        .report = serve_report_trouble,
        .notice = serve_report_notice,
        .report_context = logger_of(serving),
    };
}

/* Said at start, for whoever thinks that tokens are asked for. */
static void say_access(const struct serving *serving, size_t tokens)
{
    if (tokens == 0 && config_boolean(serving->tool->config, SETTING_REQUIRE_TOKENS))
        logger_line(
            serving->tool->logger, LOG_LEVEL_WARN,
            "everyone is refused: REQUIRE_TOKENS is set, and there is no access "
            "token yet; make one: daybook token create NAME --scope SCOPE");
    else if (tokens == 0)
        say(serving, "no access tokens: only this machine is served, and nobody on it "
                     "is asked; daybook token create makes one");
    else
        logger_write(
            serving->tool->logger, LOG_LEVEL_INFO, "access tokens are asked for",
            &(struct log_field){.key = "tokens", .number = (int64_t)tokens}, 1);
}

/* Before anything is made or started. */
static enum tool_exit check_access(const struct serving *serving)
{
    const struct tool *tool = serving->tool;
    struct dbk_error err;
    enum dbk_code code;
    size_t tokens;

    code = dbk_tokens_allow(config_text(tool->config, SETTING_DATA_DIR),
                            config_text(tool->config, SETTING_HOST), &tokens, &err);
    if (code == DBK_OK ||
        (code == DBK_INVALID && config_boolean(tool->config, SETTING_REQUIRE_TOKENS))) {
        say_access(serving, tokens);
        return TOOL_DONE;
    }
    if (code != DBK_INVALID)
        return tool_fail(tool, &err);
    return tool_misused(tool, "HOST from %s: %s",
                        config_origin(tool->config, SETTING_HOST), err.text);
}

static enum dbk_code start_server(struct serving *serving, struct dbk_error *err)
{
    struct dbk_server_options options = server_options(serving);
    char ready[256];

    if (dbk_server_start(serving->log, serving->projector, serving->model, &options,
                         &serving->server, err) != DBK_OK)
        return dbk_wrap(err, "listen on %s port %u", options.address, options.port);
    snprintf(ready, sizeof ready,
             "ready: http://%s:%u \xe2\x80\x94 console at /console, docs at /docs",
             options.address, dbk_server_port(serving->server));
    server_look_leave(serving->lock, options.address, dbk_server_port(serving->server));
    say(serving, ready);
    serve_report_manager("READY=1");
    return DBK_OK;
}

/* Undo the steps, last one first; those that were not taken are fine. */
static void stop(struct serving *serving)
{
    if (serving->server) {
        say(serving, "stopping: finishing requests");
        server_look_leave(serving->lock, NULL, 0);
        serving->reads_end = dbk_clock_ms() + DRAIN_MS;
        dbk_server_stop(serving->server, DRAIN_MS);
    }
    dbk_history_close(serving->history);
    if (serving->projector) {
        say(serving, "stopping: projector");
        dbk_projector_stop(serving->projector);
    }
    dbk_read_model_close(serving->model);
    if (serving->database.cluster)
        say(serving, "stopping: private PostgreSQL");
    tool_database_close(&serving->database);
    if (serving->log) {
        say(serving, "stopping: log");
        dbk_log_close(serving->log);
    }
    lock_release(serving->lock);
}

/* A file for each connection, and room for the rest. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum dbk_code start(struct serving *serving, struct dbk_error *err)
{
    static enum dbk_code (*const steps[])(struct serving *, struct dbk_error *) = {
        take_lock,       check_port,      open_log,
        open_database,   start_projector, await_projection,
        open_read_model, start_history,   start_server,
    };

    for (size_t i = 0; i < sizeof steps / sizeof *steps && !signals_came(); i++) {
        if (steps[i](serving, err) != DBK_OK)
            return err->code == DBK_INTERRUPTED ? DBK_OK : err->code;
    }
    return DBK_OK;
}

static void warn_of_ineffective(const struct tool *tool)
{
    if (config_boolean(tool->config, SETTING_SHOW_ERROR_DETAILS) &&
        !config_error_details(tool->config))
        logger_line(tool->logger, LOG_LEVEL_WARN,
                    "SHOW_ERROR_DETAILS has no effect where ENVIRONMENT is not local");
}

/* What a large answer takes goes back to the system once it is sent. Left to itself, malloc
 * learns to keep it: up to 32 MiB a piece. */
static void keep_memory_small(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

static enum tool_exit serve(struct tool *tool)
{
    struct serving serving = {.tool = tool, .lock = -1};
    enum tool_exit status = check_access(&serving);
    struct dbk_error err;

    if (status != TOOL_DONE)
        return status;
    signals_hold();
    signals_latest_status(TOOL_DONE);
    raise_file_limit();
    keep_memory_small();
    warn_of_ineffective(tool);
    if (start(&serving, &err) == DBK_OK)
        say_with(&serving, "stopping; a second signal ends it at once", "signal",
                 signals_wait());
    else
        status = TOOL_FAILED;
    serve_report_manager("STOPPING=1");
    signals_release(); /* nothing acknowledged is lost by an end at once */
    stop(&serving);
    if (status == TOOL_DONE)
        say(&serving, "stopped");
    else /* last, so that it is what is seen */
        logger_line(tool->logger, LOG_LEVEL_ERROR, err.text);
    return status;
}

static enum tool_exit run(struct tool *tool)
{
    return tool_has(tool, "--check") ? serve_check(tool) : serve(tool);
}

const struct command command_serve = {
    .name = "serve",
    .purpose = "run the API",
    .operands = "",
    .details =
        "Opens the log in the data directory, posts it to PostgreSQL, and answers\n"
        "the REST API until SIGTERM or SIGINT, or until its terminal is closed; it\n"
        "finishes the requests under way first. Where DB_HOST is empty it runs a\n"
        "PostgreSQL of its own in the data directory, on a unix socket only. Where\n"
        "PostgreSQL is away, writes go on and reads answer 503 until it is back.\n"
        "\n"
        "Where the data directory holds no log and nothing of one's, it makes one, "
        "and\n"
        "says so. Where a log was, whose disk is not mounted perhaps, it does not\n"
        "start (exit code 3): mount it, or restore a backup. --new begins an empty "
        "one\n"
        "all the same; it is refused where there is a log.\n"
        "\n"
        "--check looks at the settings, the directory, the log, the tokens, the port\n"
        "and the database, and says line by line what would happen. It changes\n"
        "nothing; its exit code is 0, or 2 or 3 where serve would end so, or would\n"
        "answer no reads.\n"
        "\n"
        "Started as root, it becomes the owner of the data directory before it opens\n"
        "anything, as every command does; a missing one it makes for RUN_AS, or for\n"
        "the user daybook where there is one. Under systemd it says when it is ready.\n"
        "\n"
        "Without access tokens (daybook help token) it listens on this machine's own\n"
        "addresses only, and asks nobody who they are. With them every request must\n"
        "bring one, but for /, /docs, /console, /openapi.json, /health and what is\n"
        "below these. A token that is made or revoked while it runs counts within a\n"
        "second.\n",
    .example = "  daybook serve --data-dir /var/lib/daybook --port 8080\n"
               "  daybook serve --check\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE | CONFIG_GROUP_SERVE |
                CONFIG_GROUP_EVENTS,
    .options = {{"--check", NULL, "Say what it would do, and do nothing"},
                {"--new", NULL, "Begin an empty log where one was and is lost"}},
    .run = run,
};
