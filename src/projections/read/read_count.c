/* How many rows a list has, all pages together. */
#include "read_count.h"
#include "read_query.h"
#include "sql.h"

#include <stdlib.h>
#include <string.h>

struct counting {
    const struct pg_statement *statement;
    const struct pg_param *params;
    int count;
    struct pg_result *result;
};

/* Planned for its parameters: of those that are null nothing is left then. */
static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct counting *counting = context;
    enum dbk_code code;

    code = pg_script(pg, sql_plan_each_time, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = pg_run(pg, counting->statement, counting->params, counting->count,
                      dbk_deadline_left(deadline), &counting->result, err);
    if (pg_alive(pg))
        pg_script(pg, sql_plan_once, dbk_deadline_left(deadline), NULL);
    return code;
}

/* What the planner expects of the topmost node, which stands before those below it. */
static enum dbk_code read_plan(struct dbk_slice plan, uint64_t *rows,
                               struct dbk_error *err)
{
    static const char name[] = "\"Plan Rows\":";
    const char *at = memmem(plan.data, plan.length, name, strlen(name));

    if (!at)
        return dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL shows a plan without rows");
    *rows = strtoull(at + strlen(name), NULL, 10);
    return DBK_OK;
}

static enum dbk_code ask(struct dbk_read_model *model, const struct dbk_asker *asker,
                         struct counting *counting, bool exact, uint64_t *rows,
                         struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(model->timeout_ms);
    enum dbk_code code =
        read_with_connection(model, asker, deadline, run, counting, err);

    if (code != DBK_OK)
        return code;
    if (pg_rows(counting->result) != 1)
        code = dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL does not say how many");
    else if (exact)
        *rows = (uint64_t)pg_binary_int8(counting->result, 0, 0);
    else
        code = read_plan(pg_value(counting->result, 0, 0), rows, err);
    pg_clear(counting->result);
    return code;
}

enum dbk_code read_count(struct dbk_read_model *model,
                         const struct read_count_statements *statements,
                         const struct pg_param *params, int params_count, bool exact,
                         struct dbk_count *count, struct dbk_error *err)
{
    const struct dbk_asker *asker = read_asker(count->asker);
    struct counting counting = {&statements->exact, params, params_count, NULL};
    enum dbk_code code = DBK_TIMEOUT;

    count->exact = exact;
    if (exact)
        code = ask(model, asker, &counting, true, &count->rows, err);
    if (code != DBK_TIMEOUT)
        return code;
    count->exact = false;
    counting.statement = &statements->estimated;
    return ask(model, asker, &counting, false, &count->rows, err);
}
