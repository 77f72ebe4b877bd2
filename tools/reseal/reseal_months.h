/* reseal_months.h - which month's key each event of a log gets that is sealed anew by month.
 *
 * As in a log that was sealed so from the first: events that follow on one another, and were
 * recorded in one month (UTC), have one; where the clock was set back into a month before, that
 * gets another. Events of a sealed log that have a month's key have one again, so that what its
 * events.expired say of keys stays true. What is expired already gets a key that is destroyed,
 * whether or not its own was.
 */
#ifndef DBK_TOOLS_RESEAL_MONTHS_H
#define DBK_TOOLS_RESEAL_MONTHS_H

#include "reseal_numbers.h"
#include "store/record.h"

struct reseal_months {
    uint64_t expired; /* the caller's: all events up to this sequence are; 0: none is */
    bool begun;       /* private, as what follows: a run of events without a key */
    bool gone;
    dbk_timestamp from;
    struct reseal_number run;
};

/* Either walk begins. */
void reseal_months_begin(struct reseal_months *months, uint64_t expired);

/* The first walk: each event.recorded, in order. Counts, in numbers, what is to be destroyed. As
 * reseal_numbers_destroy. */
enum dbk_code reseal_months_look(struct reseal_months *months,
                                 struct reseal_numbers *numbers,
                                 const struct dbk_record *event, struct dbk_error *err);

/* The second walk: each event.recorded, in order. As reseal_numbers_become. */
enum dbk_code reseal_months_of(struct reseal_months *months,
                               struct reseal_numbers *numbers,
                               const struct dbk_record *event,
                               struct reseal_number *out, struct dbk_error *err);

#endif
