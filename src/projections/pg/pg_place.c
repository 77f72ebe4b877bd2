/* Being where we think we are, and saying so: statements that name their schema. */
#include "pg.h"
#include "pg_wire.h"
#include "sql.h"

#include <stdlib.h>
#include <string.h>

static const char identifier[] = ":\"schema\"", literal[] = ":'schema'";

const struct pg_statement pg_place = {"place", sql_place};

void pg_place_params(const struct pg *pg, struct pg_param params[PG_PLACE_PARAMS])
{
    params[0] = pg_text(pg->process);
    params[1] = pg_text(pg->name);
    params[2] = pg_text(pg->schema);
}

enum dbk_code pg_misplaced(struct pg *pg, struct dbk_error *err)
{
    pg->dead = true;
    return dbk_fail(
        err, DBK_UNAVAILABLE,
        "PostgreSQL gave another session than the one that was opened, so "
        "nothing was done: DB_HOST must be no pooler in transaction mode; use "
        "session mode, or PostgreSQL's own port");
}

enum dbk_code pg_check_place(struct pg *pg, int timeout_ms, struct dbk_error *err)
{
    struct pg_param params[PG_PLACE_PARAMS];
    enum dbk_code code;

    pg_place_params(pg, params);
    code = pg_run(pg, &pg_place, params, PG_PLACE_PARAMS, timeout_ms, NULL, err);
    if (code == DBK_OK || strcmp(pg_sqlstate(pg), "22012") != 0)
        return code;
    return pg_misplaced(pg, err);
}

/* The next of either; NULL: none. */
static const char *next(const char *sql, const struct pg *pg, const char **name)
{
    const char *quoted = strstr(sql, identifier), *text = strstr(sql, literal);
    bool first = quoted && (!text || quoted < text);

    *name = first ? pg->identifier : pg->literal;
    return first ? quoted : text;
}

enum dbk_code pg_expand(const struct pg *pg, const char *sql, char **made,
                        const char **out, struct dbk_error *err)
{
    const char *name, *at;
    size_t longer = 0;
    char *to;

    _Static_assert(sizeof identifier == sizeof literal, "they are as long");
    *made = NULL;
    *out = sql;
    for (at = next(sql, pg, &name); at; at = next(at + sizeof literal - 1, pg, &name))
        longer += strlen(name);
    if (longer == 0)
        return DBK_OK;
    *made = to = malloc(strlen(sql) + longer + 1);
    if (!to)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    *out = *made;
    for (at = next(sql, pg, &name); at; at = next(sql, pg, &name)) {
        memcpy(to, sql, (size_t)(at - sql));
        to = stpcpy(to + (at - sql), name);
        sql = at + sizeof literal - 1;
    }
    strcpy(to, sql);
    return DBK_OK;
}
