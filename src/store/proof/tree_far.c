/* How a tree that is far behind its source catches up: by blocks, which two threads hash and
 * one adds in order.
 *
 * Only nodes over 256 are kept, and what is over those follows from their order. So a block
 * is hashed without knowing what is before it, and the tree is never ahead of a block that
 * failed. */
#include "tree_private.h"

#include "store/thread.h"
#include "store/watch.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    BLOCK_NODES = 16,
    BLOCK = BLOCK_NODES * TREE_WIDTH, /* entries: a few milliseconds */
    RING = 16,                        /* blocks that may be hashed and not added yet */
};

enum block_state { TAKEN, HASHED, FAILED };

/* Entries that one thread reads and hashes. */
struct desk {
    struct dbk_hash entries[BLOCK];
};

struct hashers {
    const struct dbk_tree_source *source;
    uint64_t first, blocks; /* the first entry, and how many blocks from there */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t moved;  /* a block was hashed, or added, or it ends */
    uint64_t taken, added;
    bool ends;
    struct block {
        enum block_state state;
        struct dbk_hash
            nodes[BLOCK_NODES]; /* of who has taken it, until it is hashed */
    } ring[RING];

    struct desk desks[2]; /* of who adds, and of who helps */
};

static bool hash_block(const struct hashers *hashers, uint64_t number,
                       struct desk *desk, struct dbk_hash *nodes)
{
    const struct dbk_tree_source *source = hashers->source;

    if (source->entries(source->context, hashers->first + number * BLOCK, BLOCK,
                        desk->entries, NULL) != DBK_OK)
        return false;
    for (size_t i = 0; i < BLOCK; i++)
        dbk_hash_leaf(&desk->entries[i], &desk->entries[i]);
    for (size_t i = 0; i < BLOCK_NODES; i++)
        tree_fold(desk->entries + i * TREE_WIDTH, TREE_WIDTH, &nodes[i]);
    return true;
}

/* With the mutex. */
static bool has_more(const struct hashers *hashers)
{
    return !hashers->ends && hashers->taken < hashers->blocks;
}

/* With the mutex. */
static bool may_take(const struct hashers *hashers)
{
    return has_more(hashers) && hashers->taken - hashers->added < RING;
}

/* The next block. With the mutex, which it gives back meanwhile. */
static void hash_next(struct hashers *hashers, struct desk *desk)
{
    uint64_t number = hashers->taken++;
    struct block *block = &hashers->ring[number % RING];
    bool hashed;

    block->state = TAKEN;
    pthread_mutex_unlock(&hashers->mutex);
    hashed = hash_block(hashers, number, desk, block->nodes);
    pthread_mutex_lock(&hashers->mutex);
    block->state = hashed ? HASHED : FAILED;
    pthread_cond_broadcast(&hashers->moved);
}

static void *help(void *argument)
{
    struct hashers *hashers = argument;

    pthread_mutex_lock(&hashers->mutex);
    while (has_more(hashers)) {
        if (may_take(hashers))
            hash_next(hashers, &hashers->desks[1]);
        else
            pthread_cond_wait(&hashers->moved, &hashers->mutex);
    }
    pthread_mutex_unlock(&hashers->mutex);
    return NULL;
}

/* False: no memory. */
static bool keep_block(struct dbk_tree *tree, const struct block *block)
{
    bool kept = true;

    pthread_rwlock_wrlock(&tree->lock);
    for (size_t i = 0; i < BLOCK_NODES && kept; i++) {
        kept = tree_keep(tree, &block->nodes[i]);
        tree->size += kept ? TREE_WIDTH : 0;
    }
    pthread_rwlock_unlock(&tree->lock);
    return kept;
}

/* The next block is hashed here, where nobody has taken it. False: it cannot be. */
static bool await_next(struct hashers *hashers)
{
    enum block_state state = TAKEN;

    pthread_mutex_lock(&hashers->mutex);
    for (;;) {
        if (hashers->added < hashers->taken)
            state = hashers->ring[hashers->added % RING].state;
        if (state != TAKEN)
            break;
        if (may_take(hashers))
            hash_next(hashers, &hashers->desks[0]);
        else
            pthread_cond_wait(&hashers->moved, &hashers->mutex);
    }
    pthread_mutex_unlock(&hashers->mutex);
    return state == HASHED;
}

static void count_added(struct hashers *hashers)
{
    pthread_mutex_lock(&hashers->mutex);
    hashers->added++;
    pthread_cond_broadcast(&hashers->moved);
    pthread_mutex_unlock(&hashers->mutex);
}

static enum dbk_code add_blocks(struct dbk_tree *tree, struct hashers *hashers,
                                uint64_t size, const struct dbk_watch *watch,
                                struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && hashers->added < hashers->blocks) {
        if (!await_next(hashers) ||
            !keep_block(tree, &hashers->ring[hashers->added % RING]))
            return DBK_OK;
        count_added(hashers);
        code = dbk_watch_progress(watch, "hashing the log", "records", tree->size, size,
                                  err);
    }
    return code;
}

static void end(struct hashers *hashers)
{
    pthread_mutex_lock(&hashers->mutex);
    hashers->ends = true;
    pthread_cond_broadcast(&hashers->moved);
    pthread_mutex_unlock(&hashers->mutex);
}

enum dbk_code tree_grow_far(struct dbk_tree *tree, uint64_t size,
                            const struct dbk_watch *watch, struct dbk_error *err)
{
    struct hashers *hashers = calloc(1, sizeof *hashers);
    bool helped = false;
    enum dbk_code code;
    pthread_t helper;

    if (!hashers)
        return DBK_OK;
    hashers->source = &tree->source;
    hashers->first = tree->size;
    hashers->blocks = (size - tree->size) / BLOCK;
    pthread_mutex_init(&hashers->mutex, NULL);
    pthread_cond_init(&hashers->moved, NULL);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        helped = dbk_thread_start(&helper, "dbk-hasher", help, hashers, NULL) == DBK_OK;
    code = add_blocks(tree, hashers, size, watch, err);
    end(hashers);
    if (helped)
        pthread_join(helper, NULL);
    pthread_cond_destroy(&hashers->moved);
    pthread_mutex_destroy(&hashers->mutex);
    free(hashers);
    return code;
}
