#include "find.h"

#include "pg_array.h"
#include "store/clock.h"

struct run {
    const struct find *find;
    struct dbk_pg_param params[1 + FIND_MORE];
    struct dbk_pg_result *result;
};

static enum dbk_code run_find(void *context, struct dbk_pg *pg, dbk_deadline deadline,
                              struct dbk_error *err)
{
    struct run *run = context;

    return dbk_pg_run(pg, run->find->statement, run->params, 1 + run->find->more_count,
                      dbk_deadline_left(deadline), &run->result, err);
}

static enum dbk_code run_with(struct dbk_read_model *model, struct run *run,
                              struct dbk_pg_array *ids, struct dbk_error *err)
{
    const struct find *find = run->find;
    enum dbk_code code;

    for (size_t i = 0; i < find->count; i++)
        dbk_pg_array_uuid(ids, &find->asked[i]->id);
    code = dbk_pg_array_param(ids, &run->params[0], err);
    for (int i = 0; i < find->more_count; i++)
        run->params[1 + i] = find->more[i];
    if (code != DBK_OK)
        return code;
    return read_with_connection(model, find->asked[0]->deadline, run_find, run, err);
}

void find_run(struct dbk_read_model *model, struct carrying *carrying,
              const struct find *find, struct dbk_pg_result **result)
{
    struct run run = {.find = find};
    struct dbk_error err = {0};
    struct dbk_pg_array ids;
    enum dbk_code code;

    dbk_pg_array_init(&ids, DBK_PG_UUID);
    code = run_with(model, &run, &ids, &err);
    gather_pass_on(carrying);
    dbk_pg_array_free(&ids);
    for (size_t i = 0; i < find->count; i++) {
        find->asked[i]->code = code;
        if (code != DBK_OK)
            find->asked[i]->error = err;
    }
    *result = run.result;
}

void find_end(struct dbk_look_up *look_up, const char *nothing)
{
    if (look_up->code != DBK_OK)
        return;
    if (look_up->rows->no_memory)
        look_up->code = dbk_fail(&look_up->error, DBK_NO_MEMORY, "out of memory");
    else if (look_up->rows->count == 0)
        look_up->code = dbk_fail(&look_up->error, DBK_NOT_FOUND, "%s", nothing);
}

enum dbk_code find_tell(const struct dbk_look_up *look_up, struct dbk_error *err)
{
    if (look_up->code != DBK_OK && err)
        *err = look_up->error;
    return look_up->code;
}
