/* daybook - one program, a subcommand a file. */
#include "arguments.h"
#include "command.h"
#include "core.h"
#include "help.h"
#include "number.h"
#include "privileges.h"
#include "store/fault.h"
#include "suggest.h"
#include "tool_data.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct command command_serve, command_status, command_import,
    command_export, command_log, command_backup, command_restore, command_verify,
    command_rebuild, command_replay, command_reseal, command_migrate, command_retry,
    command_token, command_clean, command_cluster, command_relay, command_audit,
    command_person, command_events, command_keys;

/* In the order that help lists them. */
/* clang-format off */
static const struct command *const commands[] = {
    &command_serve,
    &command_status,
    &command_import,
    &command_export,
    &command_log,
    &command_backup,
    &command_restore,
    &command_verify,
    &command_audit,
    &command_rebuild,
    &command_replay,
    &command_reseal,
    &command_migrate,
    &command_retry,
    &command_token,
    &command_person,
    &command_events,
    &command_keys,
    &command_cluster,
    &command_relay,
    &command_clean,
    NULL,
};
/* clang-format on */

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    }
    return NULL;
}

static enum tool_exit unknown_command(const char *name)
{
    struct suggestion near = {0};
    struct dbk_error err;

    suggest(&near, name, strlen(name), "help");
    for (size_t i = 0; commands[i]; i++)
        suggest(&near, name, strlen(name), commands[i]->name);
    dbk_fail(&err, DBK_INVALID, "no command \"%.64s\"", name);
    fprintf(stderr, "daybook: %s", err.text);
    if (near.best)
        fprintf(stderr, "; did you mean %s?\n", near.best);
    else
        fputs("; daybook help lists them\n", stderr);
    return TOOL_MISUSED;
}

static enum tool_exit show_help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 1) {
        help_program(stdout, commands);
        return TOOL_DONE;
    }
    command = find_command(argv[0]);
    if (!command)
        return unknown_command(argv[0]);
    help_command(stdout, command);
    return TOOL_DONE;
}

/* Before anything is opened. */
static enum tool_exit settle_user(const struct tool *tool)
{
    int64_t port = config_number(tool->config, SETTING_PORT);
    bool serves = (tool->command->settings & CONFIG_GROUP_SERVE) != 0;
    bool checks = serves && tool_has(tool, "--check"); /* and makes nothing */
    struct privileges_wish wish = {
        .data_dir = config_text(tool->config, SETTING_DATA_DIR),
        .run_as = config_text(tool->config, SETTING_RUN_AS),
        .serves = serves && !checks,
        .low_port = serves && port > 0 && port < IPPORT_RESERVED,
    };
    struct dbk_error err;

    if (privileges_settle(&wish, &err) == DBK_OK)
        return TOOL_DONE;
    return tool_refuse(tool, &err);
}

struct environment {
    char counting[256], ignored[256];
};

static void note_variable(void *context, const char *name, bool counts)
{
    struct environment *environment = context;
    char *list = counts ? environment->counting : environment->ignored;
    size_t length = strlen(list);

    snprintf(list + length, sizeof environment->counting - length, "%s%s",
             length ? ", " : "", name);
}

/* Names only: a value may be secret. */
static void settle_environment(const struct tool *tool)
{
    struct environment found = {"", ""};
    struct log_field field = {.key = "names"};
    struct dbk_database database;
    bool named = config_database(tool->config, &database);

    dbk_database_environment(!named, note_variable, &found);
    if (!named || !(tool->command->settings & CONFIG_GROUP_DATABASE))
        return;
    field.text = found.counting;
    if (*found.counting)
        logger_write(tool->logger, LOG_LEVEL_INFO,
                     "the environment says how DB_HOST is reached", &field, 1);
    field.text = found.ignored;
    if (*found.ignored)
        logger_write(tool->logger, LOG_LEVEL_WARN,
                     "the environment does not say where, the settings DB_... do",
                     &field, 1);
}

/* Before it has threads, or anything open. */
static void settle_number(const struct tool *tool)
{
    char dir[PATH_MAX], line[64];
    int child = 0;

    if (tool_log_dir(tool->config, dir, sizeof dir, NULL))
        number_settle(dir, &child);
    if (child == 0)
        return;
    snprintf(line, sizeof line, "its number is taken: going on as process %d", child);
    logger_line(tool->logger, LOG_LEVEL_DEBUG, line);
}

static enum tool_exit run_with(struct tool *tool, const struct arguments *arguments)
{
    struct config_sources sources = {.dotenv_path = ".env",
                                     .groups = tool->command->settings};
    struct logger logger = {.fd = STDERR_FILENO};
    struct dbk_error err;
    struct config *config;
    enum tool_exit status;

    memcpy(sources.flags, arguments->settings, sizeof sources.flags);
    if (config_load(&sources, &config, &err) != DBK_OK)
        return tool_misused(tool, "%s", err.text);
    tool->config = config;
    memcpy(tool->values, arguments->values, sizeof tool->values);
    core_forbid();
    status = settle_user(tool);
    if (status == TOOL_DONE) {
        logger.level = (enum log_level)config_number(config, SETTING_LOG_LEVEL);
        logger.json = config_number(config, SETTING_LOG_FORMAT) == 1;
        if (tool->quiet && logger.level > LOG_LEVEL_WARN)
            logger.level = LOG_LEVEL_WARN;
        tool->logger = &logger;
        tool->operands = arguments->operands;
        tool->operand_count = arguments->operand_count;
        settle_environment(tool);
        settle_number(tool);
        status = tool->command->run(tool);
    }
    config_destroy(config);
    return status;
}

static enum tool_exit run_command(const struct command *command, int argc, char **argv)
{
    struct tool tool = {.command = command};
    struct arguments arguments;
    struct dbk_error err;
    enum tool_exit status = TOOL_DONE;

    if (arguments_read(command, argc, argv, &arguments, &err) != DBK_OK)
        return tool_misused(&tool, "%s", err.text);
    if (arguments.help)
        help_command(stdout, command);
    else {
        tool.quiet = arguments.quiet;
        status = run_with(&tool, &arguments);
    }
    arguments_finish(&arguments);
    return status;
}

static enum tool_exit run(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return show_help(0, NULL);
    if (!strcmp(argv[1], "help"))
        return show_help(argc - 2, argv + 2);
    if (!strcmp(argv[1], "--version")) {
        puts("daybook " DAYBOOK_VERSION);
        return TOOL_DONE;
    }
    command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    return run_command(command, argc - 2, argv + 2);
}

/* Whether what was printed has arrived: a report cut short must not look whole. */
static bool printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* Put something in the place of each standard stream that the caller has closed, before
 * any other file is opened: a file of the log that got its number would be read for input,
 * or be printed over. */
static bool fill_streams(void)
{
    /* The other way around than each is used: EBADF, as for a closed one, instead of
     * output into nothing. */
    static const int ways[] = {[STDIN_FILENO] = O_WRONLY,
                               [STDOUT_FILENO] = O_RDONLY,
                               [STDERR_FILENO] = O_RDONLY};

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", ways[fd]) != fd) /* the lowest that is free */
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    enum tool_exit status;

    if (!fill_streams()) {
        fputs("daybook: standard streams are closed, and /dev/null cannot be opened\n",
              stderr);
        return TOOL_FAILED;
    }
    dbk_fault_explain();
    umask(077); /* what is written is for this user only */
    status = run(argc, argv);
    if (!printed() && status == TOOL_DONE) {
        fprintf(stderr, "daybook: write to standard output: %s\n", strerror(errno));
        return TOOL_FAILED;
    }
    return (int)status;
}
