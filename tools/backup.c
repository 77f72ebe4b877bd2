/* daybook backup - copies the log, while it is written to, to a folder of its own. */
#include "store/backup.h"
#include "command.h"
#include "lock.h"
#include "log_check.h"
#include "progress.h"
#include "signals.h"
#include "store/durable.h"
#include "tool_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One backup: made in partial, and renamed when it has been checked. */
struct backup {
    const char *to;
    char partial[PATH_MAX], scratch[PATH_MAX];
    int lock; /* partial, kept open so that nobody else writes it */
    struct log_check check;
};

/* dir with the ending behind its name, also where slashes follow that. */
static bool name_beside(const char *dir, const char *ending, char out[PATH_MAX])
{
    size_t length = strlen(dir);

    while (length > 1 && dir[length - 1] == '/')
        length--;
    return snprintf(out, PATH_MAX, "%.*s%s", (int)length, dir, ending) < PATH_MAX;
}

/* What a backup that was killed left, or one that failed. */
static void remove_files(const struct backup *backup)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", backup->partial, names[i]);
        unlink(path);
    }
}

/* Make partial, or take what a killed run left, and empty it. */
static enum dbk_code take_partial(struct backup *backup, struct dbk_error *err)
{
    if (mkdir(backup->partial, 0700) != 0 && errno != EEXIST)
        return dbk_system_fail(err, "make", backup->partial);
    backup->lock = open(backup->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (backup->lock < 0)
        return dbk_system_fail(err, "open", backup->partial);
    if (lock_partial(backup->lock, backup->partial, err) != DBK_OK)
        return err->code;
    remove_files(backup);
    return DBK_OK;
}

static enum dbk_code already_there(const char *to, struct dbk_error *err)
{
    return dbk_fail(err, DBK_EXISTS, "%s is there already: name a new folder", to);
}

static enum dbk_code check_free(const char *to, struct dbk_error *err)
{
    struct stat status;

    if (lstat(to, &status) == 0)
        return already_there(to, err);
    return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "make", to);
}

static enum dbk_code copy(const struct tool *tool, const struct backup *backup,
                          struct progress *progress, struct dbk_error *err)
{
    const struct dbk_backup_options options = {.compact = tool_has(tool, "--compact"),
                                               .watch = progress_watch(progress, NULL)};
    enum dbk_code code;
    char dir[4096];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = dbk_log_backup(dir, backup->partial, &options, err);
    progress_clear(progress);
    if (code == DBK_DAMAGED && options.compact)
        dbk_wrap(err, "without --compact it is copied as it is");
    return code;
}

static enum dbk_code give_name(const struct backup *backup, struct dbk_error *err)
{
    char lock[PATH_MAX + 16];

    snprintf(lock, sizeof lock, "%s/lock.mdb", backup->partial);
    unlink(lock); /* of the check just made */
    if (rename(backup->partial, backup->to) == 0)
        return dbk_sync_parent(backup->to, err);
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return already_there(backup->to, err);
    return dbk_system_fail(err, "make", backup->to);
}

static enum dbk_code make_and_check(const struct tool *tool, struct backup *backup,
                                    struct progress *progress, struct dbk_error *err)
{
    enum dbk_code code = copy(tool, backup, progress, err);

    if (code == DBK_OK)
        code = log_check_run(&backup->check, backup->partial, backup->scratch, progress,
                             err);
    if (code == DBK_OK)
        code = give_name(backup, err);
    if (code != DBK_OK) {
        remove_files(backup);
        rmdir(backup->partial);
    }
    return code;
}

/* Whether the folder that path is to be made in is dir, or lies in it. */
static bool lies_in(const char *path, const char *dir)
{
    char parent[PATH_MAX], real[PATH_MAX], real_dir[PATH_MAX];
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (snprintf(parent, sizeof parent, "%.*s.", (int)length, path) >= PATH_MAX ||
        !realpath(parent, real) || !realpath(dir, real_dir))
        return false; /* making it tells what is wrong */
    length = strlen(real_dir);
    return !strncmp(real, real_dir, length) &&
           (real[length] == '/' || real[length] == '\0');
}

