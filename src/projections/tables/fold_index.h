/* fold_index.h - from an id to a position, for ids that clients choose.
 *
 * A hash table with a secret key of its own, so that nobody can pick ids that collide.
 */
#ifndef DBK_PROJECTIONS_FOLD_INDEX_H
#define DBK_PROJECTIONS_FOLD_INDEX_H

#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fold_index {
    struct fold_slot {
        struct dbk_uuid id;
        size_t position; /* one more than what was added; 0: free */
    } * slots;
    size_t size; /* a power of two, 0 at first */
    size_t count;
    uint8_t key[16];
};

void fold_index_init(struct fold_index *index);
void fold_index_finish(struct fold_index *index);
/* Empty it; the memory stays. */
void fold_index_clear(struct fold_index *index);

/* False where the id is not there. position may be NULL. */
bool fold_index_find(const struct fold_index *index, const struct dbk_uuid *id,
                     size_t *position);

/* Add an id that is not there yet; false when out of memory. */
bool fold_index_add(struct fold_index *index, const struct dbk_uuid *id,
                    size_t position);

/* As a set: see to it that the id is there. False when out of memory. */
bool fold_index_put(struct fold_index *index, const struct dbk_uuid *id);

#endif
