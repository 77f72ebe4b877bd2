/* The schemas of ours beside the live ones. */
#include "checkpoint.h"
#include "dbk_sql.h"
#include "projections/rebuild.h"
#include "rebuild_schema.h"

#include <string.h>

enum column { NAME, KIND, HELD, BYTES };

static void read_row(const struct dbk_pg_result *rows, size_t row,
                     struct dbk_side_schema *out)
{
    const char *kind = dbk_pg_value(rows, row, KIND).data;

    *out = (struct dbk_side_schema){.name = dbk_pg_value(rows, row, NAME).data,
                                    .kind = !strcmp(kind, "kept")     ? DBK_SIDE_KEPT
                                            : !strcmp(kind, "shadow") ? DBK_SIDE_SHADOW
                                                                      : DBK_SIDE_REPLAY,
                                    .held = dbk_pg_bool(rows, row, HELD),
                                    .has_bytes = !dbk_pg_null(rows, row, BYTES)};
    if (out->has_bytes)
        out->bytes = dbk_pg_u64(rows, row, BYTES);
}

enum dbk_code dbk_side_schemas(const struct dbk_database *database,
                               void (*visit)(void *context,
                                             const struct dbk_side_schema *one),
                               void *context, struct dbk_error *err)
{
    const struct dbk_pg_param params[] = {
        dbk_pg_text(SCHEMA_SHADOW_BEGINS), dbk_pg_text(SCHEMA_SHADOW_ENDS),
        dbk_pg_text(SCHEMA_KEPT_BEGINS), dbk_pg_text(SCHEMA_REPLAY)};
    struct dbk_pg_result *rows;
    enum dbk_code code =
        checkpoint_ask(database, dbk_sql_schema_list, params, 4, &rows, err);
    struct dbk_side_schema one;

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < dbk_pg_rows(rows); i++) {
        read_row(rows, i, &one);
        visit(context, &one);
    }
    dbk_pg_clear(rows);
    return DBK_OK;
}
