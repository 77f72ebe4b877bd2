/* daybook events expire - forgets what events said, by age, at one's own time. */
#include "command.h"
#include "log_place.h"
#include "plural.h"
#include "signals.h"
#include "store/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "2026-01" is its first moment, UTC. */
static bool read_month(const char *text, dbk_timestamp *out)
{
    char first[32];

    return strlen(text) == 7 &&
           snprintf(first, sizeof first, "%s-01T00:00:00", text) > 0 &&
           dbk_timestamp_parse(first, strlen(first), out);
}

/* Whoever is at a terminal is asked; else --yes is to be said. */
static bool is_sure(const struct tool *tool)
{
    char answer[8];

    if (tool_has(tool, "--yes"))
        return true;
    fprintf(stderr,
            "Every event that was recorded before %s (UTC) is forgotten for good: its "
            "type,\nproperties and times. Persons, and all that is younger, stay.\n",
            tool_value(tool, "--before"));
    if (!isatty(STDIN_FILENO)) {
        fputs("Nothing was changed. With --yes it is done.\n", stderr);
        return false;
    }
    fputs("Type yes to do it: ", stderr);
    if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0)
        return true;
    fputs("Nothing was changed.\n", stderr);
    return false;
}

static enum dbk_code expire(const struct tool *tool, dbk_timestamp before,
                            struct dbk_log_expiry *out, struct dbk_error *err)
{
    struct dbk_log *log;
    enum dbk_code code;

    if (log_place_open(tool, false, NULL, &log, err) != DBK_OK)
        return err->code;
    code = log_place_check_alone(log, "set RETENTION there (docs/privacy.md)", err);
    if (code == DBK_OK)
        code = dbk_log_expire(log, before, "command", out, err);
    dbk_log_close(log);
    return code;
}

static void tell(const struct dbk_log_expiry *done)
{
    if (done->sequence == 0 && done->through == 0)
        puts("nothing was due: no event of a month that can be forgotten is that old");
    else if (done->sequence == 0)
        printf("nothing more was due: events up to record %" PRIu64
               " were expired before\n",
               done->through);
    else
        printf("events up to record %" PRIu64 " are expired: record %" PRIu64
               " says so.\nTheir rows go once a server follows; copies of the ring of "
               "keys that were made\nbefore read them until daybook keys rotate.\n",
               done->through, done->sequence);
}

static enum tool_exit run(struct tool *tool)
{
    const char *month = tool_value(tool, "--before");
    struct dbk_log_expiry done;
    struct dbk_error err;
    dbk_timestamp before;

    if (strcmp(tool->operands[0], "expire") != 0)
        return tool_misused(tool, "events \"%.64s\": expected expire",
                            tool->operands[0]);
    if (!month)
        return tool_misused(tool, "events expire needs --before YYYY-MM");
    if (!read_month(month, &before))
        return tool_misused(tool, "--before \"%.64s\" is no month, as 2026-01 is one",
                            month);
    if (!is_sure(tool))
        return TOOL_DIFFERENT;
    signals_hold(); /* it is done, or it was not begun */
    if (expire(tool, before, &done, &err) != DBK_OK) {
        tool_fail(tool, &err);
        return err.code == DBK_CONFLICT ? TOOL_DIFFERENT : TOOL_FAILED;
    }
    tell(&done);
    return TOOL_DONE;
}

const struct command command_events = {
    .name = "events",
    .purpose = "forget what events said that are older than a month",
    .operands = "expire",
    .details =
        "expire  destroy the keys of the months before --before, so that nobody can "
        "read\n"
        "        any more what the events said that were recorded in them. All events "
        "up "
        "to\n"
        "        there are shown nowhere any more, their rows go, and the persons "
        "stay. "
        "The\n"
        "        month of now never goes\n"
        "\n"
        "A server does the same by itself with RETENTION=events:400d, and months have "
        "keys\n"
        "from then on that this is set. It works beside a running server; "
        "docs/privacy.md\n"
        "tells more. At a terminal it asks before it does it.\n"
        "\n"
        "Exit codes: 0 done, or nothing was due; 1 not done, for it was not confirmed, "
        "or "
        "the\n"
        "log is not sealed or is a cluster's member; 2 wrong use; 3 it could not be "
        "done.\n",
    .example = "  daybook events expire --before 2025-01\n"
               "  daybook events expire --before 2025-01 --yes\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--before", "YYYY-MM", "The first month that is kept", false},
            {"--yes", NULL, "Do not ask", false},
        },
    .run = run,
};
