#include "backup_bring.h"

#include "backup_checkpoint.h"
#include "backup_folder.h"
#include "backup_make.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code check_there(const char *to, struct dbk_error *err)
{
    char file[PATH_MAX + 16];

    snprintf(file, sizeof file, "%s/data.mdb", to);
    if (access(file, F_OK) == 0)
        return DBK_OK;
    return dbk_fail(err, DBK_EXISTS,
                    "%s is there, and is no backup: name one, or a new folder", to);
}

/* Also where nothing was new: it was seen to be up to date. */
static void touch(const char *to)
{
    char file[PATH_MAX + 16];

    snprintf(file, sizeof file, "%s/data.mdb", to);
    (void)utimensat(AT_FDCWD, file, NULL, 0);
}

static enum dbk_code append(const struct tool *tool, const char *to,
                            struct dbk_backup_appended *appended,
                            struct log_check *check, struct progress *progress,
                            struct dbk_error *err)
{
    struct dbk_backup_append_options options = {.finding = log_check_keep,
                                                .context = check,
                                                .watch =
                                                    progress_watch(progress, NULL)};
    struct dbk_signed_checkpoint checkpoint;
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code;
    char dir[PATH_MAX];

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    backup_checkpoint_read(tool, &checkpoint);
    if (tool_keys_there(tool->config))
        tool_keys_open(tool, true, &options.keys, &why);
    code = dbk_log_backup_append(dir, to, &options, appended, err);
    dbk_keys_close(options.keys);
    if (code == DBK_UNSUPPORTED && why.code != DBK_OK)
        dbk_fail(err, code, "the log is sealed: %s", why.text);
    progress_clear(progress);
    check->result.store_id = appended->store_id;
    check->result.head = appended->head;
    check->result.findings = appended->findings;
    check->result.shut = appended->sealed;
    if (code != DBK_OK || appended->findings > 0)
        return code; /* the older checkpoint still holds */
    touch(to);
    return backup_checkpoint_put(to, &checkpoint, appended->head, err);
}

enum dbk_code backup_bring(const struct tool *tool, const char *to,
                           struct dbk_backup_appended *appended,
                           struct log_check *check, struct progress *progress,
                           struct dbk_error *err)
{
    struct backup_folder folder;
    enum dbk_code code;

    memset(check, 0, sizeof *check);
    if (backup_check_place(tool, to, err) != DBK_OK || check_there(to, err) != DBK_OK ||
        backup_folder_enter_to_write(&folder, to, err) != DBK_OK)
        return err->code;
    folder.had_lock = false; /* one that is left is of a killed run */
    code = append(tool, to, appended, check, progress, err);
    backup_folder_leave(&folder);
    return code;
}
