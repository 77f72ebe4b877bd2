#include "backup_checkpoint.h"

#include "audit_proof.h"
#include "escape.h"
#include "store/durable.h"

#include <limits.h>
#include <stdio.h>

void backup_checkpoint_read(const struct tool *tool, struct dbk_signed_checkpoint *out)
{
    struct dbk_error err;
    enum dbk_code code = audit_last_read(tool, out, &err);

    if (code == DBK_OK && out->checkpoint.size > 0)
        return;
    out->length = 0;
    if (code == DBK_OK || code == DBK_NOT_FOUND)
        return;
    fputs("daybook backup: it has no checkpoint: ", stderr);
    escape_plain(stderr, dbk_slice(err.text));
    fputc('\n', stderr);
}

enum dbk_code backup_checkpoint_put(const char *dir,
                                    const struct dbk_signed_checkpoint *checkpoint,
                                    struct dbk_error *err)
{
    char path[PATH_MAX + 16];

    if (checkpoint->length == 0)
        return DBK_OK;
    snprintf(path, sizeof path, "%s/" BACKUP_CHECKPOINT, dir);
    return dbk_write_file(path, 0600, checkpoint->text, checkpoint->length, err);
}
