/* daybook import - appends persons and events from files to the log. */
#include "command.h"
#include "import_export.h"
#include "import_file.h"
#include "log_place.h"
#include "signals.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* The files named on the command line; NULL where one is absent. */
struct sources {
    const char *persons_path, *events_path;
    struct line_reader *persons, *events;
};

static const char *operand(const struct tool *tool, size_t index)
{
    if (index >= tool->operand_count || !strcmp(tool->operands[index], "-"))
        return NULL;
    return tool->operands[index];
}

static void sources_close(struct sources *sources)
{
    line_reader_close(sources->persons);
    line_reader_close(sources->events);
}

/* Open both before the first line is read: a wrong name is told at once. */
static enum dbk_code sources_open(struct sources *sources, struct dbk_error *err)
{
    if (sources->persons_path && !sources->persons &&
        line_reader_open(sources->persons_path, &sources->persons, err) != DBK_OK)
        return err->code;
    if (sources->events_path &&
        line_reader_open(sources->events_path, &sources->events, err) != DBK_OK)
        return err->code;
    return DBK_OK;
}

/* Whether the file at path begins as an export does. A pipe is not asked: what its writer
 * waits for may be that another one is read first. */
static bool is_export(const char *path)
{
    enum export_format format;
    struct compress_reader *reader;
    struct dbk_slice front;
    struct stat status;
    bool recognised;

    if (!path || stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
        compress_reader_open(path, NULL, &reader, NULL) != DBK_OK)
        return false;
    compress_front(reader, &front, NULL); /* what is wrong is told when it is read */
    recognised = export_recognise(front, &format);
    compress_reader_close(reader);
    return recognised;
}

static enum dbk_code open_log(const struct tool *tool, struct dbk_log **log,
                              struct dbk_error *err)
{
    bool make = !log_place_has_log(tool->config);

    if (make && log_place_prepare(tool, false, err) != DBK_OK)
        return err->code;
    if (log_place_open(tool, make, NULL, log, err) != DBK_OK)
        return err->code;
    if (log_place_check_alone(
            *log, "send the lines to it, by POST /events/batch (docs/batches.md)",
            err) == DBK_OK)
        return DBK_OK;
    dbk_log_close(*log);
    *log = NULL;
    return err->code;
}

static bool came(void *context)
{
    (void)context;
    return signals_came();
}

/* Asked between batches, and while nothing comes from a pipe. */
static const struct dbk_watch until_signal = {.stop = came};

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

static void print_summary(const struct import *import, bool json)
{
    double seconds = progress_seconds(import->progress);

    if (json) {
        printf("{\"persons_added\":%" PRIu64 ",\"persons_updated\":%" PRIu64
               ",\"persons_there\":%" PRIu64 ",\"events_added\":%" PRIu64
               ",\"events_there\":%" PRIu64 ",\"bad_lines\":%" PRIu64
               ",\"seconds\":%.3f}\n",
               import->persons_added, import->persons_updated, import->persons_there,
               import->events_added, import->events_there, import->bad, seconds);
        return;
    }
    printf("persons       %" PRIu64 " added, %" PRIu64 " already there",
           import->persons_added, import->persons_there);
    if (import->persons_updated > 0)
        printf(", %" PRIu64 " updated", import->persons_updated);
    printf("\n");
    printf("events        %" PRIu64 " added, %" PRIu64 " already there\n",
           import->events_added, import->events_there);
    printf("bad lines     %" PRIu64 "\n", import->bad);
    printf("seconds       %.2f, %.0f lines a second\n", seconds,
           seconds > 0 ? (double)import->lines / seconds : 0);
}

