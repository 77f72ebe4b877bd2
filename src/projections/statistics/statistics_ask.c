#include "statistics_ask.h"

#include "read_query.h"
#include "sql.h"
#include "store/clock.h"

#include <string.h>

struct asking {
    struct statistics_ask *ask;
    bool no_zone;
};

/* PostgreSQL knows which there are. It would not look where there are no rows. */
static enum dbk_code check_zone(struct asking *asking, struct pg *pg,
                                dbk_deadline deadline, struct dbk_error *err)
{
    static const struct pg_statement statement = {"zone_check", sql_zone_check};
    const struct statistics_ask *ask = asking->ask;
    char since[8], until[8];
    struct pg_param params[3] = {pg_text(ask->zone)};
    struct pg_result *days = NULL;
    enum dbk_code code;

    if (strcmp(ask->zone, "UTC") == 0)
        return DBK_OK;
    statistics_range(ask->range, since, until, &params[1]);
    code = pg_run(pg, &statement, params, 3, dbk_deadline_left(deadline), &days, err);
    asking->no_zone = code == DBK_INVALID;
    if (code == DBK_OK && ask->range->since_is_day)
        pg_timestamp(ask->since, pg_binary_timestamp(days, 0, 0));
    if (code == DBK_OK && ask->range->until_is_day)
        pg_timestamp(ask->until, pg_binary_timestamp(days, 1, 0));
    pg_clear(days);
    return code;
}

static enum dbk_code ask_once(const struct statistics_ask *ask, struct pg *pg,
                              dbk_deadline deadline, struct pg_result **result,
                              struct dbk_error *err)
{
    if (!ask->visit)
        return pg_run(pg, ask->statement, ask->params, ask->count,
                      dbk_deadline_left(deadline), result, err);
    ask->begin(ask->context);
    return pg_each(pg, ask->statement, ask->params, ask->count,
                   dbk_deadline_left(deadline), ask->visit, ask->context, err);
}

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct asking *asking = context;
    struct statistics_ask *ask = asking->ask;
    enum dbk_code code = DBK_OK;

    asking->no_zone = false;
    if (ask->zone)
        code = check_zone(asking, pg, deadline, err);
    if (code != DBK_OK)
        return code;
    code = pg_script(pg, sql_statistics_session, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = ask_once(ask, pg, deadline, &ask->result, err);
    /* Where this fails the connection is dead, and given back as such. */
    if (pg_alive(pg))
        pg_script(pg, sql_statistics_session_ends, dbk_deadline_left(deadline), NULL);
    return code;
}

enum dbk_code statistics_ask(struct dbk_read_model *model, struct statistics_ask *ask,
                             struct dbk_error *err)
{
    struct asking asking = {.ask = ask};
    enum dbk_code code;

    ask->result = NULL;
    code = read_with_connection(model, read_asker(ask->asker),
                                dbk_deadline_in(model->timeout_ms), run, &asking, err);
    if (code == DBK_INVALID && !asking.no_zone)
        return dbk_fail(err, DBK_INTERNAL, "A statement was refused: %s", err->text);
    if (code != DBK_OK)
        return code;
    if (ask->result && pg_rows(ask->result) > ask->rows_max) {
        pg_clear(ask->result);
        ask->result = NULL;
        return dbk_fail(err, DBK_TOO_LARGE, "It comes to more than %zu rows",
                        ask->rows_max);
    }
    return DBK_OK;
}

/* In binary form as an int8 has it: PostgreSQL's -infinity and infinity are the least and
 * the greatest. */
void statistics_range(const struct dbk_range *range, char since[8], char until[8],
                      struct pg_param params[2])
{
    params[0] = range->has_since ? pg_timestamp(since, range->since)
                                 : pg_int8(since, INT64_MIN);
    params[1] = range->has_until ? pg_timestamp(until, range->until)
                                 : pg_int8(until, INT64_MAX);
}

static bool is_whole(bool has, dbk_timestamp at, int64_t stretch_us)
{
    return !has || at % stretch_us == 0;
}

bool statistics_range_is_whole(const struct dbk_range *range, int64_t stretch_us)
{
    return is_whole(range->has_since, range->since, stretch_us) &&
           is_whole(range->has_until, range->until, stretch_us);
}

struct pg_param statistics_flag(bool value)
{
    return pg_text(value ? "true" : "false");
}

struct pg_param statistics_unit(enum dbk_bucket by)
{
    switch (by) {
    case DBK_BY_HOUR:
        return pg_text("hour");
    case DBK_BY_DAY:
        return pg_text("day");
    case DBK_BY_WEEK:
        return pg_text("week");
    case DBK_BY_MONTH:
        return pg_text("month");
    }
    return pg_text("day");
}
