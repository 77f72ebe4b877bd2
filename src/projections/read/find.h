/* find.h - events and persons by id, gathered: dbk_read_event, dbk_look_up_event and
 * dbk_read_person. */
#ifndef DBK_PROJECTIONS_FIND_H
#define DBK_PROJECTIONS_FIND_H

#include "read_query.h"

/* Make the model's gathers ready, for so many processors; gather_finish ends each. */
enum dbk_code find_events_init(struct dbk_read_model *model, unsigned processors,
                               struct dbk_error *err);
enum dbk_code find_persons_init(struct dbk_read_model *model, unsigned processors,
                                struct dbk_error *err);

/* A statement that finds what is asked for. Its first parameter is the array of the ids,
 * more (at most FIND_MORE) are those behind it. */
#define FIND_MORE 2
struct find {
    const struct dbk_pg_statement *statement;
    struct dbk_look_up *const *asked;
    size_t count;
    struct dbk_pg_param more[FIND_MORE];
    int more_count;
};

/* Run it once for all, by the deadline of the first asked, and pass on. The rows come as
 * *result, to be cleared. Where that fails *result is NULL, and all asked have the
 * failure. */
void find_run(struct dbk_read_model *model, struct carrying *carrying,
              const struct find *find, struct dbk_pg_result **result);

/* Once its rows are there: whether that is what was asked for. */
void find_end(struct dbk_look_up *look_up, const char *nothing);
/* How it ended. err may be NULL. */
enum dbk_code find_tell(const struct dbk_look_up *look_up, struct dbk_error *err);

#endif
