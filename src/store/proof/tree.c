/* What is kept of a tree, and how it grows. */
#include "tree_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum dbk_code dbk_tree_create(const struct dbk_tree_source *source,
                              struct dbk_tree **out, struct dbk_error *err)
{
    struct dbk_tree *tree = calloc(1, sizeof *tree);

    *out = NULL;
    if (!tree)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the tree");
    if (source)
        tree->source = *source;
    pthread_rwlock_init(&tree->lock, NULL);
    *out = tree;
    return DBK_OK;
}

void dbk_tree_destroy(struct dbk_tree *tree)
{
    if (!tree)
        return;
    for (unsigned k = 0; k < TREE_KEPT_LEVELS; k++)
        free(tree->kept[k].nodes);
    pthread_rwlock_destroy(&tree->lock);
    free(tree);
}

void dbk_tree_clear(struct dbk_tree *tree)
{
    pthread_rwlock_wrlock(&tree->lock);
    tree->size = 0;
    for (unsigned k = 0; k < TREE_KEPT_LEVELS; k++)
        tree->kept[k].count = 0;
    pthread_rwlock_unlock(&tree->lock);
    tree->file[0] = '\0';
}

uint64_t dbk_tree_size(struct dbk_tree *tree)
{
    uint64_t size;

    pthread_rwlock_rdlock(&tree->lock);
    size = tree->size;
    pthread_rwlock_unlock(&tree->lock);
    return size;
}

bool tree_kept(struct dbk_tree *tree, unsigned k, uint64_t first, size_t count,
               struct dbk_hash *out)
{
    bool there;

    assert(k < TREE_KEPT_LEVELS);
    pthread_rwlock_rdlock(&tree->lock);
    there = first <= tree->kept[k].count && count <= tree->kept[k].count - first;
    if (there && count > 0)
        memcpy(out, tree->kept[k].nodes + first, count * sizeof *out);
    pthread_rwlock_unlock(&tree->lock);
    return there;
}

bool dbk_tree_kept(struct dbk_tree *tree, uint64_t n, struct dbk_hash *out)
{
    return tree_kept(tree, 0, n, 1, out);
}

bool tree_tail(struct dbk_tree *tree, uint64_t n, size_t count, struct dbk_hash *out)
{
    bool there;

    pthread_rwlock_rdlock(&tree->lock);
    there = n == tree->size / TREE_WIDTH && count <= tree->size % TREE_WIDTH;
    if (there)
        memcpy(out, tree->tail, count * sizeof *out);
    pthread_rwlock_unlock(&tree->lock);
    return there;
}

void tree_fold(struct dbk_hash *hashes, size_t count, struct dbk_hash *out)
{
    assert(count > 0 && (count & (count - 1)) == 0);
    for (; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2; i++)
            dbk_hash_node(&hashes[2 * i], &hashes[2 * i + 1], &hashes[i]);
    }
    *out = hashes[0];
}

static bool push(struct tree_level *level, const struct dbk_hash *node)
{
    size_t room = level->room ? level->room * 2 : TREE_WIDTH;
    struct dbk_hash *grown;

    if (level->count == level->room) {
        grown = reallocarray(level->nodes, room, sizeof *grown);
        if (!grown)
            return false;
        level->nodes = grown;
        level->room = room;
    }
    level->nodes[level->count++] = *node;
    return true;
}

bool tree_keep(struct dbk_tree *tree, const struct dbk_hash *node)
{
    struct dbk_hash hashes[TREE_WIDTH], above = *node;

    for (unsigned k = 0; k < TREE_KEPT_LEVELS; k++) {
        struct tree_level *level = &tree->kept[k];

        if (!push(level, &above)) {
            for (; k > 0; k--) /* none half */
                tree->kept[k - 1].count--;
            return false;
        }
        if (level->count % TREE_WIDTH != 0)
            break;
        memcpy(hashes, level->nodes + level->count - TREE_WIDTH, sizeof hashes);
        tree_fold(hashes, TREE_WIDTH, &above);
    }
    return true;
}

/* Leaves of one 256. */
static bool add_leaves(struct dbk_tree *tree, const struct dbk_hash *leaves,
                       size_t count)
{
    size_t at = tree->size % TREE_WIDTH; /* who lets it grow alone changes it */
    struct dbk_hash all[TREE_WIDTH], node;
    bool fills = at + count == TREE_WIDTH, kept = true;

    assert(at + count <= TREE_WIDTH);
    if (fills) { /* hashed before others have to wait */
        memcpy(all, tree->tail, at * sizeof *all);
        memcpy(all + at, leaves, count * sizeof *all);
        tree_fold(all, TREE_WIDTH, &node);
    }
    pthread_rwlock_wrlock(&tree->lock);
    memcpy(tree->tail + at, leaves, count * sizeof *leaves);
    if (fills)
        kept = tree_keep(tree, &node);
    if (kept)
        tree->size += count;
    pthread_rwlock_unlock(&tree->lock);
    return kept;
}

/* So many can be added before the next 256 begin. */
static size_t until_full(const struct dbk_tree *tree, uint64_t wanted)
{
    size_t room = TREE_WIDTH - tree->size % TREE_WIDTH;

    return wanted < room ? (size_t)wanted : room;
}

enum dbk_code dbk_tree_add(struct dbk_tree *tree, const struct dbk_hash *entries,
                           size_t count, struct dbk_error *err)
{
    struct dbk_hash leaves[TREE_WIDTH];

    while (count > 0) {
        size_t some = until_full(tree, count);

        for (size_t i = 0; i < some; i++)
            dbk_hash_leaf(&entries[i], &leaves[i]);
        if (!add_leaves(tree, leaves, some))
            return dbk_fail(err, DBK_NO_MEMORY, "no memory for the tree");
        entries += some;
        count -= some;
    }
    return DBK_OK;
}

static enum dbk_code grow_some(struct dbk_tree *tree, size_t count,
                               struct dbk_error *err)
{
    struct dbk_hash entries[TREE_WIDTH];
    enum dbk_code code =
        tree->source.entries(tree->source.context, tree->size, count, entries, err);

    return code == DBK_OK ? dbk_tree_add(tree, entries, count, err) : code;
}

static enum dbk_code grow_near(struct dbk_tree *tree, uint64_t size,
                               const struct dbk_watch *watch, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && tree->size < size) {
        code = grow_some(tree, until_full(tree, size - tree->size), err);
        if (code == DBK_OK && tree->size % (16 * TREE_WIDTH) == 0)
            code = dbk_watch_progress(watch, "hashing the log", "records", tree->size,
                                      size, err);
    }
    return code;
}

enum dbk_code dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                            const struct dbk_watch *watch, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (!tree->source.entries)
        return dbk_fail(err, DBK_NOT_FOUND, "the tree has no log to grow by");
    if (size > tree->size && size - tree->size >= TREE_FAR) {
        if (tree->size % TREE_WIDTH != 0)
            code = grow_some(tree, until_full(tree, TREE_WIDTH), err);
        if (code == DBK_OK)
            code = tree_grow_far(tree, size, watch, err);
    }
    return code == DBK_OK ? grow_near(tree, size, watch, err) : code;
}
