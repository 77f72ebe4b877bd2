/* A refusal for want of a right, and who grants it. */
#include "pg_wire.h"

#include <string.h>

static const char *user(const struct pg *pg)
{
    const char *name = PQuser(pg->conn);

    return name ? name : "";
}

enum dbk_code pg_name_right(const struct pg *pg, enum pg_right right,
                            enum dbk_code code, struct dbk_error *err)
{
    const char *why = err ? err->text : NULL;

    if (!why || (strcmp(pg->sqlstate, "42501") != 0 && /* insufficient_privilege */
                 strcmp(pg->sqlstate, "3F000") != 0))  /* none is to be seen */
        return code;
    switch (right) {
    case PG_RIGHT_SCHEMA:
        return dbk_fail(err, code,
                        "%s: to have its schema made the role needs: grant create on "
                        "database \"%s\" to \"%s\"; or make it: create schema %s "
                        "authorization \"%s\"",
                        why, pg->name, user(pg), pg->identifier, user(pg));
    case PG_RIGHT_SHADOW:
        return dbk_fail(
            err, code,
            "%s: tables are made and compared in a schema beside the one that "
            "serves, for which the role needs: grant create on database "
            "\"%s\" to \"%s\"",
            why, pg->name, user(pg));
    case PG_RIGHT_TABLES:
        return dbk_fail(
            err, code,
            "%s: the role needs: grant usage, create on schema %s to \"%s\"; "
            "and tables that are there must be its own",
            why, pg->identifier, user(pg));
    }
    return code;
}
