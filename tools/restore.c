/* daybook restore - makes the log of an empty data directory from a backup. */
#include "store/restore.h"

#include "audit_held.h"
#include "backup_checkpoint.h"
#include "backup_folder.h"
#include "backup_keys_place.h"
#include "command.h"
#include "log_check.h"
#include "log_place.h"
#include "position.h"
#include "progress.h"
#include "signals.h"
#include "staging.h"
#include "store/salvage.h"
#include "tool_keys.h"

#include <inttypes.h>
#include <stdlib.h>
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
    bool continues; /* with another log's tail */
    char tail[PATH_MAX];
    struct dbk_restored done;
    struct audit_held *held;
    struct dbk_keys *keys;            /* NULL: none */
    struct backup_keys_placed placed; /* which came from the backup */
};

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
    return log_check_run(&restore->check, dir, scratch, NULL, &restore->progress, err);
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

/* The last record at or before the time, of those that can be read. */
static enum dbk_code find_time(struct restore *restore, uint64_t *to,
                               struct dbk_error *err)
{
    dbk_timestamp latest = position_latest(&restore->range.to);
    struct dbk_salvage *salvage;
    struct dbk_salvaged item;
    struct dbk_record record;
    uint64_t head;
    enum dbk_code code = dbk_salvage_open(restore->from, 1, 0, &salvage, err);

    if (code != DBK_OK)
        return code;
    head = dbk_salvage_head(salvage);
    while ((code = dbk_salvage_next(salvage, &item, err)) == DBK_OK) {
        if (item.state == DBK_SALVAGED &&
            dbk_record_decode(item.bytes, item.length, &record, NULL) == DBK_OK &&
            record.recorded_at <= latest)
            *to = item.sequence;
    }
    dbk_salvage_close(salvage);
    if (code == DBK_NOT_FOUND && *to == 0 && head > 0)
        return dbk_fail(err, DBK_INVALID,
                        "--to: all records, 1 to %" PRIu64 ", are later", head);
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

static enum dbk_code find_end(struct restore *restore, uint64_t *to,
                              struct dbk_error *err)
{
    *to = restore->range.has_to ? restore->range.to.sequence : 0;
    return restore->range.has_to && restore->range.to.is_time
               ? find_time(restore, to, err)
               : DBK_OK;
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

/* What was signed of the backup. Before it is read: one that is brought up to date meanwhile
 * gets another, of more records than the copy may have. */
static enum dbk_code take_checkpoint(struct restore *restore, struct dbk_error *err)
{
    char *text;
    size_t length;
    enum dbk_code code = backup_checkpoint_find(restore->from, &text, &length, err);

    if (code != DBK_OK && tool_has(restore->tool, "--no-checkpoint"))
        return DBK_OK; /* whatever it is */
    if (code == DBK_OK && text)
        code = audit_held_add(restore->held, "backup", (struct dbk_slice){text, length},
                              err);
    free(text);
    return code == DBK_OK ? audit_held_expect(restore->held, err) : code;
}

/* What was made, against what was signed of it: that is what tells a backup whose every
 * checksum is right from the one that was made. */
static enum dbk_code hold(struct restore *restore, struct dbk_error *err)
{
    return audit_held_check(restore->held, restore->staging.tmp, restore->range.has_to,
                            &restore->progress, err);
}

/* Where an end is named, what is behind it may be damaged, and is not looked at: what is
 * before it is checked as it is copied, and once more in what was made. */
static enum dbk_code fill(struct restore *restore, struct dbk_error *err)
{
    struct dbk_restore_options options = {
        .continue_with = restore->continues ? restore->tail : NULL,
        .member = tool_has(restore->tool, "--member"),
        .keys = restore->keys,
        .watch = progress_watch(&restore->progress, restore->tool->logger)};
    enum dbk_code code = take_checkpoint(restore, err);

