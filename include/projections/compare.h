/* compare.h - checks that the read tables are what the log says, row by row. */
#ifndef DBK_PROJECTIONS_COMPARE_H
#define DBK_PROJECTIONS_COMPARE_H

#include "projections/database.h"
#include "store/error.h"
#include "store/log.h"
#include "store/watch.h"

#include <stdint.h>

/* Borrowed for the call. */
struct dbk_difference {
    const char *kind;  /* "missing", "extra" (no record says it is there), "changed"; or
                          "columns": the table itself has others than the migrations made */
    const char *table; /* "person", "event"; or a statistic's, "event_hour",
                          "event_day" */
    const char
        *id; /* of a statistic its key, "signup 2026-01-01T10"; a client's text */
    uint64_t sequence;   /* that the row should have; of an extra one, that it has */
    const char *columns; /* which differ, "email, role"; "" but for changed, columns */
    const char *how; /* of a statistic, "is 7, the log says 8"; NULL of others, whose
                        sequence it has not */
};

struct dbk_compare_options {
    unsigned most; /* how many differences of a table to tell, first by sequence */
    void (*difference)(void *context, const struct dbk_difference *one); /* or NULL */
    void *context;
    struct dbk_watch watch;
};

struct dbk_compare_result {
    uint64_t
        sequence; /* the record up to which the tables are posted, and were checked */
    uint64_t persons, events; /* rows that there should be */
    uint64_t missing, extra, changed;
    uint64_t statistics; /* that are missing, extra or changed */
    uint64_t columns; /* tables whose columns differ: rows are compared by the others */
    uint64_t quarantined; /* persons set aside, in the tables or on trying again: their
                             rows were left out */
};

/* Build the tables from the log in a schema of their own, as rebuild.h does, up to the
 * checkpoint of database->schema; hold both against each other as of one moment, beside
 * whoever reads and posts; drop them. The tables checked are not changed. Projection
 * stands still for a moment. Any thread.
 *
 * DBK_OK           it was done; result says whether they are equal
 * DBK_NOT_FOUND    there are no tables
 * DBK_MOVED        they belong to another log, or to another history of this one
 * and errors as in rebuild.h
 */
enum dbk_code dbk_compare(struct dbk_log *log, const struct dbk_database *database,
                          const struct dbk_compare_options *options,
                          struct dbk_compare_result *result, struct dbk_error *err);

#endif
