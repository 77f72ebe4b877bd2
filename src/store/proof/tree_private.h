/* tree_private.h - what is kept of a tree, and how it is read while it grows. */
#ifndef DBK_STORE_TREE_PRIVATE_H
#define DBK_STORE_TREE_PRIVATE_H

#include "store/proof/tree.h"
#include "store/watch.h"

#include <limits.h>
#include <pthread.h>

enum {
    TREE_WIDTH = DBK_TILE_WIDTH,
    TREE_KEPT_LEVELS = 7,
    TREE_FAR = 65536, /* entries from which on it is far behind */
};

struct dbk_tree {
    struct dbk_tree_source source; /* entries NULL: none */

    pthread_rwlock_t
        lock; /* guards what follows, which who lets it grow alone changes */
    uint64_t size;
    /* [k]: the nodes of level 8 (k + 1), size >> 8 (k + 1) of them. */
    struct tree_level {
        struct dbk_hash *nodes;
        size_t count, room;
    } kept[TREE_KEPT_LEVELS];
    struct dbk_hash tail[TREE_WIDTH]; /* the leaves behind the last kept[0] */

    /* Of who lets it grow: what its file has, and which that is. */
    char file[PATH_MAX]; /* "": none */
    uint64_t file_count;
    uint32_t file_sum;
};

/* Copy nodes of level 8 (k + 1). False: it has not all of them. */
bool tree_kept(struct dbk_tree *tree, unsigned k, uint64_t first, size_t count,
               struct dbk_hash *out);

/* Copy the first count leaves of the n-th 256, where that is the last and not full. False:
 * it is not, or has less. */
bool tree_tail(struct dbk_tree *tree, uint64_t n, size_t count, struct dbk_hash *out);

/* The node over count hashes, a power of two, which it writes over. */
void tree_fold(struct dbk_hash *hashes, size_t count, struct dbk_hash *out);

/* Keep the next node over 256 leaves, and what it completes. False: no memory. With the
 * lock. */
bool tree_keep(struct dbk_tree *tree, const struct dbk_hash *node);

/* Grow by many entries, with a second thread where there is a processor for it; it ends with
 * the call. The tree's size is a multiple of 256. What is left to be done, or fails, is for
 * who goes on entry by entry from where it is: so DBK_INTERRUPTED is all that is told. */
enum dbk_code tree_grow_far(struct dbk_tree *tree, uint64_t size,
                            const struct dbk_watch *watch, struct dbk_error *err);

/* Leaves by 256, as they are asked for in one call. */
struct tree_leaves {
    struct dbk_tree *tree;
    struct {
        bool there;
        uint64_t n;
        size_t count;
        struct dbk_hash entries[TREE_WIDTH], leaves[TREE_WIDTH];
    } group[2];
    unsigned next; /* to be replaced */

    /* Of one node; here, for who goes down the tree has a frame for each level, on a stack
     * that may be small. */
    struct dbk_hash node[TREE_WIDTH], tail[TREE_WIDTH];
};

/* The leaves (and entries) of the n-th 256, at least the first count: read from the log, and
 * held against what was kept. Valid until two others are asked for. */
enum dbk_code tree_leaves_read(struct tree_leaves *leaves, uint64_t n, size_t count,
                               const struct dbk_hash **out,
                               const struct dbk_hash **entries, struct dbk_error *err);

/* DBK_DAMAGED: one of these records is not what was hashed. */
enum dbk_code tree_differs(uint64_t first, uint64_t last, struct dbk_error *err);

#endif
