#include "export_checkpoint.h"

#include "audit_file.h"
#include "audit_proof.h"
#include "escape.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where nothing was signed yet, a checkpoint is of no records, and says nothing. */
static void read_last(struct export_checkpoint *checkpoint,
                      struct dbk_signed_checkpoint *out)
{
    struct dbk_error err;
    enum dbk_code code = audit_last_read(checkpoint->tool, out, &err);

    if (code != DBK_OK || out->checkpoint.size == 0)
        out->length = 0;
    if (code != DBK_OK && code != DBK_NOT_FOUND)
        checkpoint->why = err;
    else
        *checkpoint->why.text = '\0';
}

void export_checkpoint_begin(const struct tool *tool,
                             struct export_checkpoint *checkpoint)
{
    checkpoint->tool = tool;
    read_last(checkpoint, &checkpoint->before);
}

static const struct dbk_signed_checkpoint *
choose(const struct export_checkpoint *checkpoint, uint64_t last)
{
    if (checkpoint->before.length == 0)
        return &checkpoint->after;
    return checkpoint->after.length == 0 || (checkpoint->after.checkpoint.size > last &&
                                             checkpoint->before.checkpoint.size <= last)
               ? &checkpoint->before
               : &checkpoint->after;
}

/* By the same key, of the same records: what stands above the signatures is the same. */
static bool is_same(const struct dbk_signed_checkpoint *chosen, const char *text,
                    size_t length)
{
    size_t above = (size_t)(strstr(chosen->text, "\n\n") + 2 - chosen->text);

    return length > above && !memcmp(chosen->text, text, above);
}

/* The same with the signatures of witnesses, where they have signed it and there is room. */
static bool carry_cosigned(const struct export_checkpoint *checkpoint,
                           const struct dbk_signed_checkpoint *chosen,
                           struct export_trailer *trailer)
{
    char dir[4096], path[DBK_AUDIT_PATH], *text = NULL;
    size_t length;
    bool carried = tool_audit_dir(checkpoint->tool->config, dir, sizeof dir, NULL) &&
                   dbk_audit_path(dir, "cosigned", path) &&
                   audit_file_read(path, &text, &length, NULL) == DBK_OK &&
                   is_same(chosen, text, length) &&
                   export_trailer_carry(trailer, (struct dbk_slice){text, length});

    free(text);
    return carried;
}

void export_checkpoint_sign(void *context, struct export_trailer *trailer)
{
    struct export_checkpoint *checkpoint = context;
    const struct dbk_signed_checkpoint *chosen;

    read_last(checkpoint, &checkpoint->after);
    chosen = choose(checkpoint, trailer->last);
    if (chosen->length == 0)
        return;
    *checkpoint->why.text = '\0';
    if (!carry_cosigned(checkpoint, chosen, trailer) &&
        !export_trailer_carry(trailer,
                              (struct dbk_slice){chosen->text, chosen->length}))
        dbk_fail(&checkpoint->why, DBK_TOO_LARGE, "it is too long for a trailer");
}

void export_checkpoint_tell(const struct export_checkpoint *checkpoint)
{
    if (!*checkpoint->why.text)
        return;
    fputs("daybook export: the trailer carries no checkpoint: ", stderr);
    escape_plain(stderr, dbk_slice(checkpoint->why.text));
    fputc('\n', stderr);
}
