/* What is asked of a tree: roots, proofs and tiles, of what is kept and of the log. */
#include "tree_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum dbk_code too_short(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NOT_FOUND, "the tree does not go so far");
}

/* Of which nothing has to be read: the leaves that are kept still. */
static enum dbk_code copy_leaves(struct tree_leaves *leaves, uint64_t first,
                                 size_t count, struct dbk_hash *out,
                                 struct dbk_error *err)
{
    size_t offset = first % TREE_WIDTH;
    const struct dbk_hash *read, *entries;
    enum dbk_code code = DBK_OK;

    if (tree_tail(leaves->tree, first / TREE_WIDTH, offset + count, leaves->tail))
        read = leaves->tail;
    else
        code = tree_leaves_read(leaves, first / TREE_WIDTH, offset + count, &read,
                                &entries, err);
    if (code == DBK_OK)
        memcpy(out, read + offset, count * sizeof *out);
    return code;
}

/* The node over 2^level leaves, the index-th of its level: over those of the next level below
 * that is kept, or over leaves. */
static enum dbk_code read_node(struct tree_leaves *leaves, unsigned level,
                               uint64_t index, struct dbk_hash *out,
                               struct dbk_error *err)
{
    size_t count = (size_t)1 << level % 8;
    struct dbk_hash *hashes = leaves->node;

    if (level < 8) {
        if (copy_leaves(leaves, index * count, count, hashes, err) != DBK_OK)
            return err->code;
    } else if (level / 8 > TREE_KEPT_LEVELS ||
               !tree_kept(leaves->tree, level / 8 - 1, index * count, count, hashes)) {
        return too_short(err);
    }
    tree_fold(hashes, count, out);
    return DBK_OK;
}

/* The largest power of two below n, which is more than 1, and its exponent. */
static uint64_t split(uint64_t n, unsigned *level)
{
    *level = 63 - (unsigned)__builtin_clzll(n - 1);
    return UINT64_C(1) << *level;
}

/* The hash of the leaves first to end - 1: RFC 6962's MTH(D[first:end]), where first is
 * where a larger tree is split. At most 64 deep. */
static enum dbk_code read_range(struct tree_leaves *leaves, uint64_t first,
                                uint64_t end, struct dbk_hash *out,
                                struct dbk_error *err)
{
    struct dbk_hash left, right;
    unsigned level;
    uint64_t k;

    if (end - first == 1)
        return read_node(leaves, 0, first, out, err);
    k = split(end - first, &level);
    if (end - first == 2 * k)
        return read_node(leaves, level + 1, first >> (level + 1), out, err);
    if (read_node(leaves, level, first >> level, &left, err) != DBK_OK ||
        read_range(leaves, first + k, end, &right, err) != DBK_OK)
        return err->code;
    dbk_hash_node(&left, &right, out);
    return DBK_OK;
}

/* Too large for a stack that others are on, too. */
static enum dbk_code begin(struct dbk_tree *tree, uint64_t size,
                           struct tree_leaves **leaves, struct dbk_error *err)
{
    *leaves = NULL;
    if (size > dbk_tree_size(tree))
        return too_short(err);
    *leaves = malloc(sizeof **leaves);
    if (!*leaves)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look into the tree");
    (*leaves)->tree = tree;
    (*leaves)->next = 0;
    (*leaves)->group[0].there = (*leaves)->group[1].there = false;
    return DBK_OK;
}

/* Inside, err is never NULL. */
static enum dbk_code end(struct tree_leaves *leaves, const struct dbk_error *why,
                         enum dbk_code code, struct dbk_error *err)
{
    free(leaves);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why->text);
}

enum dbk_code dbk_tree_root(struct dbk_tree *tree, uint64_t size, struct dbk_hash *root,
                            struct dbk_error *err)
{
    struct tree_leaves *leaves;
    struct dbk_error why;
    enum dbk_code code;

    if (size == 0) {
        dbk_hash_empty(root);
        return DBK_OK;
    }
    code = begin(tree, size, &leaves, &why);
    if (code == DBK_OK)
        code = read_range(leaves, 0, size, root, &why);
    return end(leaves, &why, code, err);
}

/* They come from the root down, and are told from the leaf up. */
static void turn_round(struct dbk_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct dbk_hash hash = proof->hashes[i];

        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = hash;
    }
}

static enum dbk_code prove(struct tree_leaves *leaves, uint64_t first, uint64_t end,
                           struct dbk_proof *proof, struct dbk_error *err)
{
    assert(proof->count < DBK_PROOF_MAX); /* halves of less than 2^63 */
    return read_range(leaves, first, end, &proof->hashes[proof->count++], err);
}

static enum dbk_code find_inclusion(struct tree_leaves *leaves, uint64_t index,
                                    uint64_t size, struct dbk_proof *proof,
                                    struct dbk_error *err)
{
    uint64_t first = 0, last = size;
    unsigned level;

