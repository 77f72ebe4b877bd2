/* Which types of events there are. */
#include "projections/statistics.h"
#include "sql.h"
#include "statistics_ask.h"

enum dbk_code dbk_read_types(struct dbk_read_model *model,
                             const struct dbk_asker *asker, unsigned limit,
                             dbk_type_visit *visit, void *context,
                             struct dbk_error *err)
{
    enum { TYPE, EVENTS, FIRST, LAST };
    static const struct pg_statement statement = {"types", sql_types};
    char most[8];
    const struct pg_param param = pg_int8(most, limit);
    struct statistics_ask ask = {.asker = asker,
                                 .statement = &statement,
                                 .params = &param,
                                 .count = 1,
                                 .rows_max = DBK_TYPES_MAX};

    if (limit > DBK_TYPES_MAX)
        return dbk_fail(err, DBK_TOO_LARGE, "at most %d types", DBK_TYPES_MAX);
    enum dbk_code code = statistics_ask(model, &ask, err);
    if (code != DBK_OK)
        return code;
    for (size_t row = 0; row < pg_rows(ask.result); row++) {
        const struct dbk_type_row one = {
            .event_type = pg_value(ask.result, row, TYPE),
            .events = (uint64_t)pg_binary_int8(ask.result, row, EVENTS),
            .first = pg_binary_timestamp(ask.result, row, FIRST),
            .last = pg_binary_timestamp(ask.result, row, LAST),
        };
        visit(context, &one);
    }
    pg_clear(ask.result);
    return DBK_OK;
}
