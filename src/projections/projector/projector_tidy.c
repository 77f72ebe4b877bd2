/* Emptying the list of what the index of properties does not have in its tree yet, beside
 * the batches, on a connection of its own. A search looks through all of that list. */
#include "projector_private.h"

#include "dbk_sql.h"

#include <assert.h>

enum { CONNECT_MS = 1000, STATEMENT_MS = 60000 };
/* Records since the last time, while there are more to post, and while there are none. Far
 * below the 4 MB after which PostgreSQL would do it: then it takes a processor for half a
 * second, in which the batches wait. */
enum { BUSY_RECORDS = 8192, CALM_RECORDS = 1024 };

void projector_tidy_end(struct dbk_projector *self)
{
    dbk_pg_close(self->tidy.pg);
    self->tidy = (struct projector_tidy){0};
}

void projector_tidy_begin(struct dbk_projector *self)
{
    const struct dbk_pg_options options = {.application = "daybook tidying",
                                           .connect_timeout_ms = CONNECT_MS,
                                           .statement_timeout_ms = STATEMENT_MS,
                                           .async_commit = true};

    dbk_pg_open(self->poster.database, &options, &self->tidy.pg, NULL);
}

/* What fails here fails without harm: the insert that finds the list far too long empties
 * it. The next time begins with a new connection. */
static void launch(struct dbk_projector *self)
{
    struct projector_tidy *tidy = &self->tidy;

    assert(!tidy->under_way); /* the connection has one statement at a time */
    tidy->records = 0;
    if (!tidy->pg)
        projector_tidy_begin(self);
    tidy->under_way =
        tidy->pg && dbk_pg_launch(tidy->pg, dbk_sql_event_tidy, NULL) == DBK_OK;
    if (!tidy->under_way)
        projector_tidy_end(self);
}

/* Do not wait for it. */
static void look(struct dbk_projector *self)
{
    struct projector_tidy *tidy = &self->tidy;
    size_t which;
    enum dbk_code code = dbk_pg_wait_any(&tidy->pg, 1, 0, &which, NULL);

    if (code == DBK_TIMEOUT)
        return;
    tidy->under_way = false;
    if (code != DBK_OK || dbk_pg_conclude(tidy->pg, NULL, NULL) != DBK_OK)
        projector_tidy_end(self);
}

void projector_tidy(struct dbk_projector *self)
{
    struct projector_tidy *tidy = &self->tidy;

    tidy->records += self->poster.batch.count;
    if (tidy->under_way)
        look(self);
    else if (tidy->records >=
             (self->poster.batch.count > 0 ? BUSY_RECORDS : CALM_RECORDS))
        launch(self);
}
