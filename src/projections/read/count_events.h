/* count_events.h - how many events persons have of whom not all are shown. */
#ifndef DBK_PROJECTIONS_COUNT_EVENTS_H
#define DBK_PROJECTIONS_COUNT_EVENTS_H

#include "event_totals.h"
#include "projections/read_model.h"
#include "store/clock.h"

/* How many events of a person are counted, at most. */
#define COUNT_EVENTS_MAX 10000

struct count_one {
    struct dbk_uuid id;
    uint64_t newest; /* sequence of its newest event */
    size_t shown;
    uint64_t
        total; /* answered; 0: no more than are shown, some were deleted meanwhile */

    struct event_total known; /* private: when it was last counted */
    bool asked;
};

/* Tell the total of each. Those of whom it is known cost nothing, the others a statement
 * together. tag is of before their events were read (event_totals.h). Errors as
 * read_model.h has them. */
enum dbk_code count_events(struct dbk_read_model *model, const struct dbk_asker *asker,
                           dbk_deadline deadline, uint64_t tag, struct count_one *ones,
                           size_t count, struct dbk_error *err);

#endif
