/* funnel_fold.h - how far persons came in a funnel, worked out event by event. */
#ifndef DBK_PROJECTIONS_FUNNEL_FOLD_H
#define DBK_PROJECTIONS_FUNNEL_FOLD_H

#include "projections/statistics.h"

struct funnel_fold {
    size_t steps_count;
    int64_t within_us;

    struct dbk_uuid person; /* whose events come now; nil: nobody's yet */
    size_t reached;         /* how many steps that one did, */
    /* and when the latest first step was that could be gone on from behind each */
    dbk_timestamp started[DBK_FUNNEL_STEPS_MAX];
    bool has_started[DBK_FUNNEL_STEPS_MAX];

    uint64_t
        persons[DBK_FUNNEL_STEPS_MAX]; /* that came to each step, before this one */
};

void funnel_fold_init(struct funnel_fold *fold, size_t steps_count, int64_t within_us);

/* The next event, in the order of persons, and of each in that of time; bit k of steps: it
 * can be step k. */
void funnel_fold_event(struct funnel_fold *fold, const struct dbk_uuid *person,
                       dbk_timestamp at, unsigned steps);

/* That was the last one: persons is complete. */
void funnel_fold_end(struct funnel_fold *fold);

#endif
