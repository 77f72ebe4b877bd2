/* event_totals.h - how many events persons had when they were last counted, so that of one
 * with many only those that came since are counted.
 *
 * A number holds while no event goes, and none comes to a person but as the newest. So each
 * is kept with a tag, which whoever posts the tables changes after all else.
 */
#ifndef DBK_PROJECTIONS_EVENT_TOTALS_H
#define DBK_PROJECTIONS_EVENT_TOTALS_H

#include "store/uuid.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EVENT_TOTALS_SETS 1024 /* to one of which a person belongs, */
#define EVENT_TOTALS_WAYS 8    /* and which keeps so many */

struct event_total {
    uint64_t events; /* with sequences up to */
    uint64_t newest; /* this one */
};

/* Safe to share between threads. */
struct event_totals {
    atomic_uint_least64_t tag; /* 0: nobody tells, so nothing is kept */
    pthread_mutex_t mutex;     /* guards what follows */
    struct event_totals_kept {
        struct dbk_uuid id;
        uint64_t tag;
        struct event_total total;
    } kept[EVENT_TOTALS_SETS][EVENT_TOTALS_WAYS];
    unsigned next; /* way to be given up */
};

void event_totals_init(struct event_totals *totals); /* all of it is zero */
void event_totals_finish(struct event_totals *totals);

/* The tables may be arranged anew: tags only rise. */
void event_totals_tell(struct event_totals *totals, uint64_t tag);
/* To be asked before the tables are: what is read then is of this tag, or later. */
uint64_t event_totals_tag(const struct event_totals *totals);

/* Whether that of the person is known; else *total is zero. */
bool event_totals_find(struct event_totals *totals, uint64_t tag,
                       const struct dbk_uuid *id, struct event_total *total);
void event_totals_keep(struct event_totals *totals, uint64_t tag,
                       const struct dbk_uuid *id, const struct event_total *total);

#endif
