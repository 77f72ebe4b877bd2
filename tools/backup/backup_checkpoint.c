#include "backup_checkpoint.h"

#include "audit_file.h"
#include "audit_proof.h"
#include "escape.h"
#include "store/durable.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void say_none(const struct dbk_error *why)
{
    fputs("daybook backup: it has no checkpoint: ", stderr);
    escape_plain(stderr, dbk_slice(why->text));
    fputc('\n', stderr);
}

void backup_checkpoint_read(const struct tool *tool, struct dbk_signed_checkpoint *out)
{
    struct dbk_error err;
    enum dbk_code code = audit_last_read(tool, out, &err);

    if (code == DBK_OK && out->checkpoint.size > 0)
        return;
    out->length = 0;
    if (code != DBK_OK && code != DBK_NOT_FOUND)
        say_none(&err);
}

/* A restore would refuse it for records that the log has lost. */
static void say_behind(const struct dbk_log_checkpoint *is, uint64_t head)
{
    struct dbk_error why;

    dbk_fail(&why, DBK_CONFLICT,
             "the newest is of %" PRIu64 " records, and the log has %" PRIu64
             ": daybook audit verify tells more",
             is->size, head);
    say_none(&why);
}

enum dbk_code backup_checkpoint_put(const char *dir,
                                    const struct dbk_signed_checkpoint *checkpoint,
                                    uint64_t head, struct dbk_error *err)
{
    char path[PATH_MAX + 16];

    if (checkpoint->length == 0)
        return DBK_OK;
    if (checkpoint->checkpoint.size > head) {
        say_behind(&checkpoint->checkpoint, head);
        return DBK_OK;
    }
    snprintf(path, sizeof path, "%s/" BACKUP_CHECKPOINT, dir);
    return dbk_write_file(path, 0600, checkpoint->text, checkpoint->length, err);
}

enum dbk_code backup_checkpoint_find(const char *dir, char **text, size_t *length,
                                     struct dbk_error *err)
{
    char path[PATH_MAX + 16];
    struct stat status;

    *text = NULL;
    *length = 0;
    snprintf(path, sizeof path, "%s/" BACKUP_CHECKPOINT, dir);
    if (stat(path, &status) != 0)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "look at", path);
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_DAMAGED, "%s is no file", path);
    if (audit_file_read(path, text, length, err) == DBK_OK)
        return DBK_OK;
    free(*text);
    *text = NULL;
    return err->code;
}
