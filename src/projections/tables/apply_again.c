/* What a retry does beside applying folds. */
#include "apply.h"

void apply_again_init(struct apply_again *again)
{
    pg_array_init(&again->persons, PG_UUID);
    pg_array_init(&again->anonymous_ids, PG_TEXT);
    pg_array_init(&again->settled, PG_TEXT);
    pg_array_init(&again->owners, PG_UUID);
    pg_array_init(&again->gone, PG_INT8);
}

void apply_again_finish(struct apply_again *again)
{
    pg_array_finish(&again->persons);
    pg_array_finish(&again->anonymous_ids);
    pg_array_finish(&again->settled);
    pg_array_finish(&again->owners);
    pg_array_finish(&again->gone);
}

enum dbk_code apply_drop(struct pg *pg, struct apply_again *again, int timeout_ms,
                         struct dbk_error *err)
{
    struct pg_param params[2];
    enum dbk_code code = pg_array_param(&again->persons, &params[0], err);

    if (code == DBK_OK)
        code = pg_array_param(&again->anonymous_ids, &params[1], err);
    for (size_t t = TABLES; t > 0 && code == DBK_OK; t--)
        code = pg_run(pg, &tables[t - 1]->drop, params, 2, timeout_ms, NULL, err);
    return code;
}

enum dbk_code apply_settle(struct pg *pg, struct apply_again *again, int timeout_ms,
                           struct dbk_error *err)
{
    struct pg_param params[3];
    enum dbk_code code = pg_array_param(&again->settled, &params[0], err);

    if (code == DBK_OK)
        code = pg_array_param(&again->owners, &params[1], err);
    if (code == DBK_OK)
        code = pg_array_param(&again->gone, &params[2], err);
    for (size_t t = 0; t < TABLES && code == DBK_OK; t++) {
        if (tables[t]->settle.sql)
            code = pg_run(pg, &tables[t]->settle, params, 3, timeout_ms, NULL, err);
    }
    return code;
}
