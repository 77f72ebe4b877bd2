#include "checkpoint.h"

#include "sql.h"

#include <string.h>

enum column { SEQUENCE, PERSON_ID, REASON, QUARANTINED_AT, ANONYMOUS_ID };

static void visit_row(const struct pg_result *result, size_t row,
                      void (*visit)(void *context, const struct dbk_quarantined *one),
                      void *context)
{
    struct dbk_slice id = pg_value(result, row, PERSON_ID);
    struct dbk_quarantined one = {
        .sequence = pg_u64(result, row, SEQUENCE),
        .reason = pg_value(result, row, REASON).data,
        .anonymous_id = pg_value(result, row, ANONYMOUS_ID).data,
        .quarantined_at = pg_value(result, row, QUARANTINED_AT).data,
    };

    one.has_person = dbk_uuid_parse(id.data, id.length, &one.person_id);
    visit(context, &one);
}

enum dbk_code
dbk_quarantine_list(const struct dbk_database *database, uint64_t after, unsigned limit,
                    void (*visit)(void *context, const struct dbk_quarantined *one),
                    void *context, struct dbk_error *err)
{
    char numbers[2][8];
    const struct pg_param params[] = {pg_int8(numbers[0], limit),
                                      pg_int8(numbers[1], (int64_t)after)};
    struct pg_result *result = NULL;
    enum dbk_code code =
        checkpoint_ask(database, sql_quarantine_list, params, 2, &result, err);

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < pg_rows(result); i++)
        visit_row(result, i, visit, context);
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code dbk_quarantine_retry(const struct dbk_database *database, uint64_t *count,
                                   struct dbk_error *err)
{
    struct pg_result *result = NULL;
    enum dbk_code code =
        checkpoint_ask(database, sql_quarantine_retry, NULL, 0, &result, err);

    *count = 0;
    if (code != DBK_OK)
        return code;
    *count = pg_affected(result);
    pg_clear(result);
    return DBK_OK;
}