    if (code == DBK_OK && !restore->range.has_to)
        code = check_backup(restore, err);
    if (code == DBK_OK)
        code = find_end(restore, &options.to, err);
    if (code != DBK_OK)
        return code;
    code = dbk_log_restore(restore->from, restore->staging.tmp, &options,
                           &restore->done, err);
    progress_clear(&restore->progress);
    if (code == DBK_DAMAGED)
        return dbk_wrap(err, "%s is damaged: take an older backup", restore->from);
    if (code == DBK_OK)
        code = check_made(restore, err);
    return code == DBK_OK ? hold(restore, err) : code;
}

/* Those that are here already stay: they are as old as the last erasure, or newer. Where there are
 * none, a log that is sealed is refused, and one that is not needs none. */
static enum dbk_code take_keys(struct restore *restore, struct dbk_error *err)
{
    const struct config *config = restore->tool->config;
    char from[PATH_MAX];
    enum dbk_code code = DBK_OK;

    if (!tool_keys_there(config)) {
        if (!backup_keys_find(restore->from, from))
            return DBK_OK;
        code = backup_keys_place(config, from, &restore->placed, err);
    }
    return code == DBK_OK ? tool_keys_open(restore->tool, true, &restore->keys, err)
                          : code;
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
    code = take_keys(restore, err);
    if (code == DBK_OK)
        code = fill(restore, err);
    backup_folder_leave(&folder);
    dbk_keys_close(restore->keys);
    if (code == DBK_OK)
        return staging_place(&restore->staging, err);
    backup_keys_take_back(&restore->placed);
    staging_abandon(&restore->staging);
    return code;
}

static const char *keys_of(const struct restore *restore, const char *backup,
                           const char *here, const char *none)
{
    if (restore->placed.ring)
        return backup;
    return tool_keys_there(restore->tool->config) ? here : none;
}

static void print_json(const struct restore *restore)
{
    const struct dbk_restored *done = &restore->done;

    printf("{\"head\":%" PRIu64 ",\"continued\":", done->head);
    if (restore->continues)
        printf("{\"records\":%" PRIu64 ",\"gap\":%" PRIu64
               ",\"readable_behind\":%" PRIu64 "}",
               done->head - done->own, done->gap, done->behind_gap);
    else
        fputs("null", stdout);
    audit_held_print_json(restore->held);
    printf(",\"keys\":%s", keys_of(restore, "\"backup\"", "\"here\"", "null"));
    printf(",\"seconds\":%.3f}\n", progress_seconds(&restore->progress));
}

static void print_text(const struct restore *restore)
{
    const struct dbk_restored *done = &restore->done;

    printf("records       1 to %" PRIu64 ", all of them checked\n", done->head);
    if (restore->continues && done->head > done->own)
        printf("continued     from record %" PRIu64 " on with %s\n", done->own + 1,
               restore->tail);
    else if (restore->continues)
        printf(
            "continued     with nothing: %s has nothing readable behind record %" PRIu64
            "\n",
            restore->tail, done->own);
    audit_held_print(restore->held);
    fputs(keys_of(
              restore,
              "keys          those of the backup; who was erased after it can be read "
              "again\n",
              "keys          those that were here\n", ""),
          stdout);
    printf("seconds       %.2f\n", progress_seconds(&restore->progress));
    printf("next          %s\n", staging_next(&restore->staging));
}

/* A log has no holes, so what is behind one cannot be in it. */
static enum tool_exit tell_gap(const struct restore *restore)
{
    const struct dbk_restored *done = &restore->done;

    if (done->gap == 0)
        return TOOL_DONE;
    fprintf(stderr,
            "daybook restore: record %" PRIu64
            " of %s cannot be read, so it ends before "
            "it; %" PRIu64 " records behind it can be, and were not taken: daybook "
            "export --salvage --from %" PRIu64 " writes them to a file\n",
            done->gap, restore->tail, done->behind_gap, done->gap + 1);
    return TOOL_DIFFERENT;
}

static enum tool_exit conclude(const struct restore *restore, struct dbk_error *err)
{
    if (err->code == DBK_INTERRUPTED)
        dbk_fail(err, err->code, "stopped; nothing was restored: run the same again");
    return tool_refuse(restore->tool, err);
}

static enum tool_exit restore_all(struct restore *restore)
{
    struct dbk_error err;