/* The log's own folder has no other files: what is in it goes with it. */
static enum dbk_code check_place(const struct tool *tool, const char *to,
                                 struct dbk_error *err)
{
    char dir[PATH_MAX];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    if (lies_in(to, dir))
        return dbk_fail(err, DBK_INVALID,
                        "%s lies in the log's own folder: name one outside of it", to);
    return check_free(to, err);
}

static enum dbk_code make(const struct tool *tool, struct backup *backup,
                          struct progress *progress, struct dbk_error *err)
{
    enum dbk_code code = check_place(tool, backup->to, err);

    if (code != DBK_OK)
        return code;
    if (!name_beside(backup->to, ".partial", backup->partial) ||
        !name_beside(backup->to, ".check", backup->scratch))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    code = take_partial(backup, err);
    if (code == DBK_OK)
        code = make_and_check(tool, backup, progress, err);
    if (backup->lock >= 0)
        close(backup->lock);
    return code;
}

static uint64_t file_bytes(const char *dir)
{
    char path[PATH_MAX + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/data.mdb", dir);
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void print_done(const struct tool *tool, const struct backup *backup,
                       double seconds)
{
    uint64_t findings = backup->check.result.findings, head = backup->check.result.head;

    if (tool_has(tool, "--json")) {
        printf("{\"head\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"findings\":%" PRIu64
               ",\"seconds\":%.3f}\n",
               head, file_bytes(backup->to), findings, seconds);
        return;
    }
    printf("folder        %s\n", backup->to);
    printf("records       %" PRIu64 "%s\n", head,
           findings ? "" : ", all of them checked");
    printf("bytes         %" PRIu64 "\n", file_bytes(backup->to));
    printf("seconds       %.2f\n", seconds);
}

static enum tool_exit conclude(const struct tool *tool, const struct backup *backup,
                               struct dbk_error *err)
{
    if (err->code == DBK_INTERRUPTED)
        dbk_fail(err, err->code, "stopped; %s was not made: run it again", backup->to);
    return tool_refuse(tool, err);
}

static enum tool_exit run(struct tool *tool)
{
    struct backup backup = {.to = tool->operands[0], .lock = -1};
    struct progress progress;
    struct dbk_error err;

    if (!*backup.to)
        return tool_misused(tool, "TO is empty: name the folder to be made");
    signals_hold();
    progress_start(&progress, tool_progress(tool));
    if (make(tool, &backup, &progress, &err) != DBK_OK)
        return conclude(tool, &backup, &err);
    print_done(tool, &backup, progress_seconds(&progress));
    if (backup.check.result.findings == 0)
        return TOOL_DONE;
    log_check_tell(&backup.check, stderr);
    fprintf(stderr,
            "daybook backup: the copy was kept, and has the damage that the log "
            "has: daybook verify tells what to do\n");
    return TOOL_DIFFERENT;
}

const struct command command_backup = {
    .name = "backup",
    .purpose = "copy the log to a new folder while it is in use, and check the copy",
    .operands = "TO",
    .details =
        "Copies the log as it is at one moment, beside a running server and without\n"
        "one, and syncs and checks the copy: TO appears when that is done. It holds\n"
        "every write that was acknowledged before. The tables need no backup: they "
        "are\n"
        "posted from the log. Idempotency keys come along.\n"
        "\n"
        "Exit codes: 0 done, 1 the log is damaged and so is the copy, 2 wrong use, 3\n"
        "it could not be made, and TO is not there.\n",
    .example =
        "  daybook backup /mnt/backups/daybook-$(date +%F)\n"
        "  daybook restore /mnt/backups/daybook-2026-11-23 --data-dir /srv/new\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 1,
    .options =
        {
            {"--compact", NULL, "Leave free pages out: smaller, and slower to make"},
            {"--json", NULL, "Print one JSON object"},
        },
    .run = run,
};