static enum tool_exit conclude(const struct tool *tool, enum dbk_code code,
                               const struct dbk_error *err, const struct import *import)
{
    print_summary(import, tool_has(tool, "--json"));
    if (code == DBK_INVALID) {
        fprintf(stderr,
                "daybook import: stopped at the first bad line; correct it and run the "
                "same again, or go on past bad lines with --continue\n");
        return TOOL_DIFFERENT;
    }
    if (code != DBK_OK) {
        enum tool_exit exit = tool_fail(tool, err);

        if (code != DBK_NOT_LEADER)
            fprintf(stderr,
                    "daybook import: run the same again to go on: what is in the "
                    "log is not added twice\n");
        return exit;
    }
    return import->bad > 0 ? TOOL_DIFFERENT : TOOL_DONE;
}

static enum tool_exit run_with(const struct tool *tool, struct dbk_log *log,
                               struct sources *sources)
{
    const struct dbk_body_rules rules = {
        .event_types = config_list(tool->config, SETTING_EVENT_TYPES)};
    struct progress progress;
    struct import import = {
        .log = log,
        .rules = &rules,
        .go_on = tool_has(tool, "--continue"),
        .complaints = stderr,
        .progress = &progress,
        .watch = &until_signal,
    };
    struct dbk_error err;
    enum dbk_code code;
    enum tool_exit exit;

    progress_start(&progress, tool_progress(tool));
    code = import_all(&import, sources, &err);
    exit = conclude(tool, code, &err, &import);
    import_finish(&import);
    return exit;
}

static enum tool_exit import_lists(const struct tool *tool, struct sources *sources)
{
    struct dbk_log *log = NULL;
    enum tool_exit exit;
    struct dbk_error err;

    if (sources_open(sources, &err) == DBK_OK && open_log(tool, &log, &err) == DBK_OK)
        exit = run_with(tool, log, sources);
    else
        exit = tool_fail(tool, &err);
    dbk_log_close(log);
    return exit;
}

/* What is neither a file of persons nor an export that can be imported. */
static enum tool_exit refuse(const struct tool *tool, const char *path, bool recognised,
                             const struct dbk_slice *front)
{
    struct dbk_error err;

    if (recognised && !tool_has(tool, "--continue")) /* else it would be read */
        return tool_misused(tool,
                            "%s is a csv export: only ndjson and msgpack can be "
                            "imported",
                            path);
    if (recognised)
        return tool_misused(tool, "--continue is not for an export: it is whole, or "
                                  "nothing of it is imported");
    dbk_fail(&err, DBK_DAMAGED, "%s is %s", path,
             front->length > 0 ? "no export, and only an export is read from a pipe"
                               : "empty: neither an export nor persons");
    return tool_fail(tool, &err);
}

#define FOR_EXPORT                                                                     \
    "--checkpoint, --vkey, --no-checkpoint and --without-keys are for an EXPORT: "     \
    "nobody "                                                                          \
    "signed lines, or sealed them"

static bool asks_for_export(const struct tool *tool)
{
    return tool_has(tool, "--without-keys") || tool_has(tool, "--checkpoint") ||
           tool_has(tool, "--vkey") || tool_has(tool, "--no-checkpoint");
}

/* One operand: an export, or a file of persons. What it is, its first bytes say. */
static enum tool_exit import_one(const struct tool *tool, struct sources *sources)
{
    const char *path = tool->operands[0];
    enum export_format format = EXPORT_NDJSON;
    struct compress_reader *reader;
    struct dbk_slice front;
    struct dbk_error err;
    enum dbk_code code;
    bool recognised;

    if (compress_reader_open(path, &until_signal, &reader, &err) != DBK_OK)
        return tool_fail(tool, &err);
    code = compress_front(reader, &front, &err);
    recognised = export_recognise(front, &format);
    if (code != DBK_OK && front.length == 0) {
        compress_reader_close(reader);
        dbk_wrap(&err, "%s", path);
        return tool_fail(tool, &err);
    }
    if (recognised && format != EXPORT_CSV && !tool_has(tool, "--continue"))
        return import_export(tool, path, reader, format);
    if (recognised || front.length == 0 || !strcmp(path, "-")) {
        enum tool_exit exit = refuse(tool, path, recognised, &front);
        compress_reader_close(reader);
        return exit;
    }
    if (asks_for_export(tool)) {
        compress_reader_close(reader);
        return tool_misused(tool, FOR_EXPORT);
    }
    sources->persons_path = path;
    if (line_reader_take(reader, &sources->persons, &err) != DBK_OK)
        return tool_fail(tool, &err);
    return import_lists(tool, sources);
}

