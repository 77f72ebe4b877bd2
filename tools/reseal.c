/* daybook reseal - makes a sealed log of one that is not. */
#include "backup_folder.h"
#include "command.h"
#include "lock.h"
#include "log_place.h"
#include "plural.h"
#include "progress.h"
#include "reseal_copy.h"
#include "signals.h"
#include "staging.h"
#include "store/log.h"
#include "tool_keys.h"

#include <inttypes.h>
#include <string.h>

struct reseal {
    const struct tool *tool;
    const char *given;
    char from[PATH_MAX]; /* the folder of the log */
    struct staging staging;
    struct import_ring ring;
    struct progress progress;
    struct resealed done;
};

/* What a server appends meanwhile would be in the old log only. */
static enum dbk_code check_source(const struct reseal *reseal, struct dbk_log *log,
                                  struct dbk_error *err)
{
    if (dbk_log_is_sealed(log))
        return dbk_fail(err, DBK_CONFLICT, "%.300s is sealed already", reseal->given);
    return log_place_check_alone(
        log,
        "take it out of the cluster first, and begin that anew with the sealed one",
        err);
}

static enum dbk_code open_source(const struct reseal *reseal, struct dbk_log **log,
                                 struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    enum dbk_code code = dbk_log_open(reseal->from, &options, log, err);

    if (code != DBK_OK)
        return dbk_wrap(err, "%.300s", reseal->given);
    code = check_source(reseal, *log, err);
    if (code != DBK_OK)
        dbk_log_close(*log);
    return code;
}

static enum dbk_code copy(struct reseal *reseal, struct dbk_error *err)
{
    const struct dbk_watch watch = progress_watch(&reseal->progress, NULL);
    struct dbk_log *log;
    uint64_t head;
    enum dbk_code code = open_source(reseal, &log, err);

    if (code != DBK_OK)
        return code;
    code = dbk_log_head(log, &head, err);
    if (code == DBK_OK)
        code = reseal_copy(log, head, reseal->staging.tmp, &reseal->ring,
                           tool_has(reseal->tool, "--keep-deleted"), &watch,
                           &reseal->done, err);
    dbk_log_close(log);
    progress_clear(&reseal->progress);
    return code;
}

static enum dbk_code check_target(const struct reseal *reseal, struct dbk_error *err)
{
    if (!tool_keys_there(reseal->tool->config))
        return DBK_OK;
    return dbk_fail(
        err, DBK_EXISTS,
        "%.300s/keys has a ring of keys already: move it away, or give another "
        "--data-dir",
        config_text(reseal->tool->config, SETTING_DATA_DIR));
}

static enum dbk_code reseal_into(struct reseal *reseal, struct dbk_error *err)
{
    struct backup_folder folder;
    enum dbk_code code = check_target(reseal, err);

    if (code == DBK_OK)
        code = staging_begin(reseal->tool->config, &reseal->staging, err);
    if (code != DBK_OK)
        return code;
    backup_folder_enter(&folder, reseal->from);
    code = copy(reseal, err);
    backup_folder_leave(&folder);
    if (code == DBK_OK)
        code = import_ring_place(&reseal->ring, err);
    if (code == DBK_OK)
        return staging_place(&reseal->staging, err);
    import_ring_end(&reseal->ring);
    staging_abandon(&reseal->staging);
    return code;
}

/* Whoever writes binds the ring to the log. */
static void settle(const struct tool *tool)
{
    struct dbk_error err;
    struct dbk_log *log;

    if (log_place_open(tool, false, NULL, &log, &err) != DBK_OK)
        logger_line(tool->logger, LOG_LEVEL_WARN, err.text);
    else
        dbk_log_close(log);
}

static void print_text(const struct reseal *reseal)
{
    const char *dir = config_text(reseal->tool->config, SETTING_DATA_DIR);

    printf("records       1 to %" PRIu64 ", under their sequences and times\n",
           reseal->done.records);
    printf("deleted       %s, whose keys are destroyed\n",
           plural(reseal->done.persons, "persons").text);
    printf("keys          %s/keys: keep a copy (daybook keys backup)\n", dir);
    printf("seconds       %.2f\n", progress_seconds(&reseal->progress));
    printf("next          daybook verify; copy `tokens` of the old data directory; "
           "daybook "
           "rebuild, or\n"
           "              daybook serve, for its tables; sign it under another name "
           "(AUDIT_ORIGIN)\n");
    printf(
        "destroy       %s, its backups and exports, in the end: whoever has them reads "
        "names\n"
        "              that are erased here\n",
        reseal->given);
}

static void print_json(const struct reseal *reseal)
{
    printf("{\"records\":%" PRIu64 ",\"deleted_persons\":%" PRIu64
           ",\"seconds\":%.3f}\n",
           reseal->done.records, reseal->done.persons,
           progress_seconds(&reseal->progress));
}

static enum tool_exit run(struct tool *tool)
{
    struct reseal reseal = {.tool = tool, .given = tool->operands[0]};
    struct dbk_error err;

    if (!backup_folder_find(reseal.given, reseal.from))
        return tool_misused(tool, "the path is too long");
    signals_hold();
    if (lock_look(reseal.given, &err) != DBK_OK && err.code == DBK_CONFLICT)
        return tool_fail(tool, &err);
    reseal.ring = (struct import_ring){.tool = tool, .anew = true};
    progress_start(&reseal.progress, tool_progress(tool));
    if (reseal_into(&reseal, &err) != DBK_OK) {
        if (err.code == DBK_INTERRUPTED)
            dbk_fail(&err, err.code, "stopped; nothing was made: run the same again");
        return tool_refuse(tool, &err);
    }
    settle(tool);
    log_place_made(tool);
    if (tool_has(tool, "--json"))
        print_json(&reseal);
    else
        print_text(&reseal);
    return TOOL_DONE;
}

const struct command command_reseal = {
    .name = "reseal",
    .purpose =
        "make a sealed log, from which persons can be erased, of one that is not",
    .operands = "FROM",
    .details = "FROM is a data directory that no server runs on, or a backup. The log "
               "is made in\n"
               "the empty data directory, with a new ring of keys: the same records "
               "under the same\n"
               "sequences, times and ids, so that versions (ETag) and Daybook-Sequence "
               "stay right;\n"
               "what they say of persons is sealed. Of persons who are deleted by the "
               "end of the\n"
               "log the key is destroyed at once, or with --keep-deleted is not. It is "
               "a log of\n"
               "its own: its bytes are others, so it is signed under another name. "
               "Idempotency\n"
               "keys are left behind.\n"
               "\n"
               "FROM is left as it is. Nobody is erased from it, nor from its backups "
               "and exports:\n"
               "when the new log is served and has a backup, destroy them.\n"
               "\n"
               "Killed at any moment there is the whole log, or none, and it can be "
               "run again.\n"
               "It takes some 100 bytes of memory for each person.\n",
    .example = "  daybook reseal /var/lib/daybook --data-dir /var/lib/daybook-sealed\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--keep-deleted", NULL, "Seal what was said of deleted persons, too"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
