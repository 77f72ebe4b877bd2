#include "projector_tidy.h"

#include "sql.h"

#include <assert.h>

enum { CONNECT_MS = 1000, STATEMENT_MS = 60000 };
/* Records since the last time, while there are more to post, and while there are none. Far
 * below the 4 MB after which PostgreSQL would do it: then it takes a processor for half a
 * second, in which the batches wait. */
enum { BUSY_RECORDS = 16384, CALM_RECORDS = 1024 };

void projector_tidy_end(struct projector_tidy *tidy)
{
    pg_close(tidy->pg);
    *tidy = (struct projector_tidy){.database = tidy->database};
}

void projector_tidy_begin(struct projector_tidy *tidy,
                          const struct dbk_database *database)
{
    const struct pg_options options = {.application = "daybook tidying",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = STATEMENT_MS,
                                       .async_commit = true};

    tidy->database = database;
    pg_open(database, &options, &tidy->pg, NULL);
}

/* What fails here fails without harm: the insert that finds the list far too long empties
 * it. The next time begins with a new connection. */
static void launch(struct projector_tidy *tidy)
{
    assert(!tidy->under_way); /* the connection has one statement at a time */
    tidy->records = 0;
    if (!tidy->pg)
        projector_tidy_begin(tidy, tidy->database);
    tidy->under_way = tidy->pg && pg_launch(tidy->pg, sql_event_tidy, NULL) == DBK_OK;
    if (!tidy->under_way)
        projector_tidy_end(tidy);
}

/* Do not wait for it. */
static void look(struct projector_tidy *tidy)
{
    size_t which;
    enum dbk_code code = pg_wait_any(&tidy->pg, 1, 0, &which, NULL);

    if (code == DBK_TIMEOUT)
        return;
    tidy->under_way = false;
    if (code != DBK_OK || pg_conclude(tidy->pg, NULL, NULL) != DBK_OK)
        projector_tidy_end(tidy);
}

void projector_tidy(struct projector_tidy *tidy, size_t posted)
{
    tidy->records += posted;
    if (tidy->under_way)
        look(tidy);
    else if (tidy->records >= (posted > 0 ? BUSY_RECORDS : CALM_RECORDS))
        launch(tidy);
}