static enum tool_exit run(struct tool *tool)
{
    struct sources sources = {.persons_path = operand(tool, 0),
                              .events_path = operand(tool, 1)};
    enum tool_exit exit;

    if (tool->operand_count > 1 && !sources.persons_path && !sources.events_path)
        return tool_misused(tool, "no file is named: - stands for an absent one");
    for (size_t i = 0; i < tool->operand_count && tool->operand_count > 1; i++) {
        if (is_export(operand(tool, i)))
            return tool_misused(tool,
                                "%s is an export, which holds persons and events: "
                                "name it alone",
                                operand(tool, i));
    }
    if (tool->operand_count > 1 && asks_for_export(tool))
        return tool_misused(tool, FOR_EXPORT);
    signals_hold();
    if (tool->operand_count > 1)
        exit = import_lists(tool, &sources);
    else
        exit = import_one(tool, &sources);
    sources_close(&sources);
    return exit;
}

const struct command command_import = {
    .name = "import",
    .purpose = "append persons and events from files, or make a log of an export",
    .operands = "PERSONS [EVENTS] | EXPORT",
    .details =
        "Each file has a JSON object a line (NDJSON), plain, gzip or Zstandard; -\n"
        "stands for an absent one. A person has id, email, first_name, last_name,\n"
        "datetime_created and perhaps role, properties, external_id and anonymous_id\n"
        "(with one of these two the e-mail and the names may be missing); an event "
        "has\n"
        "id, person_id or anonymous_id, event_type, datetime_created and perhaps\n"
        "properties. Each new person gets its automatic signup event. One with an\n"
        "external_id and without an id is whoever has that external_id, and is\n"
        "updated to what the line says, or is made.\n"
        "\n"
        "It can be run again, after whatever stopped it: what is in the log is not\n"
        "added twice. It works beside a running server and needs no PostgreSQL.\n"
        "\n"
        "A bad line is told as FILE:LINE: reason, and stops the import; the lines\n"
        "before it are in the log, and some behind it may be. Exit codes: 0 all is in\n"
        "the log, 1 bad lines or damage, 2 wrong use, 3 stopped before the end.\n"
        "\n"
        "EXPORT is what `daybook export` wrote (- reads it from a pipe): it becomes "
        "the\n"
        "log of an empty data directory that no server runs on, with the very bytes.\n"
        "One that was cut or changed is refused with the line, and nothing is left\n"
        "behind (exit code 1). So is one whose records are not those that the\n"
        "checkpoint in its trailer, or one of --checkpoint, is of (docs/proofs.md).\n"
        "\n"
        "One that is sealed needs the log's ring: put that, and the master key that "
        "lay\n"
        "beside it, into DATA_DIR/keys first. Where it is lost for good, "
        "--without-keys\n"
        "makes a log in which nobody is known any more: same records, proofs and "
        "counts,\n"
        "no names, and a new ring for whoever comes.\n",
    .example = "  daybook import persons.ndjson.gz events.ndjson.gz\n"
               "  daybook import - more_events.ndjson --continue\n"
               "  daybook import log.ndjson.zst --data-dir /srv/daybook\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_EVENTS | CONFIG_GROUP_NEW,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"--continue", NULL, "Go on past bad lines; not for an EXPORT", false},
            {"--checkpoint", "FILE", "Hold an EXPORT against this, too; again for more",
             true},
            {"--vkey", "KEY", "Key that must have signed it, or a file of some", false},
            {"--without-keys", NULL, "Make a log without names of a sealed EXPORT",
             false},
            {"--no-checkpoint", NULL, "Import it though it is not what was signed",
             false},
            {"--json", NULL, "Print one JSON object", false},
        },
    .run = run,
};
