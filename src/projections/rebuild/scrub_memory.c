#include "scrub_memory.h"

#include "pg.h"
#include "sql.h"

enum { CONNECT_MS = 10000, STATEMENT_MS = 600000 };

enum dbk_code scrub_memory(const struct dbk_database *database, struct dbk_error *err)
{
    static const struct pg_options options = {.application = "daybook scrub",
                                              .connect_timeout_ms = CONNECT_MS,
                                              .async_commit = true};
    struct pg *pg;
    enum dbk_code code = pg_open(database, &options, &pg, err);

    if (code == DBK_OK)
        code = pg_script(pg, sql_scrub_memory, STATEMENT_MS, err);
    pg_close(pg);
    return code == DBK_OK ? code : dbk_wrap(err, "overwrite PostgreSQL's memory");
}
