/* daybook replay - the read tables as they were, in a schema of their own. */
#include "position.h"
#include "posting.h"
#include "projections/rebuild.h"

#include <inttypes.h>
#include <stdio.h>

/* A position that was given, or not. */
struct place {
    bool given;
    struct position position;
};

static enum tool_exit read_place(const struct tool *tool, const char *flag,
                                 struct place *place)
{
    const char *text = tool_value(tool, flag);
    struct dbk_error err;

    *place = (struct place){.given = text != NULL};
    if (text && position_parse(text, &place->position, &err) != DBK_OK)
        return tool_misused(tool, "%s: %s", flag, err.text);
    return TOOL_DONE;
}

static enum dbk_code find_places(struct posting *posting, const struct place *from,
                                 const struct place *to,
                                 struct dbk_replay_options *options,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    uint64_t head;

    options->to = DBK_REPLAY_HEAD;
    if (dbk_log_head(posting->log, &head, err) != DBK_OK)
        return err->code;
    if (from->given)
        code = position_from(&from->position, posting->log, head, &options->from, err);
    if (code == DBK_OK && to->given)
        code = position_to(&to->position, posting->log, head, &options->to, err);
    return code;
}

static void print_json(const struct tool *tool, const struct dbk_rebuild_result *result,
                       double seconds)
{
    printf("{\"schema\":\"%s\",\"sequence\":%" PRIu64 ",\"loaded\":%" PRIu64
           ",\"persons\":%" PRIu64 ",\"events\":%" PRIu64 ",\"quarantined\":%" PRIu64
           ",\"slow\":%s,\"seconds\":%.3f}\n",
           tool_value(tool, "--into"), result->sequence, result->loaded,
           result->persons, result->events, result->quarantined,
           result->slow ? "true" : "false", seconds);
}

static void print_text(const struct tool *tool, const struct dbk_rebuild_result *result,
                       double seconds)
{
    printf("schema        %s, as of record %" PRIu64 "\n", tool_value(tool, "--into"),
           result->sequence);
    if (!result->slow)
        printf("loaded        %" PRIu64 " persons, %" PRIu64 " events\n",
               result->persons, result->events);
    printf("quarantined   %" PRIu64 "\n", result->quarantined);
    printf("seconds       %.2f\n", seconds);
}

static enum tool_exit replay(struct posting *posting, const struct place *from,
                             const struct place *to)
{
    const struct tool *tool = posting->tool;
    struct dbk_replay_options options = {.into = tool_value(tool, "--into"),
                                         .follow = tool_has(tool, "--follow"),
                                         .watch = posting->watch};
    struct dbk_rebuild_result result;
    struct dbk_error err;
    double seconds;

    if (find_places(posting, from, to, &options, &err) != DBK_OK)
        return posting_fail(posting, &err);
    if (dbk_replay(posting->log, &posting->database.at, &options, &result, &err) !=
        DBK_OK) {
        if (err.code != DBK_INVALID)
            return posting_fail(posting, &err);
        progress_clear(&posting->progress);
        return tool_misused(tool, "%s", err.text);
    }
    seconds = progress_seconds(&posting->progress);
    progress_clear(&posting->progress);
    if (tool_has(tool, "--json"))
        print_json(tool, &result, seconds);
    else
        print_text(tool, &result, seconds);
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    struct posting posting;
    struct place from, to;
    struct dbk_error err;
    enum tool_exit exit;

    if (!tool_has(tool, "--into"))
        return tool_misused(tool,
                            "--into SCHEMA is missing: where the tables are to be");
    if (tool_has(tool, "--to") && tool_has(tool, "--follow"))
        return tool_misused(tool, "--to and --follow exclude each other");
    if (read_place(tool, "--from", &from) != TOOL_DONE ||
        read_place(tool, "--to", &to) != TOOL_DONE)
        return TOOL_MISUSED;
    if (posting_open(&posting, tool, &err) == DBK_OK)
        exit = replay(&posting, &from, &to);
    else
        exit = tool_fail(tool, &err);
    posting_close(&posting);
    return exit;
}

const struct command command_replay = {
    .name = "replay",
    .purpose = "make the read tables as they were, in a schema of their own",
    .operands = "",
    .details =
        "Time travel with plain SQL: the tables as of --to, in a schema beside the "
        "live\n"
        "ones, which are not touched; in place of an earlier replay into that schema.\n"
        "With --from, events recorded before it are left out; persons are as of --to\n"
        "all the same. Both are a record's sequence, or a time: 2026-11-23T17:00:00,\n"
        "UTC or with an offset, which is the last record up to then.\n"
        "\n"
        "To be rid of it: drop schema SCHEMA cascade, in psql.\n",
    .example = "  daybook replay --to 2026-11-01 --into october\n"
               "  daybook replay --from 2026-11-01 --into november --follow\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .options =
        {
            {"--into", "SCHEMA", "Where the tables are to be: a-z, 0-9 and _"},
            {"--to", "PLACE", "The last record that counts [the last there is]"},
            {"--from", "PLACE", "Leave out events recorded before it"},
            {"--follow", NULL, "Keep it current, until Ctrl-C"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
