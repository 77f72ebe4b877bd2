/* daybook events expire - forgets what events said, by age, at one's own time. */
#include "command.h"
#include "log_place.h"
#include "plural.h"
#include "signals.h"
#include "store/keys_used.h"
#include "store/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAY (INT64_C(86400) * 1000000)

enum { DOUBTED_DAYS = 7 };

/* What it would do, by which clock. */
struct intent {
    struct dbk_log_due due;
    dbk_timestamp now, last; /* 0: there is no record */
    uint64_t head;
};

static enum dbk_code look(struct dbk_log *log, dbk_timestamp before, struct intent *out,
                          struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;

    *out = (struct intent){.now = dbk_timestamp_now()};
    if (dbk_log_due(log, before, &out->due, err) != DBK_OK ||
        dbk_log_head(log, &out->head, err) != DBK_OK)
        return err->code;
    if (out->head > 0 &&
        dbk_log_record(log, out->head, &batch, &record, NULL) == DBK_OK)
        out->last = record.recorded_at;
    dbk_batch_finish(&batch);
    return DBK_OK;
}

/* What an operator should see who is tired, or whose clock is wrong. */
static void show(const char *before, const struct intent *intent)
{
    char now[DBK_TIMESTAMP_TEXT + 1], last[DBK_TIMESTAMP_TEXT + 1];
    char oldest[DBK_MONTH_TEXT + 1];

    fprintf(stderr,
            "Every event that was recorded before %s (UTC) is forgotten for good: its "
            "type,\nproperties and times. Persons, and all that is younger, stay.\n",
            before);
    if (intent->due.months == 0)
        return;
    dbk_month_format(intent->due.oldest, oldest);
    dbk_timestamp_format(intent->now, now);
    dbk_timestamp_format(intent->last, last);
    fprintf(stderr,
            "These are %s, from %s on, up to record %" PRIu64 " of %" PRIu64
            ".\nThe clock says %.16s, and the last record is of %.16s.\n",
            plural(intent->due.months, "months").text, oldest, intent->due.through,
            intent->head, now, last);
    if (intent->now - intent->last >= DOUBTED_DAYS * DAY)
        fprintf(stderr, "CAREFUL: that is %" PRId64 " days ago. Is the clock right?\n",
                (intent->now - intent->last) / DAY);
    if (intent->due.before > intent->last)
        fputs("CAREFUL: no event is younger than that: all would be forgotten.\n",
              stderr);
    else if (*intent->due.why)
        fprintf(stderr, "CAREFUL: a server would not do it by itself: %s.\n",
                intent->due.why);
}

/* Whoever is at a terminal is asked; else --yes is to be said. */
static bool is_sure(const struct tool *tool, const struct intent *intent)
{
    char answer[8];

    if (tool_has(tool, "--yes") && !*intent->due.why)
        return true;
    show(tool_value(tool, "--before"), intent);
    if (tool_has(tool, "--yes"))
        return true;
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

/* *sure is false where it was not confirmed. */
static enum dbk_code expire(const struct tool *tool, dbk_timestamp before, bool *sure,
                            struct dbk_log_expiry *out, struct dbk_error *err)
{
    struct intent intent;
    struct dbk_log *log;
    enum dbk_code code;

    if (log_place_open(tool, false, NULL, &log, err) != DBK_OK)
        return err->code;
    code =
        log_place_check_alone(log, "set RETENTION_AGREED there (docs/privacy.md)", err);
    if (code == DBK_OK)
        code = look(log, before, &intent, err);
    *sure = code == DBK_OK && is_sure(tool, &intent);
    if (*sure) {
        signals_hold(); /* it is done, or it was not begun */
        code = dbk_log_expire(log, before, "command", out, err);
    }
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
    bool sure;

    if (strcmp(tool->operands[0], "expire") != 0)
        return tool_misused(tool, "events \"%.64s\": expected expire",
                            tool->operands[0]);
    if (!month)
        return tool_misused(tool, "events expire needs --before YYYY-MM");
    if (!dbk_month_parse(month, &before))
        return tool_misused(tool, "--before \"%.64s\" is no month, as 2026-01 is one",
                            month);
    if (expire(tool, before, &sure, &done, &err) != DBK_OK) {
        tool_fail(tool, &err);
        return err.code == DBK_CONFLICT ? TOOL_DIFFERENT : TOOL_FAILED;
    }
    if (!sure)
        return TOOL_DIFFERENT;
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
