/* daybook reseal - makes a sealed log of one that is not, or is not by month. */
#include "command.h"
#include "directory.h"
#include "log_place.h"
#include "plural.h"
#include "progress.h"
#include "reseal_copy.h"
#include "signals.h"
#include "staging.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

struct reseal {
    const struct tool *tool;
    const char *given;
    struct reseal_how how;
    struct reseal_source source;
    struct staging staging;
    struct staged_ring ring;
    struct progress progress;
    struct reseal_origin origin;
    struct resealed done;
};

static bool was_sealed(const struct reseal *reseal)
{
    return reseal->source.keys > 0;
}

/* FROM is to be destroyed in the end, with all that lies in it. */
static bool lies_in_source(const struct reseal *reseal)
{
    char from[PATH_MAX], made[PATH_MAX];
    size_t length;

    directory_absolute(reseal->given, from);
    directory_absolute(config_text(reseal->tool->config, SETTING_DATA_DIR), made);
    length = strlen(from);
    return strncmp(made, from, length) == 0 && made[length] == '/';
}

static enum dbk_code check_source(const struct reseal *reseal, struct dbk_error *err)
{
    if (lies_in_source(reseal))
        return dbk_fail(err, DBK_CONFLICT,
                        "the new log would lie in %.300s, which is to be destroyed in "
                        "the end: give a --data-dir outside of it",
                        reseal->given);
    if (!was_sealed(reseal) || reseal->how.by_month)
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "%.300s is sealed already: with --by-month, or RETENTION set, it is "
        "sealed anew, so that events can be forgotten by age",
        reseal->given);
}

static enum dbk_code copy(struct reseal *reseal, struct dbk_error *err)
{
    const struct dbk_watch watch = progress_watch(&reseal->progress, NULL);
    enum dbk_code code = check_source(reseal, err);

    if (code == DBK_OK)
        code = reseal_origin_find(
            reseal->source.log, reseal->source.head, reseal->given,
            tool_has(reseal->tool, "--no-checkpoint"), &watch, &reseal->origin, err);
    if (code == DBK_OK)
        code = reseal_copy(&reseal->source, &reseal->origin, reseal->staging.tmp,
                           &reseal->ring, &reseal->how, &watch, &reseal->done, err);
    progress_clear(&reseal->progress);
    return code;
}

static enum dbk_code reseal_into(struct reseal *reseal, struct dbk_error *err)
{
    enum dbk_code code = staged_ring_check(reseal->tool->config, err);

