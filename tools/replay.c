/* daybook replay - the read tables as they were, in a schema of their own. */
#include "database_file.h"
#include "plural.h"
#include "position.h"
#include "projections/rebuild.h"
#include "rebuild_print.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

static enum dbk_code find_places(struct session *session,
                                 const struct position_range *range,
                                 struct dbk_replay_options *options,
                                 struct dbk_error *err)
{
    if (position_range_find(range, session->log, options->follow, &options->from,
                            &options->to, err) != DBK_OK)
        return err->code;
    if (!range->has_to)
        options->to = DBK_REPLAY_HEAD;
    return DBK_OK;
}

static void print_json(const struct tool *tool, const struct dbk_rebuild_result *result,
                       double seconds)
{
    printf("{\"schema\":\"%s\",\"sequence\":%" PRIu64 ",\"loaded\":%" PRIu64
           ",\"persons\":%" PRIu64 ",\"events\":%" PRIu64 ",\"erased_persons\":%" PRIu64
           ",\"erased_events\":%" PRIu64 ",\"expired_events\":%" PRIu64
           ",\"quarantined\":%" PRIu64 ",\"slow\":%s,\"seconds\":%.3f}\n",
           tool_value(tool, "--into"), result->sequence, result->loaded,
           result->persons, result->events, result->erased_persons,
           result->erased_events, result->expired_events, result->quarantined,
           result->slow ? "true" : "false", seconds);
}

static void print_text(const struct tool *tool, const struct dbk_rebuild_result *result,
                       double seconds)
{
    printf("schema        %s, as of record %" PRIu64 "\n", tool_value(tool, "--into"),
           result->sequence);
    if (!result->slow)
        printf("loaded        %s, %s\n", plural(result->persons, "persons").text,
               plural(result->events, "events").text);
    rebuild_print_left_out(result);
    printf("quarantined   %" PRIu64 "\n", result->quarantined);
    printf("seconds       %.2f\n", seconds);
}

/* Say why there is no replay. */
static enum tool_exit fail(struct session *session, const struct dbk_error *err)
{
    if (err->code != DBK_INVALID)
        return session_fail(session, err);
    progress_clear(&session->progress);
    return tool_misused(session->tool, "%s", err->text);
}

static enum tool_exit replay(struct session *session,
                             const struct position_range *range)
{
    const struct tool *tool = session->tool;
    struct dbk_replay_options options = {.into = tool_value(tool, "--into"),
                                         .follow = tool_has(tool, "--follow"),
                                         .watch = session->watch};
    struct dbk_rebuild_result result;
    enum dbk_code code;
    struct dbk_error err;
    double seconds;

    if (find_places(session, range, &options, &err) != DBK_OK)
        return fail(session, &err);
    do {
        code = dbk_replay(session->log, &session->database.at, &options, &result, &err);
    } while (code != DBK_OK && session_again(session, &err));
    if (code != DBK_OK)
        return fail(session, &err);
    seconds = progress_seconds(&session->progress);
    progress_clear(&session->progress);
    if (tool_has(tool, "--json"))
        print_json(tool, &result, seconds);
    else
        print_text(tool, &result, seconds);
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    struct session session;
    struct position_range range;
    struct dbk_error err;
    enum tool_exit exit;

    if (!tool_has(tool, "--into"))
        return tool_misused(tool,
                            "--into SCHEMA is missing: where the tables are to be");
    if (tool_has(tool, "--to") && tool_has(tool, "--follow"))
        return tool_misused(tool, "--to and --follow exclude each other");
    if (position_range_parse(tool_value(tool, "--from"), tool_value(tool, "--to"),
                             &range, &err) != DBK_OK)
        return tool_misused(tool, "%s", err.text);
    exit = database_file_check(tool);
    if (exit != TOOL_DONE)
        return exit;
    if (session_open(&session, tool, &err) == DBK_OK)
        exit = replay(&session, &range);
    else
        exit = tool_fail(tool, &err);
    session_close(&session);
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
        "all the same.\n"
        "\n"
        "Whoever was erased by now is left out with all events, also where the log "
        "erases\n"
        "the person behind --to: nobody can read what was said then. How many is "
        "told.\n"
        "\n" POSITION_HELP "\n"
        "To be rid of it: drop schema SCHEMA cascade, in psql.\n",
    .example = "  daybook replay --to 2026-11-01 --into october\n"
               "  daybook replay --from 2026-11-01 --into november --follow\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .options =
        {
            {"--into", "SCHEMA", "Where the tables are to be: a-z, 0-9, _"},
            {"--to", "P", "The last record that counts [the last there is]"},
            {"--from", "P", "Leave out events recorded before it"},
            {"--follow", NULL, "Keep it current, until Ctrl-C"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
