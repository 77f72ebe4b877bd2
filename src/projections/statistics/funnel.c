/* Who did one thing after the other. The events are had in their order, and what they come to
 * is worked out here: SQL would need a sort, or a window, for each step. */
#include "funnel_fold.h"
#include "pg_array.h"
#include "projections/statistics.h"
#include "sql.h"
#include "statistics_ask.h"

#include <assert.h>
#include <string.h>

enum { PERSON, AT, TYPE };
enum { LOOK_EACH = 4096 }; /* events: whether the client is still there */

struct funnel {
    const struct dbk_funnel_query *query;
    struct funnel_fold fold;
    unsigned steps_of
        [DBK_FUNNEL_STEPS_MAX]; /* which steps a type is; types as first named */
    size_t events;
    bool gone;
};

/* Each type once, though it is several steps. */
static void put_types(struct funnel *funnel, struct pg_array *types)
{
    const struct dbk_funnel_query *query = funnel->query;
    size_t place[DBK_FUNNEL_STEPS_MAX], count = 0;

    for (size_t k = 0; k < query->steps_count; k++) {
        size_t same = 0;
        while (!dbk_slice_equal(query->steps[same], query->steps[k]))
            same++;
        if (same == k) {
            place[k] = count++;
            pg_array_text(types, query->steps[k]);
        }
        funnel->steps_of[place[same]] |= 1u << k;
    }
}

static void begin(void *context)
{
    struct funnel *funnel = context;

    funnel_fold_init(&funnel->fold, funnel->query->steps_count,
                     funnel->query->within_us);
}

static bool is_gone(struct funnel *funnel)
{
    const struct dbk_asker *asker = funnel->query->asker;

    if (++funnel->events % LOOK_EACH == 0 && asker && asker->gone)
        funnel->gone = asker->gone(asker->context);
    return funnel->gone;
}

static bool visit(void *context, const struct pg_result *row)
{
    struct funnel *funnel = context;
    int64_t type = pg_binary_int8(row, 0, TYPE);
    struct dbk_uuid person;

    if (type < 1 || type > (int64_t)funnel->query->steps_count)
        return true; /* of none of the types that were asked for */
    pg_binary_uuid(row, 0, PERSON, &person);
    funnel_fold_event(&funnel->fold, &person, pg_binary_timestamp(row, 0, AT),
                      funnel->steps_of[type - 1]);
    return !is_gone(funnel);
}

enum dbk_code dbk_read_funnel(struct dbk_read_model *model,
                              const struct dbk_funnel_query *query,
                              uint64_t persons[DBK_FUNNEL_STEPS_MAX],
                              struct dbk_error *err)
{
    static const struct pg_statement statement = {"funnel", sql_funnel};
    struct funnel funnel = {.query = query};
    char since[8], until[8];
    struct pg_array types;
    struct pg_param params[3];
    struct statistics_ask ask = {.asker = query->asker,
                                 .statement = &statement,
                                 .params = params,
                                 .count = 3,
                                 .visit = visit,
                                 .begin = begin,
                                 .context = &funnel};
    enum dbk_code code;

    assert(query->steps_count <= DBK_FUNNEL_STEPS_MAX);
    pg_array_init(&types, PG_TEXT);
    put_types(&funnel, &types);
    statistics_range(&query->range, since, until, &params[1]);
    code = pg_array_param(&types, &params[0], err);
    if (code == DBK_OK)
        code = statistics_ask(model, &ask, err);
    pg_array_finish(&types);
    if (code != DBK_OK)
        return code;
    if (funnel.gone)
        return dbk_fail(err, DBK_INTERRUPTED, "The client is gone");
    funnel_fold_end(&funnel.fold);
    memcpy(persons, funnel.fold.persons, sizeof funnel.fold.persons);
    return DBK_OK;
}
