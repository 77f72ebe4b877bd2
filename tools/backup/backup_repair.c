#include "backup_repair.h"

#include "backup_folder.h"
#include "compress.h"
#include "escape.h"
#include "import_export.h"
#include "lock.h"
#include "log_check.h"
#include "plural.h"
#include "store/log_builder.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One repair under way. */
struct repair {
    const struct tool *tool;
    const char *from;
    struct progress *progress;
    FILE *lines;
    char log[PATH_MAX], copy[PATH_MAX];
    char beside[PATH_MAX + 16], scratch[PATH_MAX + 16], imported[PATH_MAX + 16];
    struct dbk_keys *keys; /* NULL: there is no ring */
    struct backup_repair *out;
};

static void tell(void *context, uint64_t from, uint64_t to, bool taken,
                 const char *text)
{
    struct repair *repair = context;

    progress_clear(repair->progress);
    if (!repair->lines)
        return;
    if (from == to)
        fprintf(repair->lines, "record %" PRIu64, from);
    else
        fprintf(repair->lines, "records %" PRIu64 " to %" PRIu64, from, to);
    fputs(taken ? ": to be put back: " : ": cannot be put back: ", repair->lines);
    escape_plain(repair->lines, dbk_slice(text));
    fputc('\n', repair->lines);
}

static enum dbk_code name_all(struct repair *repair, struct dbk_error *err)
{
    const char *dir = config_text(repair->tool->config, SETTING_DATA_DIR);

    if (!tool_log_dir(repair->tool->config, repair->log, sizeof repair->log, err))
        return err->code;
    snprintf(repair->beside, sizeof repair->beside, "%.*s/log.tmp", PATH_MAX, dir);
    snprintf(repair->scratch, sizeof repair->scratch, "%.*s/check.tmp", PATH_MAX, dir);
    snprintf(repair->imported, sizeof repair->imported, "%.*s/repair.tmp", PATH_MAX,
             dir);
    if (backup_folder_find(repair->from, repair->copy))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "the path of what to repair from is too long");
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_same(const char *path, const char *other)
{
    char real[PATH_MAX], real_other[PATH_MAX];

    return realpath(path, real) && realpath(other, real_other) &&
           !strcmp(real, real_other);
}

/* An export becomes a log, which it is checked by. */
static enum dbk_code find_copy(struct repair *repair, struct dbk_error *err)
{
    if (is_same(repair->copy, repair->log))
        return dbk_fail(
            err, DBK_INVALID,
            "it cannot be repaired from itself: name a backup, or an export");
    if (!is_file(repair->copy))
        return DBK_OK;
    snprintf(repair->copy, sizeof repair->copy, "%.*s", PATH_MAX - 1, repair->imported);
    return import_export_fill(repair->tool, repair->from, repair->imported,
                              repair->progress, err);
}

static enum dbk_code check_built(struct repair *repair, struct dbk_error *err)
{
    struct log_check check;

    if (log_check_run(&check, repair->beside, repair->scratch, repair->keys,
                      repair->progress, err) != DBK_OK)
        return err->code;
    if (check.result.findings == 0 && check.result.head == repair->out->done.head)
        return DBK_OK;
    log_check_tell(&check, stderr);
    return dbk_fail(err, DBK_IO,
                    "the log that was built does not read back right: check this "
                    "machine's disk and memory; nothing was changed");
}

static enum dbk_code replace(struct repair *repair, struct dbk_error *err)
{
    char kept[PATH_MAX + 16];
    enum dbk_code code = check_built(repair, err);

    snprintf(kept, sizeof kept, "%s.damaged", repair->log);
    if (code == DBK_OK)
        code = dbk_log_replace(repair->log, repair->beside, kept, err);
    if (code == DBK_OK)
        snprintf(repair->out->kept, sizeof repair->out->kept, "%s", kept);
    else
        dbk_log_builder_remove(repair->beside);
    return code;
}

static enum dbk_code mend(struct repair *repair, struct dbk_error *err)
{
    const struct dbk_repair_options options = {
        .beside = repair->beside,
        .told = tell,
        .context = repair,
        .keys = repair->keys,
        .watch = progress_watch(repair->progress, repair->tool->logger)};
    struct backup_folder folder;
    enum dbk_code code = find_copy(repair, err);

    if (code != DBK_OK)
        return code;
    backup_folder_enter(&folder, repair->copy);
    code = dbk_log_repair_records(repair->log, repair->copy, &options,
                                  &repair->out->done, err);
    backup_folder_leave(&folder);
    progress_clear(repair->progress);
    if (code == DBK_CONFLICT)
        dbk_wrap(err, "%s", repair->from);
    return code == DBK_OK && repair->out->done.built ? replace(repair, err) : code;
}

enum dbk_code backup_repair_run(const struct tool *tool, const char *from,
                                struct progress *progress, FILE *lines,
                                struct backup_repair *out, struct dbk_error *err)
{
    struct repair repair = {
        .tool = tool, .from = from, .progress = progress, .lines = lines, .out = out};
    enum dbk_code code = name_all(&repair, err);
    int lock;

    *out = (struct backup_repair){.kept = ""};
    if (code != DBK_OK)
        return code;
    if (access(repair.log, F_OK) != 0) /* else the lock would make its directory */
        return dbk_fail(err, DBK_NOT_FOUND, "%s holds no log", repair.log);
    if (lock_take(config_text(tool->config, SETTING_DATA_DIR), &lock, err) != DBK_OK)
        return err->code;
    dbk_log_builder_remove(repair.beside); /* of a run that was killed */
    dbk_log_builder_remove(repair.imported);
    if (tool_keys_there(tool->config))
        code = tool_keys_open(tool, true, &repair.keys, err);
    if (code == DBK_OK)
        code = mend(&repair, err);
    dbk_keys_close(repair.keys);
    dbk_log_builder_remove(repair.imported);
    lock_release(lock);
    return code;
}

static uint64_t put_back(const struct backup_repair *repair)
{
    return repair->done.refused ? 0 : repair->done.taken;
}

void backup_repair_print(const struct backup_repair *repair, FILE *out)
{
    const struct dbk_repaired *done = &repair->done;

    if (done->damaged == 0)
        fputs("repair        no record is damaged: nothing was changed\n", out);
    else
        fprintf(out, "repair        %" PRIu64 " of %s put back\n", put_back(repair),
                plural(done->damaged, "damaged records").text);
    if (done->refused)
        fputs(
            "              nothing was changed: the structure of the file is damaged, "
            "and a\n"
            "              new log needs all records; see daybook restore "
            "--continue-with\n",
            out);
    if (*repair->kept)
        fprintf(
            out,
            "              in a new file, for the structure was damaged; the old one "
            "is kept: %s\n",
            repair->kept);
}

void backup_repair_print_json(const struct backup_repair *repair, FILE *out)
{
    if (!repair) {
        fputs("\"repair\":null", out);
        return;
    }
    fprintf(out,
            "\"repair\":{\"damaged\":%" PRIu64 ",\"put_back\":%" PRIu64 ",\"kept\":",
            repair->done.damaged, put_back(repair));
    if (*repair->kept)
        escape_string(out, repair->kept);
    else
        fputs("null", out);
    fputc('}', out);
}
