/* reseal_table.h - what is known of each person, or of each anonymous id, while a log is walked
 * over: some 100 bytes of memory each. */
#ifndef DBK_TOOLS_RESEAL_TABLE_H
#define DBK_TOOLS_RESEAL_TABLE_H

#include "store/error.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reseal_entry {
    struct dbk_uuid key;   /* of a person; or of an anonymous id's hash */
    struct dbk_uuid owner; /* of an anonymous id, the nil UUID where nobody's */
    uint64_t number;       /* of its key; 0: none yet */
    uint32_t times;        /* how often it began anew */
    bool used, deleted, erased, gone;
};

struct reseal_table {
    struct reseal_entry *entries;
    size_t size, count; /* size: a power of two, or 0 */
    uint64_t secret;    /* private */
};

/* Nothing is allocated. Ids are the clients' own: they are placed by a secret, so that nobody
 * makes them fall together. */
void reseal_table_init(struct reseal_table *table);
void reseal_table_finish(struct reseal_table *table); /* zeroed is fine */

/* NULL: there is none. It is valid until one is made. */
struct reseal_entry *reseal_table_find(const struct reseal_table *table,
                                       const struct dbk_uuid *key);

/* The same, and it is made, of zeros, where there is none. NULL: DBK_NO_MEMORY. */
struct reseal_entry *reseal_table_have(struct reseal_table *table,
                                       const struct dbk_uuid *key,
                                       struct dbk_error *err);

#endif
