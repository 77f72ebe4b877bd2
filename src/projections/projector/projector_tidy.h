/* projector_tidy.h - emptying the list of what the index of properties does not have in its
 * tree yet, beside the batches, on a connection of its own. A search looks through all of
 * that list. Nothing here waits, nor fails with harm. Belongs to one thread. */
#ifndef DBK_PROJECTIONS_PROJECTOR_TIDY_H
#define DBK_PROJECTIONS_PROJECTOR_TIDY_H

#include "pg.h"

struct projector_tidy {
    const struct dbk_database *database; /* borrowed */
    struct pg *pg;                       /* NULL: not connected */
    bool under_way;
    uint64_t records; /* posted since it was last begun, about */
};

/* Connect for it, before anybody is in a hurry. */
void projector_tidy_begin(struct projector_tidy *tidy,
                          const struct dbk_database *database);
void projector_tidy_end(struct projector_tidy *tidy); /* what was zeroed is fine */

/* So many records were posted, or none: have the index tidied when it is time. */
void projector_tidy(struct projector_tidy *tidy, size_t posted);

#endif
