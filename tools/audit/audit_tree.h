/* audit_tree.h - the tree of the data directory's log, for who proves by it. */
#ifndef DBK_TOOLS_AUDIT_TREE_H
#define DBK_TOOLS_AUDIT_TREE_H

#include "command.h"
#include "store/proof/tree.h"

struct audit_tree {
    struct dbk_log *log;
    struct dbk_tree *tree;
};

/* Open the log for reading, and make its tree of `size` entries: from the tree's file as far
 * as that is of this log. Its root must be this one. Close it either way.
 *
 * DBK_DAMAGED  the log has fewer records, or others than those
 * and as tool_log_open and dbk_tree_grow */
enum dbk_code audit_tree_open(const struct tool *tool, uint64_t size,
                              const struct dbk_hash *root, struct audit_tree *tree,
                              struct dbk_error *err);
void audit_tree_close(struct audit_tree *tree);

#endif
