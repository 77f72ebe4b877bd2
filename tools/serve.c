/* daybook serve - the log, the projector and the REST API in one process. */
#include "command.h"
#include "policy_file.h"
#include "serve_check.h"
#include "serve_report.h"
#include "serve_start.h"
#include "signals.h"

#include <malloc.h>
#include <sys/resource.h>

#define LARGE_BYTES (256 << 10)

/* A file for each connection, and room for the rest. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
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

/* Before anything is made: what is wrong with it is wrong use. */
static enum tool_exit read_policy(struct serving *serving)
{
    const char *path = config_text(serving->tool->config, SETTING_AUDIT_POLICY);
    struct dbk_error err;

    if (!*path || policy_file_read(path, &serving->policy, &err) == DBK_OK)
        return TOOL_DONE;
    return tool_refuse(serving->tool, &err);
}

static enum tool_exit serve(struct tool *tool)
{
    struct serving serving = {.tool = tool, .lock = -1};
    enum tool_exit status = serve_check_access(&serving);
    struct dbk_error err;

    if (status == TOOL_DONE)
        status = read_policy(&serving);
    if (status != TOOL_DONE)
        return status;
    signals_hold();
    signals_latest_status(TOOL_DONE);
    raise_file_limit();
    keep_memory_small();
    warn_of_ineffective(tool);
    if (serve_start(&serving, &err) == DBK_OK)
        serving_say_with(&serving, "stopping; a second signal ends it at once",
                         "signal", signals_wait());
    else
        status = TOOL_FAILED;
    serve_report_manager("STOPPING=1");
    signals_release(); /* nothing acknowledged is lost by an end at once */
    serve_stop(&serving);
    if (status == TOOL_DONE)
        serving_say(&serving, "stopped");
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
        "With CLUSTER_BROKERS it is one of several machines that share the log\n"
        "(docs/cluster.md).\n"
        "\n"
        "--check looks at the settings, the directory, the log, the brokers, the\n"
        "tokens, the port and the database, and says line by line what would happen.\n"
        "It changes nothing; its exit code is 0, or 2 or 3 where serve would end so,\n"
        "or would answer no reads.\n"
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
                CONFIG_GROUP_EVENTS | CONFIG_GROUP_CLUSTER | CONFIG_GROUP_NEW,
    .options = {{"--check", NULL, "Say what it would do, and do nothing"},
                {"--new", NULL, "Begin an empty log where one was and is lost"}},
    .run = run,
};
