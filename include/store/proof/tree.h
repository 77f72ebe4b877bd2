/* tree.h - the Merkle tree of a log: what proves, to who trusts nobody, that a record is in
 * it, and that nothing before was changed.
 *
 * RFC 6962's tree. The entry of a record is the SHA-256 of its bytes: those that the log
 * keeps, without the checksum behind them; an export has the same, and `GET /log/SEQUENCE`
 * as application/msgpack gives them. So the tree tells nothing of what a record says, and a
 * copy of the log has the same tree, whatever id the copy has. The record of sequence S is
 * entry S - 1, its index.
 *
 * Kept in memory is one hash for each 256 entries, those over them, and the leaves behind
 * the last 256. All else is computed from the log when it is asked for, and held against
 * what was kept: what was changed on disk since is told instead of believed. A tile is as
 * C2SP's tlog-tiles has it, 256 hashes wide.
 */
#ifndef DBK_STORE_PROOF_TREE_H
#define DBK_STORE_PROOF_TREE_H

#include "store/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_HASH_BYTES 32 /* of SHA-256 */

struct dbk_hash {
    uint8_t bytes[DBK_HASH_BYTES];
};

bool dbk_hash_equal(const struct dbk_hash *a, const struct dbk_hash *b);

/* The entry of a record's bytes, SHA-256; the leaf of an entry, and the node over two,
 * as RFC 6962 has them; the root of a tree without entries. They cannot fail. */
void dbk_hash_entry(const void *record, size_t length, struct dbk_hash *entry);
void dbk_hash_leaf(const struct dbk_hash *entry, struct dbk_hash *leaf);
void dbk_hash_node(const struct dbk_hash *left, const struct dbk_hash *right,
                   struct dbk_hash *out);
void dbk_hash_empty(struct dbk_hash *root);

/* What a tree is made of. */
struct dbk_tree_source {
    /* Write the entries first to first + count - 1. Called by any thread that asks the tree,
     * and by a second one while it grows. */
    enum dbk_code (*entries)(void *context, uint64_t first, size_t count,
                             struct dbk_hash *out, struct dbk_error *err);
    void *context;
};

/* The entries of an open log, which must outlive the tree. DBK_DAMAGED names the record
 * whose checksum is wrong. */
struct dbk_tree_source dbk_tree_of_log(struct dbk_log *log);

struct dbk_tree; /* one thread lets it grow; any may ask it meanwhile */

/* An empty one. source may be NULL: then it grows by dbk_tree_add alone, and tells only
 * what follows from what is kept, the root at its size above all. DBK_NO_MEMORY. */
enum dbk_code dbk_tree_create(const struct dbk_tree_source *source,
                              struct dbk_tree **tree, struct dbk_error *err);
void dbk_tree_destroy(struct dbk_tree *tree); /* NULL is fine */

/* Entries that are in it. */
uint64_t dbk_tree_size(struct dbk_tree *tree);

/* Add the next entries. DBK_NO_MEMORY: some of them may be in it. */
enum dbk_code dbk_tree_add(struct dbk_tree *tree, const struct dbk_hash *entries,
                           size_t count, struct dbk_error *err);

/* Grow by entries of the source, until it has size of them; far behind, a second thread of the
 * same priority helps until then. watch (may be NULL) is asked whether to stop. What was added
 * stays. DBK_NO_MEMORY, DBK_INTERRUPTED, and as the source. */
struct dbk_watch;
enum dbk_code dbk_tree_grow(struct dbk_tree *tree, uint64_t size,
                            const struct dbk_watch *watch, struct dbk_error *err);

/* Forget all: it is empty again. Who asks meanwhile is told DBK_NOT_FOUND. */
void dbk_tree_clear(struct dbk_tree *tree);

/* All that follows fails so:
 *
 * DBK_NOT_FOUND  the tree has not that many entries; or it has no source and would need one
 * DBK_DAMAGED    the log no longer has what was hashed; err names the sequences
 * and as the source
 */

/* The root of its first `size` entries. */
enum dbk_code dbk_tree_root(struct dbk_tree *tree, uint64_t size, struct dbk_hash *root,
                            struct dbk_error *err);

#define DBK_PROOF_MAX 64

/* Hashes as RFC 6962 orders them: of the path of an entry, from the leaf's sibling up. */
struct dbk_proof {
    size_t count;
    struct dbk_hash hashes[DBK_PROOF_MAX];
};

/* That the entry at index is in the tree of this size. */
enum dbk_code dbk_tree_inclusion(struct dbk_tree *tree, uint64_t index, uint64_t size,
                                 struct dbk_proof *proof, struct dbk_error *err);

/* That the tree of this size has that of the old one at its front; no hashes where old is 0
 * or size. DBK_INVALID: old is larger. */
enum dbk_code dbk_tree_consistency(struct dbk_tree *tree, uint64_t old, uint64_t size,
                                   struct dbk_proof *proof, struct dbk_error *err);

#define DBK_TILE_WIDTH 256
#define DBK_TILE_LEVELS 64 /* more than there ever are */

/* The first `width` hashes, 1 to 256, of a tile. */
enum dbk_code dbk_tree_tile(struct dbk_tree *tree, unsigned level, uint64_t n,
                            unsigned width, struct dbk_hash *out,
                            struct dbk_error *err);

/* The first `width` entries of a bundle: those whose leaves tile (0, n) has. */
enum dbk_code dbk_tree_entries(struct dbk_tree *tree, uint64_t n, unsigned width,
                               struct dbk_hash *out, struct dbk_error *err);

/* Whether it keeps a hash for the n-th 256 entries, which *out receives: for who looks where
 * two trees differ. */
bool dbk_tree_kept(struct dbk_tree *tree, uint64_t n, struct dbk_hash *out);

/* What is kept, as a file: a header, then 32 bytes for each 256 entries. It follows from the
 * log and is never needed: it spares hashing it again.
 *
 * Load takes what the file has, into a tree that is empty; whether it is of this log is not
 * looked at. DBK_NOT_FOUND: there is none. DBK_DAMAGED: it is none, or was changed or cut.
 *
 * Save brings the file up to the tree, by what is new where this tree was loaded from it, or
 * saved to it, before; else all of it. Of one thread, the one that grows it.
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY. */
enum dbk_code dbk_tree_load(struct dbk_tree *tree, const char *path,
                            struct dbk_error *err);
enum dbk_code dbk_tree_save(struct dbk_tree *tree, const char *path,
                            struct dbk_error *err);

/* For an auditor, who trusts nothing but the arguments. Source: RFC 9162, 2.1.3.2 and
 * 2.1.4.2. Any numbers and hashes may be given. */
bool dbk_proof_includes(const struct dbk_proof *proof, const struct dbk_hash *entry,
                        uint64_t index, uint64_t size, const struct dbk_hash *root);
bool dbk_proof_extends(const struct dbk_proof *proof, uint64_t old,
                       const struct dbk_hash *old_root, uint64_t size,
                       const struct dbk_hash *root);

#endif
