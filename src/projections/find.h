/* find.h - events and persons by id, gathered: dbk_read_event and dbk_read_person. */
#ifndef DBK_PROJECTIONS_FIND_H
#define DBK_PROJECTIONS_FIND_H

#include "read_query.h"

/* Make the model's gathers ready, for so many processors; gather_finish ends each. */
void find_events_init(struct dbk_read_model *model, unsigned processors);
void find_persons_init(struct dbk_read_model *model, unsigned processors);

/* A statement that finds what is asked for. Its first parameter is the array of the ids,
 * more (at most FIND_MORE) are those behind it. */
#define FIND_MORE 2
struct find {
    const struct dbk_pg_statement *statement;
    struct look_up *const *asked;
    size_t count;
    struct dbk_pg_param more[FIND_MORE];
    int more_count;
};

/* Run it once for all, by the deadline of the first asked, and pass on. The rows come as *result, to
 * be cleared. Where that fails *result is NULL, and all asked have the failure. */
void find_run(struct dbk_read_model *model, struct gather *gather,
              const struct find *find, struct dbk_pg_result **result);

/* How a look-up ended once its rows are there. */
enum dbk_code find_end(struct look_up *look_up, const char *nothing,
                       struct dbk_error *err);

#endif
