/* person_stream.h - the persons of a list with their events, many by one statement, of which
 * no more is in memory than one of its rows, the person at hand and what is answered. */
#ifndef DBK_PROJECTIONS_PERSON_STREAM_H
#define DBK_PROJECTIONS_PERSON_STREAM_H

#include "projections/read_model.h"
#include "store/clock.h"

#define PERSON_STREAM_MAX 256 /* persons asked for together */

struct person_stream {
    struct dbk_read_model *model;
    const struct dbk_asker *asker;
    dbk_deadline deadline;
    unsigned events_limit; /* FIND_EVENTS_MAX at most */
    size_t max_bytes;      /* of JSON in all of rows, but for the first */

    /* Who: these, in this order, or where it is NULL those behind a cursor in the order of
     * the log, or backwards; at most PERSON_STREAM_MAX. */
    const struct dbk_uuid *ids;
    size_t count;
    uint64_t after;
    bool descending;
};

struct person_stream_end {
    /* How many of them are dealt with, from the first on, and none again: at least one
     * unless it is full. Who is not there any more is left out. */
    size_t taken;
    bool full; /* there is no room for the next one */
    bool more; /* behind a cursor: there are others behind the last one */
};

/* Add persons to rows. Errors as read_model.h has them. */
enum dbk_code person_stream_read(const struct person_stream *stream,
                                 struct dbk_rows *rows, struct person_stream_end *end,
                                 struct dbk_error *err);

/* Add this one alone, whatever the limit of events. Errors as before. */
enum dbk_code person_stream_alone(const struct person_stream *stream,
                                  const struct dbk_uuid *id, struct dbk_rows *rows,
                                  struct person_stream_end *end, struct dbk_error *err);

#endif
