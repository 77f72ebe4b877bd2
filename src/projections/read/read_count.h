/* read_count.h - how many rows match. */
#ifndef DBK_PROJECTIONS_READ_COUNT_H
#define DBK_PROJECTIONS_READ_COUNT_H

#include "pg.h"
#include "projections/read_model.h"

struct read_count_statements {
    struct pg_statement exact;     /* answers the number, a bigint */
    struct pg_statement estimated; /* an EXPLAIN of what it counts, as JSON */
};

/* As dbk_count_events. */
enum dbk_code read_count(struct dbk_read_model *model,
                         const struct read_count_statements *statements,
                         const struct pg_param *params, int params_count, bool exact,
                         struct dbk_count *count, struct dbk_error *err);

#endif
