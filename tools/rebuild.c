/* daybook rebuild - makes the read tables again from the log, and swaps them in. */
#include "projections/rebuild.h"
#include "database_file.h"
#include "differences.h"
#include "escape.h"
#include "plural.h"
#include "rebuild_print.h"
#include "replaced.h"
#include "scrub.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

/* What was asked for; at most one. */
enum action { REBUILD, UNDO, DROP_OLD, DRY_RUN, SCRUB };

static enum tool_exit read_action(const struct tool *tool, enum action *action)
{
    static const struct {
        const char *flag;
        enum action action;
    } flags[] = {{"--undo", UNDO},
                 {"--drop-old", DROP_OLD},
                 {"--dry-run", DRY_RUN},
                 {"--scrub", SCRUB}};
    const char *given = NULL;

    *action = REBUILD;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!tool_has(tool, flags[i].flag))
            continue;
        if (given)
            return tool_misused(tool, "%s and %s exclude each other", given,
                                flags[i].flag);
        given = flags[i].flag;
        *action = flags[i].action;
    }
    if (*action != DRY_RUN && tool_has(tool, "--all"))
        return tool_misused(tool, "--all is for --dry-run");
    if (given && tool_has(tool, "--keep-old"))
        return tool_misused(tool, "%s and --keep-old exclude each other", given);
    return TOOL_DONE;
}

static void print_json(const struct dbk_rebuild_result *result, double seconds)
{
    printf("{\"sequence\":%" PRIu64 ",\"loaded\":%" PRIu64 ",\"persons\":%" PRIu64
           ",\"events\":%" PRIu64 ",\"erased_persons\":%" PRIu64
           ",\"erased_events\":%" PRIu64 ",\"expired_events\":%" PRIu64
           ",\"quarantined\":%" PRIu64 ",\"slow\":%s",
           result->sequence, result->loaded, result->persons, result->events,
           result->erased_persons, result->erased_events, result->expired_events,
           result->quarantined, result->slow ? "true" : "false");
    printf(",\"undone_from\":%" PRIu64 ",\"kept\":", result->undone_from);
    if (*result->kept)
        escape_string(stdout, result->kept);
    else
        fputs("null", stdout);
    printf(",\"seconds\":%.3f}\n", seconds);
}

static void print_text(const struct dbk_rebuild_result *result, double seconds)
{
    if (result->undone_from > 0)
        printf("swapped back  the kept tables: as of record %" PRIu64
               ", caught up since\n",
               result->undone_from);
    if (result->loaded > 0)
        printf("loaded        %s, %s\n", plural(result->persons, "persons").text,
               plural(result->events, "events").text);
    rebuild_print_left_out(result);
    printf("posted        up to record %" PRIu64 "\n", result->sequence);
    printf("quarantined   %" PRIu64 "\n", result->quarantined);
    if (*result->kept)
        printf(
            "kept          the tables of before, as schema %s: daybook rebuild --undo "
            "swaps them back, where they are of this log\n",
            result->kept);
    printf("seconds       %.2f", seconds);
    if (result->loaded > 0 && seconds > 0)
        printf(", %.0f records a second", (double)result->sequence / seconds);
    putchar('\n');
}

static enum tool_exit conclude(struct session *session, enum dbk_code code,
                               const struct dbk_rebuild_result *result,
                               const struct dbk_error *err)
{
    double seconds = progress_seconds(&session->progress);

    if (code != DBK_OK)
        return session_fail(session, err);
    progress_clear(&session->progress);
    if (tool_has(session->tool, "--json"))
        print_json(result, seconds);
    else
        print_text(result, seconds);
    return TOOL_DONE;
}

/* What a rebuild would change. */
static enum tool_exit dry_run(struct session *session)
{
    bool json = tool_has(session->tool, "--json");
    struct differences differences;
    enum tool_exit exit = TOOL_DONE;
    struct dbk_error err;

    if (differences_find(&differences, session, json ? NULL : stdout,
                         tool_has(session->tool, "--all"), &err) != DBK_OK) {
        exit = session_fail(session, &err);
    } else {
        if (json) {
            differences_print_json(&differences, stdout);
            putchar('\n');
        } else {
            differences_print(&differences, stdout);
        }
        exit = differences_none(&differences) ? TOOL_DONE : TOOL_DIFFERENT;
    }
    differences_finish(&differences);
    return exit;
}

