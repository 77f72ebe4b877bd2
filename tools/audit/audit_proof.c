#include "audit_proof.h"

#include "audit_tree.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdlib.h>

enum { KEYS_MAX = 8 };

enum dbk_code audit_last_read(const struct tool *tool,
                              struct dbk_signed_checkpoint *last, struct dbk_error *err)
{
    struct dbk_vkey keys[KEYS_MAX];
    char dir[4096];
    size_t count;
    enum dbk_code code;

    if (!tool_audit_dir(tool->config, dir, sizeof dir, err) ||
        dbk_audit_keys(dir, keys, KEYS_MAX, &count, err) != DBK_OK)
        return err->code;
    code = dbk_fail(err, DBK_NOT_FOUND, "%s/keys.pub has no key", dir);
    while (code != DBK_OK && count-- > 0)
        code = dbk_audit_last(dir, &keys[count], last, err);
    return code;
}

static enum dbk_code prove(const struct tool *tool, uint64_t sequence,
                           const struct dbk_signed_checkpoint *last, char *out,
                           size_t *length, struct dbk_error *err)
{
    struct dbk_log_proof proof = {.index = sequence - 1,
                                  .checkpoint = {last->text, last->length}};
    const struct dbk_log_checkpoint *is = &last->checkpoint;
    struct audit_tree tree = {NULL, NULL};
    enum dbk_code code;

    if (sequence == 0 || sequence > is->size)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "record %" PRIu64 " is not in the newest checkpoint, which has "
                        "%" PRIu64 " records: daybook audit checkpoint makes another",
                        sequence, is->size);
    code = audit_tree_open(tool, is->size, &is->root, &tree, err);
    if (code == DBK_OK)
        code = dbk_tree_inclusion(tree.tree, proof.index, is->size, &proof.path, err);
    if (code == DBK_OK)
        *length = dbk_log_proof_format(&proof, out);
    audit_tree_close(&tree);
    return code;
}

enum dbk_code audit_proof_make(const struct tool *tool, uint64_t sequence, char **out,
                               size_t *length, struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    char *text = malloc(DBK_LOG_PROOF_TEXT + 1);
    enum dbk_code code;

    *out = NULL;
    if (!last || !text)
        code = dbk_fail(err, DBK_NO_MEMORY, "no memory for a proof");
    else
        code = audit_last_read(tool, last, err);
    if (code == DBK_OK)
        code = prove(tool, sequence, last, text, length, err);
    free(last);
    if (code == DBK_OK)
        *out = text;
    else
        free(text);
    return code;
}
