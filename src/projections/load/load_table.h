/* load_table.h - many small entries by id, for the fold of a whole log in memory.
 *
 * Entries of one size lie one behind the other in blocks that never move; a hash table of
 * four-byte positions finds them, keyed in secret, so that nobody can pick ids that
 * collide. Memory is the entry and 5 to 11 bytes each, also while it grows. Belongs to one
 * thread.
 */
#ifndef DBK_PROJECTIONS_LOAD_TABLE_H
#define DBK_PROJECTIONS_LOAD_TABLE_H

#include "store/error.h"
#include "store/uuid.h"

#include <stddef.h>
#include <stdint.h>

struct load_table {
    size_t entry_size; /* an entry begins with its id */
    size_t count;
    char **blocks; /* private from here on */
    size_t block_count;
    uint32_t *slots; /* one more than the position; 0: free */
    size_t slot_count;
    uint8_t key[16];
};

void load_table_init(struct load_table *table, size_t entry_size);
void load_table_finish(struct load_table *table);

/* The entry, until the table is freed; NULL where the id is not there. */
void *load_table_find(const struct load_table *table, const struct dbk_uuid *id);

/* Add an id that is not there; the rest of *entry is zero.
 * DBK_NO_MEMORY, DBK_TOO_LARGE (4 billion entries). */
enum dbk_code load_table_add(struct load_table *table, const struct dbk_uuid *id,
                             void **entry, struct dbk_error *err);

#endif
