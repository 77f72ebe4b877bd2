/* daybook backup - copies the log, while it is written to, to a folder of its own. */
#include "backup_bring.h"
#include "backup_folder.h"
#include "backup_keep.h"
#include "backup_keys.h"
#include "backup_keys_tell.h"
#include "backup_last.h"
#include "backup_list.h"
#include "backup_make.h"
#include "escape.h"
#include "log_place.h"
#include "signals.h"
#include "store/durable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One run that makes a backup, or brings one up to date. */
struct run {
    const struct tool *tool;
    const char *to;
    bool appended; /* to one that was there */
    struct dbk_backup_appended by;
    struct log_check check;
    struct backup_keys keys;
    struct progress progress;
    uint64_t keep; /* 0: all */
    FILE *removed; /* the array of --json, without its brackets */
    char *removed_text;
    size_t removed_size;
};

static uint64_t file_bytes(const char *dir)
{
    char path[PATH_MAX + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/data.mdb", dir);
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void print_json(struct run *run)
{
    const struct dbk_verify_result *result = &run->check.result;

    fflush(run->removed);
    printf("{\"head\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"finding_count\":%" PRIu64
           ",\"incremental\":%s,\"appended\":%" PRIu64 ",\"removed\":[%s],\"keys\":",
           result->head, file_bytes(run->to), result->findings,
           run->appended ? "true" : "false",
           run->appended ? run->by.head - run->by.before : result->head,
           run->removed_text ? run->removed_text : "");
    backup_keys_print_json(&run->keys);
    printf(",\"seconds\":%.3f}\n", progress_seconds(&run->progress));
}

static void print_text(const struct run *run)
{
    const struct dbk_verify_result *result = &run->check.result;
    uint64_t more = run->by.head - run->by.before;

    printf("folder        %s\n", run->to);
    printf("records       %" PRIu64, result->head);
    if (run->appended && more == 0)
        puts("; nothing was new");
    else if (run->appended)
        printf(", %" PRIu64 " of them new%s\n", more,
               result->findings ? "" : ", and checked");
    else
        puts(result->findings ? "" : ", all of them checked");
    printf("bytes         %" PRIu64 "\n", file_bytes(run->to));
    backup_keys_print(&run->keys);
    printf("seconds       %.2f\n", progress_seconds(&run->progress));
}

static void say_removed(void *context, const char *path)
{
    struct run *run = context;

    if (!tool_has(run->tool, "--json")) {
        fputs("removed       ", stdout);
        escape_plain(stdout, dbk_slice(path));
        putchar('\n');
    }
    if (ftell(run->removed) > 0)
        fputc(',', run->removed);
    escape_string(run->removed, path);
}

static void say_left(void *context, const char *path, const char *why)
{
    struct run *run = context;

    progress_clear(&run->progress);
    fputs("daybook backup: not removed: ", stderr);
    escape_plain(stderr, dbk_slice(path));
    fputs(": ", stderr);
    escape_plain(stderr, dbk_slice(why));
    fputc('\n', stderr);
}

static void say_kept(void *context, const char *path)
{
    const struct run *run = context;

    if (tool_has(run->tool, "--json"))
        return;
    fputs("kept          ", stdout);
    escape_plain(stdout, dbk_slice(path));
    puts(", the newest that has the keys");
}

/* None goes behind one that lacks its keys: it may have the only ones that there are. */
static enum dbk_code remove_older(struct run *run, struct dbk_error *err)
{
    const struct backup_keep_told told = {say_removed, say_left, say_kept, run};

    if (run->keep == 0)
        return DBK_OK;
    if (*run->keys.why) {
        fputs(
            "daybook backup: no older one was removed, since the keys of this one are "
            "not right\n",
            stderr);
        return DBK_OK;
    }
    return backup_keep(run->tool, run->to, (size_t)run->keep, &told, &run->progress,
                       err);
}

/* For daybook status. The backup is none the worse where it cannot be left. */
static void leave_word(const struct run *run)
{
    struct backup_last last = {.head = run->check.result.head,
                               .at = run->keys.copied ? run->keys.of.at
                                                      : dbk_timestamp_now(),
                               .store_id = run->check.result.store_id};
    struct dbk_error err;

    if (!realpath(run->to, last.path))
        snprintf(last.path, sizeof last.path, "%s", run->to);
    if (backup_last_leave(config_text(run->tool->config, SETTING_DATA_DIR), &last,
                          &err) != DBK_OK)
        fprintf(stderr, "daybook backup: daybook status will not tell of it: %s\n",
                err.text);
}

static enum dbk_code make(struct run *run, struct dbk_error *err)
{
    if (log_place_check(run->tool->config, err) != DBK_OK)
        return err->code;
    run->appended = tool_has(run->tool, "--incremental") && !backup_is_new(run->to);
    if (!run->appended)
        return backup_make(run->tool, run->to, &run->check, &run->keys, &run->progress,
                           err);
    if (backup_keys_check(run->tool, run->to, err) != DBK_OK ||
        backup_bring(run->tool, run->to, &run->by, &run->check, &run->progress, err) !=
            DBK_OK)
        return err->code;
    backup_keys_put(run->tool, run->to, run->check.result.shut, &run->keys);
    return DBK_OK;
}

/* For daybook keys status, as leave_word: what it said before would hold of a backup that is
 * not there. */
static void note_keys(const struct run *run)
{
    struct dbk_error err;

    if (backup_keys_note(run->tool, &run->keys, &err) != DBK_OK)
        fprintf(stderr, "daybook backup: daybook keys status will not tell of it: %s\n",
                err.text);
}

static enum tool_exit conclude(const struct run *run, struct dbk_error *err)
{
    if (err->code == DBK_INTERRUPTED && run->appended)
        dbk_fail(err, err->code,
                 "stopped; %s is whole, and may have some of what is new: run it again",
                 run->to);
    else if (err->code == DBK_INTERRUPTED)
        dbk_fail(err, err->code, "stopped; %s was not made: run it again", run->to);
    return tool_refuse(run->tool, err);
}

/* The backup is right: what follows from that. */
static enum tool_exit finish_right(struct run *run)
{
    enum tool_exit exit = *run->keys.why ? TOOL_DIFFERENT : TOOL_DONE;
    struct dbk_error err;

    leave_word(run);
    if (!tool_has(run->tool, "--json"))
        print_text(run);
    if (remove_older(run, &err) != DBK_OK) {
        dbk_wrap(&err, "%s was made; removing older ones", run->to);
        exit = tool_fail(run->tool, &err);
    }
    if (tool_has(run->tool, "--json"))
        print_json(run);
    backup_keys_tell(&run->keys);
    return exit;
}

static enum tool_exit finish_damaged(struct run *run)
{
    if (tool_has(run->tool, "--json"))
        print_json(run);
    else
        print_text(run);
    backup_keys_tell(&run->keys);
    log_check_tell(&run->check, stderr);
    fputs(
        run->appended
            ? "daybook backup: what the log has up to there is in the backup: daybook "
              "verify, and daybook backup --verify, tell what to do\n"
            : "daybook backup: the copy was kept, and has the damage that the log "
              "has: daybook verify tells what to do\n",
        stderr);
    return TOOL_DIFFERENT;
}

static enum tool_exit run_make(const struct tool *tool, const char *to, uint64_t keep)
{
    struct run run = {.tool = tool, .to = to, .keep = keep};
    struct dbk_error err;
    enum tool_exit exit;

    run.removed = open_memstream(&run.removed_text, &run.removed_size);
    if (!run.removed) {
        dbk_fail(&err, DBK_NO_MEMORY, "out of memory");
        return tool_fail(tool, &err);
    }
    signals_hold();
    progress_start(&run.progress, tool_progress(tool));
    if (make(&run, &err) != DBK_OK)
        exit = conclude(&run, &err);
    else {
        note_keys(&run);
        exit =
            run.check.result.findings > 0 ? finish_damaged(&run) : finish_right(&run);
    }
    fclose(run.removed);
    free(run.removed_text);
    return exit;
}

/* Beside it; or where that cannot be written, as on a read-only medium, in a folder of
 * TMPDIR, which `made` names then. */
static enum dbk_code name_scratch(const char *to, char scratch[PATH_MAX],
                                  char made[PATH_MAX - 8], struct dbk_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *slash;

    *made = '\0';
    if (!backup_name_beside(to, ".check", scratch))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    slash = strrchr(scratch, '/');
    if (slash)
        *slash = '\0';
    if (!slash || slash == scratch || access(scratch, W_OK) == 0 || errno == ENOENT) {
        if (slash)
            *slash = '/';
        return DBK_OK;
    }
    snprintf(made, PATH_MAX - 8, "%s/daybook-verify-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(made)) {
        dbk_system_fail(err, "neither the backup's folder can be written, nor", made);
        *made = '\0';
        return err->code;
    }
    snprintf(scratch, PATH_MAX, "%s/check", made);
    return DBK_OK;
}

static enum dbk_code verify(const char *to, struct log_check *check,
                            struct progress *progress, struct dbk_error *err)
{
    struct backup_folder folder;
    char scratch[PATH_MAX], made[PATH_MAX - 8];
    enum dbk_code code = name_scratch(to, scratch, made, err);

    if (code != DBK_OK)
        return code;
    backup_folder_enter(&folder, to);
    code = log_check_run(check, to, scratch, NULL, progress, err);
    backup_folder_leave(&folder);
    if (*made)
        rmdir(made);
    return code;
}

static enum tool_exit run_verify(const struct tool *tool, const char *to)
{
    struct log_check check;
    struct progress progress;
    struct dbk_error err;
    uint64_t findings;

    signals_hold();
    progress_start(&progress, tool_progress(tool));
    if (verify(to, &check, &progress, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    findings = check.result.findings;
    if (tool_has(tool, "--json"))
        printf("{\"head\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"finding_count\":%" PRIu64
               ",\"seconds\":%.3f}\n",
               check.result.head, file_bytes(to), findings,
               progress_seconds(&progress));
    else
        printf("records       %" PRIu64 "%s\n", check.result.head,
               findings ? "; not all is right"
                        : ", all of them and their indexes right");
    log_check_tell(&check, stderr);
    if (findings > 0)
        fputs("daybook backup: make another backup; of this one daybook restore takes "
              "what is right\n",
              stderr);
    return findings ? TOOL_DIFFERENT : TOOL_DONE;
}

static bool read_keep(const struct tool *tool, uint64_t *keep)
{
    const char *text = tool_value(tool, "--keep");
    char *end;

    *keep = 0;
    if (!text)
        return true;
    *keep = strtoull(text, &end, 10);
    return *text >= '1' && *text <= '9' && !*end && *keep < 1000000;
}

static enum tool_exit run(struct tool *tool)
{
    const char *to = tool->operands[0];
    uint64_t keep;

    if (tool->operand_count == 2 && !strcmp(to, "list"))
        return backup_list_run(tool, tool->operands[1]);
    if (tool->operand_count == 2)
        return tool_misused(tool,
                            "name one folder; or list, and the folder they are in");
    if (!*to)
        return tool_misused(tool, "TO is empty: name the folder to be made");
    if (!read_keep(tool, &keep))
        return tool_misused(tool, "--keep is \"%.32s\": expected a number from 1",
                            tool_value(tool, "--keep"));
    if (!tool_has(tool, "--verify"))
        return run_make(tool, to, keep);
    if (keep || tool_has(tool, "--without-keys") || tool_has(tool, "--incremental") ||
        tool_has(tool, "--compact"))
        return tool_misused(tool, "--verify only looks: give it alone");
    return run_verify(tool, to);
}

const struct command command_backup = {
    .name = "backup",
    .purpose = "copy the log to a folder while it is in use, and check the copy",
    .operands = "TO | list DIR",
    .details =
        "Copies the log as it is at one moment, beside a running server and without\n"
        "one, and syncs and checks the copy: TO appears when that is done. It holds\n"
        "every write that was acknowledged before. The tables need no backup: they "
        "are\n"
        "posted from the log. Idempotency keys come along, and where the log is "
        "signed\n"
        "the newest checkpoint, which restore holds it against.\n"
        "\n"
        "--incremental brings a backup that is there up to date, and makes a whole\n"
        "one where there is none: only what is new is copied and checked, if the\n"
        "backup is of this very log. It is whole at any moment, also where this is\n"
        "killed. What it had before is not read again: --verify does that, now and\n"
        "then.\n"
        "\n"
        "--keep removes older backups in the folder that TO lies in, if they are "
        "whole\n"
        "and of this log, and nothing else; it reads them before. `backup list DIR`\n"
        "shows those in a folder, newest first, and reads them, too.\n"
        "\n"
        "Of a sealed log the ring of keys comes along, and the master key where it "
        "lies\n"
        "beside it: who is erased later can still be read from such a backup. Keep "
        "many\n"
        "generations of the log, made --without-keys, and one of the keys: where TO "
        "has\n"
        "none, --keep leaves the newest that has them.\n"
        "\n"
        "Exit codes: 0 done, 1 the log is damaged, and so is the copy where one was\n"
        "kept (or one that was looked at), or its keys could not be copied, 2 wrong "
        "use,\n"
        "3 it could not be made: TO is not there, or as it was.\n",
    .example =
        "  daybook backup /mnt/backups/daybook/$(date +%F) --keep 14\n"
        "  daybook backup --incremental /mnt/backups/daybook/nightly\n"
        "  daybook backup list /mnt/backups/daybook\n"
        "  daybook restore /mnt/backups/daybook/2026-11-23 --data-dir /srv/new\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"--incremental", NULL, "Add what is new to the backup in TO"},
            {"--keep", "N", "Remove all but the N newest, TO among them"},
            {"--verify", NULL, "Check the backup in TO, and change nothing"},
            {"--without-keys", NULL, "Of a sealed log: leave its ring of keys out"},
            {"--compact", NULL, "Leave free pages out: smaller, and slower to make"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
