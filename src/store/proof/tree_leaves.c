/* Leaves, read from the log again: what it has now must be what was hashed. */
#include "tree_private.h"

#include <inttypes.h>
#include <string.h>

enum dbk_code tree_differs(uint64_t first, uint64_t last, struct dbk_error *err)
{
    if (first == last)
        return dbk_fail(err, DBK_DAMAGED,
                        "record %" PRIu64 " is not what it was when it was hashed",
                        first);
    return dbk_fail(err, DBK_DAMAGED,
                    "records %" PRIu64 " to %" PRIu64
                    ": at least one is not what it was when they were hashed",
                    first, last);
}

/* How many of the n-th 256 are in the tree. */
static size_t count_group(struct dbk_tree *tree, uint64_t n)
{
    uint64_t size = dbk_tree_size(tree);

    if (n < size / TREE_WIDTH)
        return TREE_WIDTH;
    return n == size / TREE_WIDTH ? size % TREE_WIDTH : 0;
}

static enum dbk_code check_group(struct dbk_tree *tree, uint64_t n, size_t count,
                                 const struct dbk_hash *leaves, struct dbk_error *err)
{
    struct dbk_hash known[TREE_WIDTH], node;

    if (count < TREE_WIDTH && tree_tail(tree, n, count, known)) {
        for (size_t i = 0; i < count; i++) {
            if (!dbk_hash_equal(&known[i], &leaves[i]))
                return tree_differs(n * TREE_WIDTH + i + 1, n * TREE_WIDTH + i + 1,
                                    err);
        }
        return DBK_OK;
    }
    if (count < TREE_WIDTH || !tree_kept(tree, 0, n, 1, &node)) /* it has just grown */
        return dbk_fail(err, DBK_BUSY, "the tree has changed meanwhile");
    memcpy(known, leaves, sizeof known);
    tree_fold(known, TREE_WIDTH, &known[0]);
    return dbk_hash_equal(&known[0], &node)
               ? DBK_OK
               : tree_differs(n * TREE_WIDTH + 1, (n + 1) * TREE_WIDTH, err);
}

static enum dbk_code read_group(struct tree_leaves *leaves, unsigned i, uint64_t n,
                                size_t count, struct dbk_error *err)
{
    struct dbk_tree *tree = leaves->tree;
    size_t there = count_group(tree, n);
    enum dbk_code code;

    if (there < count)
        return dbk_fail(err, DBK_NOT_FOUND, "the tree does not go so far");
    if (!tree->source.entries)
        return dbk_fail(err, DBK_NOT_FOUND, "the tree has no log to look into");
    code = tree->source.entries(tree->source.context, n * TREE_WIDTH, there,
                                leaves->group[i].entries, err);
    if (code != DBK_OK)
        return code;
    for (size_t k = 0; k < there; k++)
        dbk_hash_leaf(&leaves->group[i].entries[k], &leaves->group[i].leaves[k]);
    code = check_group(tree, n, there, leaves->group[i].leaves, err);
    leaves->group[i].there = code == DBK_OK;
    leaves->group[i].n = n;
    leaves->group[i].count = there;
    return code;
}

enum dbk_code tree_leaves_read(struct tree_leaves *leaves, uint64_t n, size_t count,
                               const struct dbk_hash **out,
                               const struct dbk_hash **entries, struct dbk_error *err)
{
    unsigned i = leaves->next;
    enum dbk_code code;

    for (unsigned k = 0; k < 2; k++) {
        if (leaves->group[k].there && leaves->group[k].n == n &&
            leaves->group[k].count >= count) {
            *out = leaves->group[k].leaves;
            *entries = leaves->group[k].entries;
            return DBK_OK;
        }
    }
    leaves->group[i].there = false;
    code = read_group(leaves, i, n, count, err);
    if (code == DBK_BUSY) /* it grew past these 256 in between, which it does once */
        code = read_group(leaves, i, n, count, err);
    leaves->next = 1 - i;
    *out = leaves->group[i].leaves;
    *entries = leaves->group[i].entries;
    return code;
}
