#include "count_events.h"
#include "pg_array.h"
#include "read_query.h"
#include "sql.h"

static const struct pg_statement statement = {"person_events_count",
                                              sql_person_events_count};

/* Those who are counted. */
struct counting {
    struct pg_array ids, behind, newest;
    struct pg_result *result;
};

static void know(struct dbk_read_model *model, uint64_t tag, struct count_one *one)
{
    event_totals_keep(&model->totals, tag, &one->id, &one->known);
    one->total = one->known.events > one->shown ? one->known.events : 0;
}

/* That of the person is known, or else to be counted. */
static void look_up(struct dbk_read_model *model, uint64_t tag, struct count_one *one,
                    struct counting *counting)
{
    event_totals_find(&model->totals, tag, &one->id, &one->known);
    one->asked =
        one->known.newest != one->newest && one->known.events < COUNT_EVENTS_MAX;
    if (one->asked) {
        pg_array_uuid(&counting->ids, &one->id);
        pg_array_int8(&counting->behind, (int64_t)one->known.newest);
        pg_array_int8(&counting->newest, (int64_t)one->newest);
    }
    one->known.newest = one->newest;
    if (!one->asked)
        know(model, tag, one);
}

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct counting *counting = context;
    char most[8];
    struct pg_param params[4];
    enum dbk_code code = pg_array_param(&counting->ids, &params[0], err);

    params[3] = pg_int8(most, COUNT_EVENTS_MAX);
    if (code == DBK_OK)
        code = pg_array_param(&counting->behind, &params[1], err);
    if (code == DBK_OK)
        code = pg_array_param(&counting->newest, &params[2], err);
    if (code == DBK_OK)
        code = pg_run(pg, &statement, params, 4, dbk_deadline_left(deadline),
                      &counting->result, err);
    return code;
}

/* A row for each that was asked for, in whatever order. */
static void take(struct dbk_read_model *model, uint64_t tag, struct count_one *ones,
                 size_t count, const struct pg_result *result)
{
    for (size_t row = 0; row < pg_rows(result); row++) {
        int64_t place = pg_binary_int8(result, row, 0);
        struct count_one *one = ones;

        for (; one < ones + count && (!one->asked || --place > 0); one++)
            ;
        if (one == ones + count)
            continue;
        one->known.events += (uint64_t)pg_binary_int8(result, row, 1);
        if (one->known.events > COUNT_EVENTS_MAX)
            one->known.events = COUNT_EVENTS_MAX;
        know(model, tag, one);
    }
}

enum dbk_code count_events(struct dbk_read_model *model, const struct dbk_asker *asker,
                           dbk_deadline deadline, uint64_t tag, struct count_one *ones,
                           size_t count, struct dbk_error *err)
{
    struct counting counting = {.result = NULL};
    enum dbk_code code = DBK_OK;
    bool any = false;

    pg_array_init(&counting.ids, PG_UUID);
    pg_array_init(&counting.behind, PG_INT8);
    pg_array_init(&counting.newest, PG_INT8);
    for (size_t i = 0; i < count; i++) {
        look_up(model, tag, &ones[i], &counting);
        any = any || ones[i].asked;
    }
    if (any)
        code = read_with_connection(model, asker, deadline, run, &counting, err);
    if (any && code == DBK_OK)
        take(model, tag, ones, count, counting.result);
    pg_clear(counting.result);
    pg_array_finish(&counting.ids);
    pg_array_finish(&counting.behind);
    pg_array_finish(&counting.newest);
    return code;
}
