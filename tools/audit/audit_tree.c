#include "audit_tree.h"

#include "progress.h"
#include "signals.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <inttypes.h>

/* From the file, where the last that it is about is in the log. */
static void load(const struct tool *tool, struct dbk_tree *tree)
{
    char dir[4096], path[DBK_AUDIT_PATH];
    struct dbk_hash tile[DBK_TILE_WIDTH];
    uint64_t there;

    if (!tool_audit_dir(tool->config, dir, sizeof dir, NULL) ||
        !dbk_audit_path(dir, "tree", path) || dbk_tree_load(tree, path, NULL) != DBK_OK)
        return;
    there = dbk_tree_size(tree);
    if (there > 0 && dbk_tree_tile(tree, 0, there / DBK_TILE_WIDTH - 1, DBK_TILE_WIDTH,
                                   tile, NULL) != DBK_OK)
        dbk_tree_clear(tree);
}

static enum dbk_code check_root(struct dbk_tree *tree, uint64_t size,
                                const struct dbk_hash *root, struct dbk_error *err)
{
    struct dbk_hash own;
    enum dbk_code code = dbk_tree_root(tree, size, &own, err);

    if (code != DBK_OK || dbk_hash_equal(&own, root))
        return code;
    return dbk_fail(err, DBK_DAMAGED,
                    "the first %" PRIu64 " records of the log are not those that were "
                    "signed: daybook audit verify tells more",
                    size);
}

static enum dbk_code make(const struct tool *tool, uint64_t size,
                          struct audit_tree *tree, struct dbk_error *err)
{
    struct progress progress;
    struct dbk_watch watch = progress_watch(&progress, tool->logger);
    enum dbk_code code;

    progress_start(&progress, tool_progress(tool));
    code = dbk_tree_grow(tree->tree, size, &watch, err);
    progress_clear(&progress);
    return code;
}

enum dbk_code audit_tree_open(const struct tool *tool, uint64_t size,
                              const struct dbk_hash *root, struct audit_tree *tree,
                              struct dbk_error *err)
{
    struct dbk_tree_source source;
    enum dbk_code code;
    uint64_t head;

    *tree = (struct audit_tree){NULL, NULL};
    if (tool_log_open(tool, &tree->log, err) != DBK_OK ||
        dbk_log_head(tree->log, &head, err) != DBK_OK)
        return err->code;
    if (head < size)
        return dbk_fail(err, DBK_DAMAGED,
                        "the log has %" PRIu64 " records, and %" PRIu64 " were signed",
                        head, size);
    source = dbk_tree_of_log(tree->log);
    if (dbk_tree_create(&source, &tree->tree, err) != DBK_OK)
        return err->code;
    load(tool, tree->tree);
    if (make(tool, size, tree, err) != DBK_OK)
        return err->code;
    code = check_root(tree->tree, size, root, err);
    if (code != DBK_DAMAGED)
        return code;
    dbk_tree_clear(tree->tree); /* by the log alone */
    if (make(tool, size, tree, err) != DBK_OK)
        return err->code;
    return check_root(tree->tree, size, root, err);
}

void audit_tree_close(struct audit_tree *tree)
{
    dbk_tree_destroy(tree->tree);
    dbk_log_close(tree->log);
}
