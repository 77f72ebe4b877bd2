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
    struct reseal_origin origin;
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
        code = reseal_origin_find(log, head, reseal->given,
                                  tool_has(reseal->tool, "--no-checkpoint"), &watch,
                                  &reseal->origin, err);
    if (code == DBK_OK)
        code = reseal_copy(log, &reseal->origin, reseal->staging.tmp, &reseal->ring,
                           tool_has(reseal->tool, "--keep-deleted"), &watch,
                           &reseal->done, err);
    dbk_log_close(log);
    progress_clear(&reseal->progress);
    return code;
}

static enum dbk_code reseal_into(struct reseal *reseal, struct dbk_error *err)
{
    struct backup_folder folder;
    enum dbk_code code = import_ring_check(reseal->tool->config, err);

    if (code == DBK_OK)
        code = staging_begin(reseal->tool->config, &reseal->staging, err);
    if (code != DBK_OK)
        return code;
    backup_folder_enter(&folder, reseal->from);
    code = copy(reseal, err);
    backup_folder_leave(&folder);
    if (code == DBK_OK)
        code = import_ring_place(&reseal->ring, err);
    reseal->staging.take_back = import_ring_take_back;
    reseal->staging.context = &reseal->ring;
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

/* The next record says it. */
static void print_origin(const struct reseal_origin *origin)
{
    char id[DBK_UUID_TEXT + 1], root[DBK_HASH_TEXT + 1];

    if (origin->size == 0)
        return;
    dbk_uuid_format(&origin->store_id, id);
    dbk_hash_format(&origin->root, root);
    printf("made of       the log %s, root %s\n", id, root);
    if (origin->checkpoint)
        printf("checkpoint    %s signed %" PRIu64 " of them\n", origin->is.origin,
               origin->is.size);
    else
        puts("checkpoint    none");
    printf("said by       record %" PRIu64 ", log.resealed\n", origin->size + 1);
}

static void print_text(const struct reseal *reseal)
{
    const char *dir = config_text(reseal->tool->config, SETTING_DATA_DIR);

    printf("records       1 to %" PRIu64 ", under their sequences and times\n",
           reseal->done.records);
    print_origin(&reseal->origin);
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
    const struct reseal_origin *origin = &reseal->origin;
    char id[DBK_UUID_TEXT + 1], root[DBK_HASH_TEXT + 1];

    dbk_uuid_format(&origin->store_id, id);
    dbk_hash_format(&origin->root, root);
    printf("{\"records\":%" PRIu64 ",\"store_id\":\"%s\",\"root\":\"%s\","
           "\"checkpoint_records\":",
           reseal->done.records, id, root);
    if (origin->checkpoint)
        printf("%" PRIu64, origin->is.size);
    else
        fputs("null", stdout);
    printf(",\"deleted_persons\":%" PRIu64 ",\"seconds\":%.3f}\n", reseal->done.persons,
           progress_seconds(&reseal->progress));
}

static enum tool_exit reseal_run(struct tool *tool, struct reseal *reseal)
{
    struct dbk_error err;

    if (reseal_into(reseal, &err) != DBK_OK) {
        if (err.code == DBK_INTERRUPTED)
            dbk_fail(&err, err.code, "stopped; nothing was made: run the same again");
        return tool_refuse(tool, &err);
    }
    settle(tool);
    log_place_made(tool);
    if (tool_has(tool, "--json"))
        print_json(reseal);
    else
        print_text(reseal);
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    enum tool_exit exit;
    struct reseal reseal = {.tool = tool, .given = tool->operands[0]};
    struct dbk_error err;

    if (!backup_folder_find(reseal.given, reseal.from))
        return tool_misused(tool, "the path is too long");
    signals_hold();
    if (lock_look(reseal.given, &err) != DBK_OK && err.code == DBK_CONFLICT)
        return tool_fail(tool, &err);
    reseal.ring = (struct import_ring){.tool = tool, .anew = true};
    progress_start(&reseal.progress, tool_progress(tool));
    exit = reseal_run(tool, &reseal);
    reseal_origin_finish(&reseal.origin);
    return exit;
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
               "log the key is destroyed at once, or with --keep-deleted is not. "
               "Idempotency keys\n"
               "are left behind.\n"
               "\n"
               "It is a log of its own: its bytes are others, so it is signed under "
               "another name.\n"
               "One more record, log.resealed, ends it: how many records FROM has, "
               "their root, and\n"
               "the newest checkpoint that was signed of it, which it is held against "
               "first.\n"
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
            {"--no-checkpoint", NULL, "Take FROM as it is, whatever was signed of it"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
