/* daybook verify - checks the log, and that the read tables are what it says. */
#include "backup_repair.h"
#include "database_file.h"
#include "differences.h"
#include "log_place.h"
#include "session.h"
#include "signals.h"
#include "verify_log.h"

#include <stdio.h>

/* Wrong use, or what the other copy is: nothing was changed then. */
static enum tool_exit fail_repair(const struct tool *tool, struct progress *progress,
                                  struct dbk_error *err)
{
    progress_clear(progress);
    if (err->code == DBK_INTERRUPTED)
        dbk_fail(err, err->code, "stopped; nothing was changed");
    return tool_refuse(tool, err);
}

static enum tool_exit fail(const struct tool *tool, struct progress *progress,
                           const struct dbk_error *err)
{
    enum tool_exit exit;

    progress_clear(progress);
    exit = tool_fail(tool, err);
    if (err->code == DBK_INTERRUPTED)
        fprintf(stderr, "daybook verify: not checked to the end; run the same again\n");
    return exit;
}

/* One run: the log's part, then, if it was asked for, the tables'. */
struct verify {
    const struct tool *tool;
    FILE *lines; /* stdout, or NULL for JSON */
    bool projection;
    const char *repair_from; /* NULL: nothing is repaired */
    struct backup_repair repair;
    struct progress progress;
    struct verify_log log;
    struct session session;
    struct differences differences;
};

static enum dbk_code check_projection(struct verify *verify, struct dbk_error *err)
{
    if (!verify->log.result.readable) {
        differences_refuse(&verify->differences,
                           "not compared: the log cannot be read to its end");
        return DBK_OK;
    }
    if (session_open(&verify->session, verify->tool, err) != DBK_OK)
        return err->code;
    return differences_find(&verify->differences, &verify->session, verify->lines,
                            tool_has(verify->tool, "--all"), err);
}

static enum tool_exit print(struct verify *verify)
{
    bool right = verify->log.result.findings == 0 && !*verify->log.not_repaired &&
                 !verify->log.ring_broken;

    if (verify->lines) {
        if (verify->repair_from)
            backup_repair_print(&verify->repair, verify->lines);
        verify_log_print(&verify->log, verify->lines);
        if (verify->projection)
            differences_print(&verify->differences, verify->lines);
    } else {
        putchar('{');
        verify_log_print_json(&verify->log, stdout);
        putchar(',');
        backup_repair_print_json(verify->repair_from ? &verify->repair : NULL, stdout);
        fputs(",\"projection\":", stdout);
        if (verify->projection)
            differences_print_json(&verify->differences, stdout);
        else
            fputs("null", stdout);
        puts("}");
    }
    if (verify->projection)
        right = right && differences_none(&verify->differences);
    return right ? TOOL_DONE : TOOL_DIFFERENT;
}

static enum tool_exit run_both(struct verify *verify)
{
    const struct tool *tool = verify->tool;
    struct dbk_error err;

    progress_start(&verify->progress, tool_progress(tool));
    if (verify->repair_from &&
        backup_repair_run(tool, verify->repair_from, &verify->progress, verify->lines,
                          &verify->repair, &err) != DBK_OK)
        return fail_repair(tool, &verify->progress, &err);
    if (verify_log_run(&verify->log, tool, tool_has(tool, "--repair-indexes"),
                       &verify->progress, verify->lines, &err) != DBK_OK)
        return fail(tool, &verify->progress, &err);
    if (verify->projection && check_projection(verify, &err) != DBK_OK)
        return fail(tool, &verify->progress, &err);
    return print(verify);
}

static enum tool_exit run(struct tool *tool)
{
    struct verify verify = {.tool = tool,
                            .lines = tool_has(tool, "--json") ? NULL : stdout,
                            .projection = tool_has(tool, "--projection"),
                            .repair_from = tool_value(tool, "--repair-from")};
    enum tool_exit exit = verify.projection ? database_file_check(tool) : TOOL_DONE;
    struct dbk_error err;

    if (exit != TOOL_DONE)
        return exit;
    if (log_place_check(tool->config, &err) != DBK_OK)
        return tool_fail(tool, &err);
    signals_hold();
    exit = run_both(&verify);
    differences_finish(&verify.differences);
    if (verify.session.tool)
        session_close(&verify.session);
    verify_log_finish(&verify.log);
    return exit;
}

const struct command command_verify = {
    .name = "verify",
    .purpose = "check the log, and that the read tables are what it says",
    .operands = "",
    .details =
        "The log: no gap, every record's checksum and bytes are right and can follow\n"
        "those before it, and the indexes hold what the records say. It is only read,\n"
        "also beside a running server; the indexes are made anew in\n"
        "DATA_DIR/verify.tmp, or in TMPDIR where the data directory cannot be written\n"
        "or has less room than the log takes. --repair-indexes writes, and holds a\n"
        "server's writes up until it is done.\n"
        "\n"
        "--repair-from puts damaged records back from a backup, a data directory, or "
        "a\n"
        "whole export of the same history: only where that is shown to have the very\n"
        "record, and never over one that is right. Where the file's structure is\n"
        "damaged, a new file is built and checked, and the old one kept as\n"
        "DATA_DIR/log.damaged. Stop the server first. Then the log is checked.\n"
        "\n"
        "A sealed log is checked with its ring of keys. Without one, what is in the "
        "clear is\n"
        "checked, and it says what was not.\n"
        "\n"
        "With --projection also the read tables: they are built from the log in a\n"
        "schema of their own up to the record they are at, and held against each\n"
        "other row by row; persons in quarantine are left out. Differing rows are\n"
        "told, the first 20 of each table, or --all; daybook rebuild makes the tables\n"
        "right.\n"
        "\n"
        "Exit codes: 0 all is right, 1 something is not, 2 wrong use, 3 not checked.\n",
    .example = "  daybook verify\n"
               "  daybook verify --projection --json\n"
               "  daybook verify --repair-indexes\n"
               "  daybook verify --repair-from /mnt/backups/daybook/nightly\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .options =
        {
            {"--projection", NULL, "Check the read tables too"},
            {"--repair-indexes", NULL, "Make the log's indexes anew first"},
            {"--repair-from", "COPY",
             "Put damaged records back from a backup or export"},
            {"--all", NULL, "Tell all differing rows, however many there are"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