static enum tool_exit run_scrub(struct session *session)
{
    struct scrubbed done;
    struct dbk_error err;

    if (scrub(session, &done, &err) != DBK_OK)
        return session_fail(session, &err);
    progress_clear(&session->progress);
    if (tool_has(session->tool, "--json")) {
        scrub_print_json(&done);
        putchar('\n');
    } else {
        scrub_print(&done);
    }
    return TOOL_DONE;
}

static enum tool_exit run_action(struct session *session, enum action action)
{
    const struct dbk_rebuild_options options = {
        .keep_old = tool_has(session->tool, "--keep-old"), .watch = session->watch};
    const struct dbk_database *database = &session->database.at;
    struct dbk_rebuild_result result = {0};
    struct dbk_error err;
    enum dbk_code code = DBK_OK;

    switch (action) {
    case REBUILD:
        code = replaced_check(session, tool_has(session->tool, "--force"), &err);
        if (code != DBK_OK)
            break;
        do {
            code = dbk_rebuild(session->log, database, &options, &result, &err);
        } while (code != DBK_OK && session_again(session, &err));
        break;
    case UNDO:
        code = dbk_rebuild_undo(session->log, database, &session->plain, &result, &err);
        break;
    case DROP_OLD:
        code = dbk_rebuild_drop_old(database, &session->plain, &err);
        if (code != DBK_OK)
            break;
        puts(tool_has(session->tool, "--json") ? "{\"dropped\":true}"
                                               : "no old tables are left");
        return TOOL_DONE;
    case DRY_RUN:
        return dry_run(session);
    case SCRUB:
        code = replaced_check(session, tool_has(session->tool, "--force"), &err);
        if (code != DBK_OK)
            break;
        return run_scrub(session);
    }
    return conclude(session, code, &result, &err);
}

static enum tool_exit run(struct tool *tool)
{
    struct session session;
    enum action action;
    struct dbk_error err;
    enum tool_exit exit = read_action(tool, &action);

    if (exit == TOOL_DONE)
        exit = database_file_check(tool);
    if (exit != TOOL_DONE)
        return exit;
    if (session_open(&session, tool, &err) == DBK_OK)
        exit = run_action(&session, action);
    else
        exit = tool_fail(tool, &err);
    session_close(&session);
    return exit;
}

const struct command command_rebuild = {
    .name = "rebuild",
    .purpose = "make the read tables again from the log, and swap them in",
    .operands = "",
    .details =
        "For tables that are wrong, gone, or of another log. New ones are built from\n"
        "the log alone in a schema beside the old ones, which are read and posted to\n"
        "meanwhile; then the two change places in one transaction. It works beside a\n"
        "running server, which goes on answering, and without one. Killed at any\n"
        "point, it can be run again: it drops what it, or a replay, has left behind.\n"
        "Where the log is empty and the tables are not, it needs --force: they may be\n"
        "all that is left of a log that is lost.\n"
        "With --scrub, the kept tables and all replays are dropped, too, and "
        "statistics\n"
        "and write-ahead log of the private PostgreSQL are replaced, for they have "
        "what\n"
        "was deleted still. With DB_HOST it prints what the administrator runs for "
        "that.\n",
    .example = "  daybook rebuild --dry-run\n"
               "  daybook rebuild --keep-old\n"
               "  daybook rebuild --undo\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .options =
        {
            {"--keep-old", NULL, "Keep the old tables, as the schema DB_SCHEMA_old"},
            {"--undo", NULL, "Catch the kept tables up and swap them back"},
            {"--drop-old", NULL, "Drop the kept tables, and what was left half made"},
            {"--dry-run", NULL,
             "Build, tell the difference to the tables, swap nothing"},
            {"--scrub", NULL,
             "Leave nothing in PostgreSQL of what was deleted or erased"},
            {"--all", NULL, "With --dry-run: tell all differing rows"},
            {"--force", NULL, "Replace full tables also where the log is empty"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