    progress_start(&restore->progress, tool_progress(restore->tool));
    if (restore_into(restore, &err) != DBK_OK)
        return conclude(restore, &err);
    log_place_made(restore->tool);
    if (tool_has(restore->tool, "--json"))
        print_json(restore);
    else
        print_text(restore);
    return tell_gap(restore);
}

static enum tool_exit run(struct tool *tool)
{
    struct restore restore = {.tool = tool};
    enum tool_exit exit;
    struct dbk_error err;

    if (position_range_parse(NULL, tool_value(tool, "--to"), &restore.range, &err) !=
        DBK_OK)
        return tool_misused(tool, "%s", err.text);
    restore.continues = tool_has(tool, "--continue-with");
    if (!backup_folder_find(tool->operands[0], restore.from) ||
        (restore.continues &&
         !backup_folder_find(tool_value(tool, "--continue-with"), restore.tail)))
        return tool_misused(tool, "the path is too long");
    if (restore.continues && restore.range.has_to && restore.range.to.is_time)
        return tool_misused(tool, "--continue-with takes a sequence for --to");
    if (tool_has(tool, "--member") && (restore.continues || restore.range.has_to))
        return tool_misused(tool, "--member takes the whole backup: without --to and "
                                  "--continue-with");
    signals_hold();
    if (audit_held_begin(tool, &restore.held, &err) == DBK_OK)
        exit = restore_all(&restore);
    else
        exit = tool_refuse(tool, &err);
    audit_held_destroy(restore.held);
    return exit;
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
        "With --to, what is behind it is not looked at: so a damaged backup, or data\n"
        "directory, gives what is before the damage. --continue-with takes what LOG\n"
        "(a data directory, its log, or data.mdb), damaged as it may be, has behind "
        "the\n"
        "backup's last record, if it is of the same history: up to the first record\n"
        "that cannot be read, which is told.\n"
        "\n"
        "With --member, of a backup of a cluster's member, it keeps its id and its "
        "place\n"
        "there: `daybook serve` takes the rest from the cluster. Two members may be "
        "made "
        "of\n"
        "one backup; without --member it is a log of its own, outside of the cluster.\n"
        "\n"
        "What was made is held against the checkpoint that the backup has, and those "
        "of\n"
        "--checkpoint: so a backup that was changed, with all checksums put right, is\n"
        "refused (docs/proofs.md).\n"
        "\n"
        "A sealed log is restored with the ring in DATA_DIR/keys, if one is there; "
        "else\n"
        "with that of the backup, which is put there; over no master key that is "
        "there\n"
        "or configured, by which it must open then. One that was made without keys\n"
        "needs the log's ring, and its master key, put there first; where those are\n"
        "lost for good, import --without-keys takes an export of it.\n"
        "\n"
        "Exit codes: 0 done; 1 the backup is damaged or not what was signed, or LOG\n"
        "was not taken to its end; 2 wrong use; 3 it could not be done. Where it says\n"
        "nothing else, nothing is left behind.\n",
    .example = "  daybook restore /mnt/backups/daybook-2026-11-23 --data-dir /srv/new\n"
               "  daybook restore backup --to 2026-11-23T17:00:00 --data-dir before\n"
               "  daybook restore backup --continue-with damaged --data-dir /srv/new\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--to", "P", "End with this record", false},
            {"--continue-with", "LOG", "Go on with what a damaged log has behind FROM",
             false},
            {"--member", NULL, "Stay the member of a cluster that FROM was", false},
            {"--checkpoint", "FILE", "Hold it against this one, too; again for more",
             true},
            {"--vkey", "KEY", "Key that must have signed it, or a file of some", false},
            {"--no-checkpoint", NULL, "Take it though it is not what was signed",
             false},
            {"--json", NULL, "Print one JSON object", false},
        },
    .run = run,
};
