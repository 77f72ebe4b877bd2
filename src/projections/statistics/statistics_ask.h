/* statistics_ask.h - runs a statement of the statistics: planned for its parameters, with
 * memory to sort in. */
#ifndef DBK_PROJECTIONS_STATISTICS_ASK_H
#define DBK_PROJECTIONS_STATISTICS_ASK_H

#include "pg.h"
#include "projections/statistics.h"

struct statistics_ask {
    const struct dbk_asker *asker; /* or NULL */
    const char *zone;              /* to be looked for first; NULL: none is needed */
    const struct dbk_range *range; /* whose days are of that zone, */
    char *since, *until;           /* and these, of statistics_range, so receive them */
    const struct pg_statement *statement;
    const struct pg_param *params;
    int count;
    size_t rows_max; /* of the answer */
    pg_visit
        *visit; /* NULL: result receives the rows. Else each is shown as it comes, */
    void (*begin)(void *context); /* and before the first, this is called */
    void *context;
    struct pg_result *result; /* out, with DBK_OK; free with pg_clear */
};

/* Errors as statistics.h has them. */
enum dbk_code statistics_ask(struct dbk_read_model *model, struct statistics_ask *ask,
                             struct dbk_error *err);

/* The range as two parameters, infinite where it is open. */
void statistics_range(const struct dbk_range *range, char since[8], char until[8],
                      struct pg_param params[2]);

/* Whether both its ends are where such a stretch of UTC begins, or open. */
bool statistics_range_is_whole(const struct dbk_range *range, int64_t stretch_us);

struct pg_param statistics_flag(bool value);

/* What date_trunc calls it. */
struct pg_param statistics_unit(enum dbk_bucket by);

#endif