    if (code == DBK_OK)
        code = staging_begin(reseal->tool->config, &reseal->staging, err);
    if (code != DBK_OK)
        return code;
    code = reseal_source_open(reseal->tool, reseal->given, &reseal->source, err);
    if (code == DBK_OK)
        code = copy(reseal, err);
    reseal_source_close(&reseal->source);
    if (code == DBK_OK)
        code = staged_ring_place(&reseal->ring, err);
    reseal->staging.take_back = staged_ring_take_back;
    reseal->staging.context = &reseal->ring;
    if (code == DBK_OK)
        return staging_place(&reseal->staging, err);
    staged_ring_end(&reseal->ring);
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

/* Nobody else knows where it lies. */
static void print_destroy(const struct reseal *reseal)
{
    const struct reseal_source *source = &reseal->source;

    printf(
        "destroy       %s, its backups and exports, in the end: whoever has them reads "
        "%s\n"
        "              that %s here\n",
        reseal->given, was_sealed(reseal) ? "events" : "names",
        was_sealed(reseal) ? "are forgotten, and names that are erased,"
                           : "are erased");
    if (!was_sealed(reseal))
        return;
    printf(
        "              and its ring of keys, %s, with each copy of it: it opens all of "
        "these\n",
        source->ring);
    if (source->master[0])
        printf(
            "              (the master key %s is the new ring's, too: daybook keys "
            "rotate\n"
            "              of the new one makes every copy of the old one worthless; "
            "never rotate\n"
            "              the old one: nobody could open the new one any more)\n",
            source->master);
    else
        printf("              and its master key, %s/master, with each copy\n",
               source->ring);
}

static void print_months(const struct reseal *reseal)
{
    if (reseal->how.by_month)
        puts("events        sealed by month, too: they can be forgotten by age "
             "(RETENTION)");
    else
        puts("events        sealed by person only: with --by-month, or RETENTION set, "
             "they could be\n"
             "              forgotten by age");
    if (reseal->done.forgotten > 0)
        printf("              %s that had expired before can no longer be read\n",
               plural(reseal->done.forgotten, "events").text);
}

static void print_text(const struct reseal *reseal)
{
    const char *dir = config_text(reseal->tool->config, SETTING_DATA_DIR);

    printf("records       1 to %" PRIu64 ", under their sequences and times\n",
           reseal->done.records);
    print_origin(&reseal->origin);
    printf("deleted       %s, whose keys are destroyed\n",
           plural(reseal->done.persons, "persons").text);
    if (was_sealed(reseal))
        printf("unreadable    %s, as before: of who was erased, or forgotten by age\n",
               plural(reseal->done.unread, "records").text);
    print_months(reseal);
    printf("keys          %s/keys: keep a copy (daybook keys backup)\n", dir);
    printf("seconds       %.2f\n", progress_seconds(&reseal->progress));
    printf("next          daybook verify; copy `tokens` of the old data directory; "
           "daybook "
           "rebuild, or\n"
           "              daybook serve, for its tables; sign it under another name "
           "(AUDIT_ORIGIN)\n");
    print_destroy(reseal);
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
    printf(",\"deleted_persons\":%" PRIu64 ",\"was_sealed\":%s,\"unreadable\":%" PRIu64
           ",\"by_month\":%s,\"forgotten_events\":%" PRIu64 ",\"seconds\":%.3f}\n",
           reseal->done.persons, was_sealed(reseal) ? "true" : "false",
           reseal->done.unread, reseal->how.by_month ? "true" : "false",
           reseal->done.forgotten, progress_seconds(&reseal->progress));
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

    signals_hold();
    reseal.how = (struct reseal_how){
        .keep_deleted = tool_has(tool, "--keep-deleted"),
        .by_month = tool_has(tool, "--by-month") ||
                    config_number(tool->config, SETTING_RETENTION) > 0,
    };
    reseal.ring = (struct staged_ring){.tool = tool, .anew = true};
    progress_start(&reseal.progress, tool_progress(tool));
    exit = reseal_run(tool, &reseal);
    reseal_origin_finish(&reseal.origin);
    return exit;
}

const struct command command_reseal = {
    .name = "reseal",
    .purpose =
        "make a sealed log, from which persons can be erased, of one that is not; "
        "or one by month",
    .operands = "FROM",
    .details =
        "FROM is a data directory that no server runs on, or a backup. The log "
        "is made in\n"
        "the empty data directory, with a new ring of keys: the same records "
        "under the same\n"
        "sequences, times and ids, so that Daybook-Sequence stays right (an ETag "
        "does not);\n"
        "what they say of persons is sealed. Of persons who are deleted by the "
        "end of the\n"
        "log the key is destroyed at once, or with --keep-deleted is not. "
        "Idempotency keys\n"
        "are left behind.\n"
        "\n"
        "Where RETENTION is set, or with --by-month, events are sealed by their "
        "month, too, so\n"
        "that those of before can be forgotten by age. A log that is sealed "
        "already can be\n"
        "sealed so anew: it is read with the ring that lies there. Who was "
        "erased stays so,\n"
        "what can no longer be read still counts, and events that have expired "
        "are forgotten.\n"
        "\n"
        "It is a log of its own: its bytes are others, so it is signed under "
        "another name.\n"
        "One more record, log.resealed, ends it: how many records FROM has, "
        "their root, and\n"
        "the newest checkpoint that was signed of it, which it is held against "
        "first.\n"
        "\n"
        "FROM is left as it is. Nobody is erased from it, nor from its backups "
        "and exports,\n"
        "and its ring opens all of them: when the new log is served and has a "
        "backup, destroy\n"
        "them, and each copy of that ring.\n"
        "\n"
        "Killed at any moment there is the whole log, or none, and it can be "
        "run again.\n"
        "It takes some 100 bytes of memory for each person.\n",
    .example = "  daybook reseal /var/lib/daybook --data-dir /var/lib/daybook-sealed\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_EVENTS,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--by-month", NULL, "Seal events by month, too, whatever RETENTION says"},
            {"--keep-deleted", NULL, "Seal what was said of deleted persons, too"},
            {"--no-checkpoint", NULL, "Take FROM as it is, whatever was signed of it"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
