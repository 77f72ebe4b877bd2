/* salvage.h - reads of a damaged log what can be read.
 *
 * Each sequence up to the head is tried: by walking, and where that fails by itself. What
 * is damaged is given as such, and what is behind it goes on. Reading is done by a child
 * process, which may die of what it reads: another one goes on behind that record. So open
 * it and take what comes in a process that has no other threads that take locks;
 * none is started. The log may be in use, and its file may be cut. Nothing is changed.
 */
#ifndef DBK_STORE_SALVAGE_H
#define DBK_STORE_SALVAGE_H

#include "store/error.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbk_salvage; /* one at a time */

/* How one sequence was found. */
enum dbk_salvaged_state {
    DBK_SALVAGED,        /* it is right: checksum, sequence, form */
    DBK_SALVAGE_CHANGED, /* it is there, and its bytes are wrong */
    DBK_SALVAGE_LOST,    /* it is not there, or cannot be read: the file's structure is
                            damaged */
};

struct dbk_salvaged {
    uint64_t sequence;
    enum dbk_salvaged_state state;
    const char
        *bytes; /* of the record, right or changed; borrowed until the next call */
    size_t length;
    uint32_t checksum; /* as it is stored; right or changed */
    char why[128];     /* what is wrong with it; "" */
};

/* Begin with sequence `from` (1 or more), up to `to`, or to the head where that is 0.
 *
 * DBK_DAMAGED    so damaged that it cannot be opened: nothing can be read
 * DBK_NOT_FOUND  there is no log; or none that has `to`
 * DBK_UNSUPPORTED, DBK_BUSY, DBK_IO, DBK_NO_MEMORY
 */
enum dbk_code dbk_salvage_open(const char *dir, uint64_t from, uint64_t to,
                               struct dbk_salvage **salvage, struct dbk_error *err);

/* The next sequence, in order and without a gap. DBK_NOT_FOUND: there are no more. DBK_IO:
 * it cannot go on; also where it died too often (10,000 times). */
enum dbk_code dbk_salvage_next(struct dbk_salvage *salvage, struct dbk_salvaged *out,
                               struct dbk_error *err);

/* The last sequence that the log has, as far as its structure tells. */
uint64_t dbk_salvage_head(const struct dbk_salvage *salvage);
struct dbk_uuid dbk_salvage_store_id(const struct dbk_salvage *salvage);

void dbk_salvage_close(struct dbk_salvage *salvage); /* NULL is fine */

#endif
