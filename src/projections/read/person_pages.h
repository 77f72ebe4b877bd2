/* person_pages.h - the first rows of lists of one person's events, gathered (gather.h).
 *
 * All that is carried together is in memory at once, so nothing large is: a list that has
 * large events among its first is read alone, as is the rest of one that goes on.
 */
#ifndef DBK_PROJECTIONS_PERSON_PAGES_H
#define DBK_PROJECTIONS_PERSON_PAGES_H

#include "read_query.h"

/* How many rows may be asked for so, at most, and how many persons together. */
#define PERSON_PAGES_ROWS_MAX 100
#define PERSON_PAGES_TOGETHER_MAX 16

/* Of one person, behind the cursor as read_behind takes it. query: how many rows, how many
 * bytes, what makes JSON of a row; no statement. */
struct person_page {
    const struct read_query *query;
    struct dbk_uuid id;
    uint64_t after;
    bool descending;
    dbk_deadline deadline;
};

/* Make the model's gathers ready, for so many processors; gather_finish ends each. */
void person_pages_init(struct dbk_read_model *model, unsigned processors);

/* Who waits for a page: the look-up comes first, for that is what a gather knows. */
struct person_pages_one {
    struct look_up look_up;
    const struct person_page *page;
    bool full;
};
void person_pages_begin(struct person_pages_one *one, const struct person_page *page,
                        struct dbk_rows *rows);

/* As read_query_run. DBK_TOO_LARGE: rows are as they were, and it must be read alone. */
enum dbk_code person_pages_read(struct dbk_read_model *model,
                                const struct person_page *page, struct dbk_rows *rows,
                                bool *full, struct dbk_error *err);

#endif
