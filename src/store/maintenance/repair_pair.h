/* repair_pair.h - a damaged log and a copy of it, read side by side. Private to the
 * store. */
#ifndef DBK_STORE_REPAIR_PAIR_H
#define DBK_STORE_REPAIR_PAIR_H

#include "store/salvage.h"

struct repair_pair {
    struct dbk_salvage *log, *copy;
    struct dbk_salvaged here,
        there;       /* of the sequence at hand, in the log and the copy */
    bool has_copy;   /* the copy goes so far: there is set */
    uint64_t agreed; /* the last that both have, and is the same */
};

/* Begin before the first record. Errors as dbk_salvage_open; which of the two is told. */
enum dbk_code repair_pair_open(const char *dir, const char *copy,
                               struct repair_pair *pair, struct dbk_error *err);

/* The next sequence of the log. DBK_NOT_FOUND: there are no more. DBK_CONFLICT: the two
 * have another record there. Else as dbk_salvage_next. */
enum dbk_code repair_pair_next(struct repair_pair *pair, struct dbk_error *err);

/* Whether the log cannot read it, and the copy can. */
bool repair_pair_can_take(const struct repair_pair *pair);

/* Whether what the log has kept of it shows that the copy's is the one. */
bool repair_pair_is_proven(const struct repair_pair *pair);

void repair_pair_close(struct repair_pair *pair);

#endif
