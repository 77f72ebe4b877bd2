/* daybook import - appends persons and events from files to the log. */
#include "command.h"
#include "database.h"
#include "directory.h"
#include "import_file.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* The files named on the command line; NULL where one is absent. */
struct sources {
    const char *persons_path, *events_path;
    struct import_lines *persons, *events;
};

static const char *operand(const struct tool *tool, size_t index)
{
    if (index >= tool->operand_count || !strcmp(tool->operands[index], "-"))
        return NULL;
    return tool->operands[index];
}

static void sources_close(struct sources *sources)
{
    import_lines_close(sources->persons);
    import_lines_close(sources->events);
}

/* Open both before the first line is read: a wrong name is told at once. */
static enum dbk_code sources_open(struct sources *sources, struct dbk_error *err)
{
    if (sources->persons_path &&
        import_lines_open(sources->persons_path, &sources->persons, err) != DBK_OK)
        return err->code;
    if (sources->events_path &&
        import_lines_open(sources->events_path, &sources->events, err) != DBK_OK)
        return err->code;
    return DBK_OK;
}

static enum dbk_code open_log(const struct tool *tool, struct dbk_log **log,
                              struct dbk_error *err)
{
    char dir[4096];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    if (directory_make(config_text(tool->config, SETTING_DATA_DIR), err) != DBK_OK)
        return err->code;
    return dbk_log_open(dir, NULL, log, err);
}

/* SIGINT and SIGTERM stay pending until a batch is done. The log's threads, started
 * later, inherit this. */
static void hold_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static bool signal_came(void *context)
{
    const sigset_t *signals = context;
    const struct timespec at_once = {0};

    return sigtimedwait(signals, NULL, &at_once) > 0;
}

static enum dbk_code import_all(struct import *import, struct sources *sources,
                                struct dbk_error *err)
{
    if (sources->persons && import_file(import, sources->persons_path, sources->persons,
                                        DBK_PERSON_CREATED, err) != DBK_OK)
        return err->code;
    if (sources->events && import_file(import, sources->events_path, sources->events,
                                       DBK_EVENT_RECORDED, err) != DBK_OK)
        return err->code;
    return DBK_OK;
}

static void print_summary(const struct import *import)
{
    double seconds = progress_seconds(import->progress);

    printf("persons       %" PRIu64 " added, %" PRIu64 " already there\n",
           import->persons_added, import->persons_there);
    printf("events        %" PRIu64 " added, %" PRIu64 " already there\n",
           import->events_added, import->events_there);
    printf("bad lines     %" PRIu64 "\n", import->bad);
    printf("seconds       %.2f, %.0f lines a second\n", seconds,
           seconds > 0 ? (double)import->lines / seconds : 0);
}

static enum tool_exit conclude(const struct tool *tool, enum dbk_code code,
                               const struct dbk_error *err, const struct import *import)
{
    print_summary(import);
    if (code == DBK_INVALID) {
        fprintf(stderr,
                "daybook import: stopped at the first bad line; correct it and run the "
                "same again, or go on past bad lines with --continue\n");
        return TOOL_DIFFERENT;
    }
    if (code != DBK_OK) {
        tool_fail(tool, err);
        fprintf(stderr, "daybook import: run the same again to go on: what is in the "
                        "log is not added twice\n");
        return TOOL_FAILED;
    }
    return import->bad > 0 ? TOOL_DIFFERENT : TOOL_DONE;
}

static enum tool_exit run_with(const struct tool *tool, struct dbk_log *log,
                               struct sources *sources, sigset_t *signals)
{
    const struct dbk_body_rules rules = {
        config_list(tool->config, SETTING_EVENT_TYPES)};
    struct progress progress;
    struct import import = {
        .log = log,
        .rules = &rules,
        .go_on = tool_has(tool, "--continue"),
        .complaints = stderr,
        .progress = &progress,
        .interrupted = signal_came,
        .interrupted_context = signals,
    };
    struct dbk_error err;
    enum dbk_code code;
    enum tool_exit exit;

    progress_start(&progress, stderr);
    code = import_all(&import, sources, &err);
    exit = conclude(tool, code, &err, &import);
    import_finish(&import);
    return exit;
}

static enum tool_exit run(struct tool *tool)
{
    struct sources sources = {.persons_path = operand(tool, 0),
                              .events_path = operand(tool, 1)};
    struct dbk_log *log = NULL;
    enum tool_exit exit;
    struct dbk_error err;
    sigset_t signals;

    if (!sources.persons_path && !sources.events_path)
        return tool_misused(tool, "no file is named: - stands for an absent one");
    hold_signals(&signals);
    if (sources_open(&sources, &err) == DBK_OK && open_log(tool, &log, &err) == DBK_OK)
        exit = run_with(tool, log, &sources, &signals);
    else
        exit = tool_fail(tool, &err);
    dbk_log_close(log);
    sources_close(&sources);
    return exit;
}

const struct command command_import = {
    .name = "import",
    .purpose = "append persons and events from files to the log",
    .operands = "PERSONS [EVENTS]",
    .details =
        "Each file has a JSON object a line (NDJSON), gzip or plain; - stands for an\n"
        "absent one. A person has id, email, first_name, last_name, datetime_created\n"
        "and perhaps role; an event has id, person_id, event_type, datetime_created\n"
        "and perhaps properties. Each new person gets its automatic signup event.\n"
        "\n"
        "It can be run again, after whatever stopped it: what is in the log is not\n"
        "added twice. It works beside a running server and needs no PostgreSQL.\n"
        "\n"
        "A bad line is told as FILE:LINE: reason, and stops the import; the lines\n"
        "before it are in the log, and some behind it may be. Exit codes: 0 all is in\n"
        "the log, 1 bad lines, 2 wrong use, 3 stopped before the end.\n",
    .example = "  daybook import persons.ndjson.gz events.ndjson.gz\n"
               "  daybook import - more_events.ndjson --continue\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_EVENTS,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"--continue", NULL, "go on past bad lines"},
        },
    .run = run,
};
