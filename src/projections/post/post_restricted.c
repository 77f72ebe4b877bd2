#include "post_restricted.h"

#include "pg_array.h"
#include "sql.h"

enum { QUERY_MS = 60000 };

static const struct pg_statement set = {"restricted_set", sql_restricted_set};

struct restricted {
    struct dbk_restricted all;
    struct pg_array ids, sequences;
};

static enum dbk_code read(struct dbk_log *log, struct restricted *out,
                          struct dbk_error *err)
{
    enum dbk_code code = dbk_log_restricted_all(log, &out->all, err);
    uint64_t since;

    for (size_t i = 0; code == DBK_OK && i < out->all.count; i++) {
        code = dbk_log_restricted(log, &out->all.list[i], &since, err);
        if (code != DBK_OK || since == 0) /* by now no more */
            continue;
        pg_array_uuid(&out->ids, &out->all.list[i]);
        pg_array_int8(&out->sequences, (int64_t)since);
    }
    return code;
}

static enum dbk_code write(struct restricted *restricted, struct pg *pg, uint64_t epoch,
                           struct dbk_error *err)
{
    struct pg_param params[3];
    char number[8];

    if (pg_array_param(&restricted->ids, &params[0], err) != DBK_OK ||
        pg_array_param(&restricted->sequences, &params[1], err) != DBK_OK)
        return err->code;
    params[2] = epoch > 0 ? pg_int8(number, (int64_t)epoch) : pg_text(NULL);
    return pg_run(pg, &set, params, 3, QUERY_MS, NULL, err);
}

enum dbk_code post_restricted(struct dbk_log *log, struct pg *pg, uint64_t epoch,
                              struct dbk_error *err)
{
    struct restricted restricted = {0};
    enum dbk_code code;

    pg_array_init(&restricted.ids, PG_UUID);
    pg_array_init(&restricted.sequences, PG_INT8);
    code = read(log, &restricted, err);
    if (code == DBK_OK)
        code = write(&restricted, pg, epoch, err);
    dbk_restricted_finish(&restricted.all);
    pg_array_finish(&restricted.ids);
    pg_array_finish(&restricted.sequences);
    return code;
}
