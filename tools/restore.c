/* daybook restore - makes the log of an empty data directory from a backup. */
#include "store/restore.h"

#include "backup_folder.h"
#include "command.h"
#include "log_check.h"
#include "log_place.h"
#include "position.h"
#include "progress.h"
#include "signals.h"
#include "staging.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One restore under way. */
struct restore {
    const struct tool *tool;
    char from[PATH_MAX]; /* the folder that has data.mdb */
    struct staging staging;
    struct progress progress;
    struct log_check check; /* of the backup, then of what was made of it */
    struct position_range range;
    uint64_t head;
};

/* A backup's folder; or a data directory, whose log is one below. */
static bool find_backup(const char *from, char out[PATH_MAX])
{
    char path[PATH_MAX + 16];

    if (snprintf(out, PATH_MAX, "%s/log", from) >= PATH_MAX)
        return false;
    snprintf(path, sizeof path, "%s/data.mdb", out);
    if (access(path, F_OK) != 0)
        snprintf(out, PATH_MAX, "%s", from);
    return true;
}

/* An empty file is no log yet; but what was to be a backup is damaged. */
static enum dbk_code check_size(const struct restore *restore, struct dbk_error *err)
{
    char path[PATH_MAX + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/data.mdb", restore->from);
    if (stat(path, &status) == 0 && status.st_size == 0)
        return dbk_fail(err, DBK_DAMAGED, "%s is empty", path);
    return DBK_OK;
}

static enum dbk_code check(struct restore *restore, const char *dir,
                           struct dbk_error *err)
{
    char scratch[STAGING_PATH];

    snprintf(scratch, sizeof scratch, "%s/check.tmp", restore->staging.data_dir);
    return log_check_run(&restore->check, dir, scratch, &restore->progress, err);
}

/* What only its indexes are wrong in can be restored: they are made anew. */
static enum dbk_code check_backup(struct restore *restore, struct dbk_error *err)
{
    if (check(restore, restore->from, err) != DBK_OK)
        return err->code;
    if (restore->check.result.findings == 0)
        return DBK_OK;
    log_check_tell(&restore->check, stderr);
    if (restore->check.result.whole)
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED, "%s is damaged: take an older backup",
                    restore->from);
}

static enum dbk_code find_end(struct restore *restore, uint64_t *to,
                              struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    enum dbk_code code;
    struct dbk_log *log;
    uint64_t from;

    *to = 0;
    if (!restore->range.has_to)
        return DBK_OK;
    if (dbk_log_open(restore->from, &options, &log, err) != DBK_OK)
        return err->code;
    code = position_range_find(&restore->range, log, false, &from, to, err);
    dbk_log_close(log); /* with its threads, for checking forks */
    return code;
}

static enum dbk_code check_made(struct restore *restore, struct dbk_error *err)
{
    if (check(restore, restore->staging.tmp, err) != DBK_OK)
        return err->code;
    if (restore->check.result.findings == 0)
        return DBK_OK;
    log_check_tell(&restore->check, stderr);
    return dbk_fail(err, DBK_IO,
                    "what was restored does not read back right: check "
                    "this machine's disk and memory");
}

static enum dbk_code fill(struct restore *restore, struct dbk_error *err)
{
    struct dbk_restore_options options = {.watch =
                                              progress_watch(&restore->progress, NULL)};
    enum dbk_code code = check_backup(restore, err);

    if (code == DBK_OK)
        code = find_end(restore, &options.to, err);
    if (code != DBK_OK)
        return code;
    code = dbk_log_restore(restore->from, restore->staging.tmp, &options,
                           &restore->head, err);
    progress_clear(&restore->progress);
    return code == DBK_OK ? check_made(restore, err) : code;
}

static enum dbk_code restore_into(struct restore *restore, struct dbk_error *err)
{
    struct backup_folder folder;
    enum dbk_code code = check_size(restore, err);

    if (code == DBK_OK)
        code = staging_begin(restore->tool->config, &restore->staging, err);
    if (code != DBK_OK)
        return code;
    backup_folder_enter(&folder, restore->from); /* left as it was found */
    code = fill(restore, err);
    backup_folder_leave(&folder);
    if (code == DBK_OK)
        return staging_place(&restore->staging, err);
    staging_abandon(&restore->staging);
    return code;
}

static void print_done(const struct restore *restore)
{
    double seconds = progress_seconds(&restore->progress);

    if (tool_has(restore->tool, "--json")) {
        printf("{\"head\":%" PRIu64 ",\"seconds\":%.3f}\n", restore->head, seconds);
        return;
    }
    printf("records       1 to %" PRIu64 ", all of them checked\n", restore->head);
    printf("seconds       %.2f\n", seconds);
    printf("next          %s\n", staging_next(&restore->staging));
}

static enum tool_exit conclude(const struct restore *restore, struct dbk_error *err)
{
    enum dbk_code code = err->code;

    if (code == DBK_INTERRUPTED)
        dbk_fail(err, code, "stopped; nothing was restored: run the same again");
    if (code == DBK_INVALID)
        return tool_misused(restore->tool, "%s", err->text);
    tool_fail(restore->tool, err);
    return code == DBK_DAMAGED ? TOOL_DIFFERENT : TOOL_FAILED;
}

static enum tool_exit run(struct tool *tool)
{
    struct restore restore = {.tool = tool};
    struct dbk_error err;

    if (position_range_parse(NULL, tool_value(tool, "--to"), &restore.range, &err) !=
        DBK_OK)
        return tool_misused(tool, "%s", err.text);
    if (!find_backup(tool->operands[0], restore.from))
        return tool_misused(tool, "the path is too long");
    signals_hold();
    progress_start(&restore.progress, tool_progress(tool));
    if (restore_into(&restore, &err) != DBK_OK)
        return conclude(&restore, &err);
    log_place_made(tool);
    print_done(&restore);
    return TOOL_DONE;
}

const struct command command_restore = {
    .name = "restore",
    .purpose = "make the log of an empty data directory from a backup",
    .operands = "FROM",
    .details =
        "Checks the backup in the folder FROM, copies its records, all or up to a\n"
        "position, into the data directory, and checks what was made. The records "
        "keep\n"
        "their bytes, sequences and times; the log is a new one by its id, since what\n"
        "comes behind may differ.\n"
        "\n" POSITION_HELP "\n"
        "The data directory must hold no records, and no server may run on it. The\n"
        "tables are posted from the log by `daybook serve` where there are none yet; "
        "a\n"
        "database that has another log's tables needs `daybook rebuild`.\n"
        "\n"
        "Exit codes: 0 done, 1 the backup is damaged, 2 wrong use, 3 it could not be\n"
        "done. Where it is not 0, nothing is left behind.\n",
    .example = "  daybook restore /mnt/backups/daybook-2026-11-23 --data-dir /srv/new\n"
               "  daybook restore backup --to 2026-11-23T17:00:00 --data-dir before\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--to", "P", "End with this record"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
