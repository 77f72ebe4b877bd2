#include "tables.h"

#include "sql.h"

#include <string.h>

enum dbk_code tables_look(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    static const struct pg_statement look = {"tables_look", sql_tables_look};

    return pg_run(pg, &look, NULL, 0, timeout_ms, NULL, err);
}

bool tables_broken(const struct pg *pg)
{
    static const char *const states[] = {
        "42P01", /* undefined_table */
        "42703", /* undefined_column */
        "42883", /* undefined_function: also an operator, and so a type that is not ours */
        "42804", /* datatype_mismatch */
    };
    const char *sqlstate = pg_sqlstate(pg);

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!strcmp(sqlstate, states[i]))
            return true;
    }
    return false;
}

const struct pg_statement tables_counted = {"events_counted", sql_events_counted};

enum dbk_code tables_uncounted(struct dbk_error *err)
{
    return dbk_fail(
        err, DBK_UNAVAILABLE,
        "the triggers that count events do not fire, so nothing is posted: "
        "alter table event enable trigger all, in the schema of the read "
        "tables, or set session_replication_role of the role, the database or "
        "the server to origin again");
}

enum dbk_code tables_check_counted(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    enum dbk_code code = pg_run(pg, &tables_counted, NULL, 0, timeout_ms, NULL, err);

    return strcmp(pg_sqlstate(pg), "22012") == 0 ? tables_uncounted(err) : code;
}

enum dbk_code tables_made(struct pg *pg, int timeout_ms, bool *made)
{
    static const struct pg_statement look = {NULL, sql_tables_made};
    struct pg_result *result;
    enum dbk_code code = pg_run(pg, &look, NULL, 0, timeout_ms, &result, NULL);

    if (code != DBK_OK)
        return code;
    *made = pg_rows(result) > 0;
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code tables_advise(enum dbk_code code, struct dbk_error *err)
{
    if (!err)
        return code;
    return dbk_fail(
        err, code,
        "%s: run daybook rebuild, which makes the read tables again from the log",
        err->text);
}