    while (last - first > 1) {
        uint64_t middle = first + split(last - first, &level);
        bool right = index >= middle;

        if (prove(leaves, right ? first : middle, right ? middle : last, proof, err) !=
            DBK_OK)
            return err->code;
        if (right)
            first = middle;
        else
            last = middle;
    }
    turn_round(proof);
    return DBK_OK;
}

/* The record itself, where its leaf is kept still, and nothing would be read: what the log has
 * now must be what was hashed. */
static enum dbk_code look_at_record(struct dbk_tree *tree, uint64_t index,
                                    struct dbk_error *err)
{
    const size_t offset = index % TREE_WIDTH;
    struct dbk_hash kept[TREE_WIDTH], entry, leaf;

    if (!tree->source.entries || !tree_tail(tree, index / TREE_WIDTH, offset + 1, kept))
        return DBK_OK;
    if (tree->source.entries(tree->source.context, index, 1, &entry, err) != DBK_OK)
        return err->code;
    dbk_hash_leaf(&entry, &leaf);
    return dbk_hash_equal(&leaf, &kept[offset])
               ? DBK_OK
               : tree_differs(index + 1, index + 1, err);
}

enum dbk_code dbk_tree_inclusion(struct dbk_tree *tree, uint64_t index, uint64_t size,
                                 struct dbk_proof *proof, struct dbk_error *err)
{
    struct tree_leaves *leaves;
    struct dbk_error why;
    enum dbk_code code;

    proof->count = 0;
    if (index >= size)
        return dbk_fail(err, DBK_NOT_FOUND, "a tree of %" PRIu64 " has no such entry",
                        size);
    code = begin(tree, size, &leaves, &why);
    if (code == DBK_OK)
        code = look_at_record(tree, index, &why);
    if (code == DBK_OK)
        code = find_inclusion(leaves, index, size, proof, &why);
    return end(leaves, &why, code, err);
}

/* RFC 6962, 2.1.2: SUBPROOF, without the recursion. */
static enum dbk_code find_consistency(struct tree_leaves *leaves, uint64_t old,
                                      uint64_t size, struct dbk_proof *proof,
                                      struct dbk_error *err)
{
    uint64_t first = 0, last = size;
    bool whole = true; /* what is left of the old tree begins where it does */
    unsigned level;

    while (old != last) {
        uint64_t middle = first + split(last - first, &level);
        bool left = old <= middle;

        if (prove(leaves, left ? middle : first, left ? last : middle, proof, err) !=
            DBK_OK)
            return err->code;
        if (left) {
            last = middle;
        } else {
            first = middle;
            whole = false;
        }
    }
    if (!whole && prove(leaves, first, last, proof, err) != DBK_OK)
        return err->code;
    turn_round(proof);
    return DBK_OK;
}

enum dbk_code dbk_tree_consistency(struct dbk_tree *tree, uint64_t old, uint64_t size,
                                   struct dbk_proof *proof, struct dbk_error *err)
{
    struct tree_leaves *leaves;
    struct dbk_error why;
    enum dbk_code code;

    proof->count = 0;
    if (old > size)
        return dbk_fail(err, DBK_INVALID, "%" PRIu64 " is larger than %" PRIu64, old,
                        size);
    code = begin(tree, size, &leaves, &why);
    if (code == DBK_OK && old > 0 && old < size)
        code = find_consistency(leaves, old, size, proof, &why);
    return end(leaves, &why, code, err);
}

/* Leaves, or entries, of the log as it is now. */
static enum dbk_code read_bundle(struct dbk_tree *tree, uint64_t n, unsigned width,
                                 bool entries, struct dbk_hash *out,
                                 struct dbk_error *err)
{
    const struct dbk_hash *read[2];
    struct tree_leaves *leaves;
    struct dbk_error why;
    enum dbk_code code;

    assert(width >= 1 && width <= DBK_TILE_WIDTH);
    if (n > (UINT64_MAX >> 9)) /* its sequences would not be numbers */
        return too_short(err);
    code = begin(tree, n * TREE_WIDTH + width, &leaves, &why);
    if (code == DBK_OK)
        code = tree_leaves_read(leaves, n, width, &read[0], &read[1], &why);
    if (code == DBK_OK)
        memcpy(out, read[entries], width * sizeof *out);
    return end(leaves, &why, code, err);
}

enum dbk_code dbk_tree_entries(struct dbk_tree *tree, uint64_t n, unsigned width,
                               struct dbk_hash *out, struct dbk_error *err)
{
    return read_bundle(tree, n, width, true, out, err);
}

enum dbk_code dbk_tree_tile(struct dbk_tree *tree, unsigned level, uint64_t n,
                            unsigned width, struct dbk_hash *out, struct dbk_error *err)
{
    if (level == 0)
        return read_bundle(tree, n, width, false, out, err);
    assert(width >= 1 && width <= DBK_TILE_WIDTH);
    if (level > TREE_KEPT_LEVELS || n > (UINT64_MAX >> 9) ||
        !tree_kept(tree, level - 1, n * TREE_WIDTH, width, out))
        return too_short(err);
    return DBK_OK;
}
