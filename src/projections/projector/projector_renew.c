#include "projector_renew.h"

#include "sql.h"

#include <assert.h>

enum { RENEW_MS = 5000, CONNECT_MS = 5000, STATEMENT_MS = 60000, LOCK_MS = 5000 };

bool projector_renew_due(struct dbk_projector *projector)
{
    const int gather_ms = projector->options.renew_ms;

    if (projector->poster.erasures == projector->erasures)
        return false;
    if (projector->renew_at == 0)
        projector->renew_at = dbk_deadline_in(gather_ms > 0 ? gather_ms : RENEW_MS);
    return dbk_deadline_left(projector->renew_at) == 0 &&
           !post_retry_pending(&projector->retry);
}

enum dbk_code projector_open(struct dbk_projector *projector, struct pg **pg,
                             struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook projector",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = STATEMENT_MS,
                                       .async_commit = !projector->options.flush};

    return pg_open(projector->poster.database, &options, pg, err);
}

void projector_renew(struct dbk_projector *projector)
{
    struct poster *poster = &projector->poster;
    struct pg *next;
    uint64_t retries;
    size_t which;
    bool same;

    assert(!projector->next);
    if (projector_open(projector, &next, NULL) != DBK_OK)
        return;
    if (pg_launch(next, sql_holder_await, NULL) != DBK_OK ||
        poster_poll(poster, &same, &retries, NULL) != DBK_OK) { /* it waits by now */
        pg_close(next);
        return;
    }
    projector_breakable(projector, next);
    pg_close(poster->pg);
    poster->pg = NULL;
    if (pg_wait_any(&next, 1, LOCK_MS, &which, NULL) == DBK_OK &&
        pg_conclude(next, NULL, NULL) == DBK_OK) {
        projector->next = next;
        return;
    }
    projector_breakable(projector, NULL);
    pg_close(next);
}

void projector_drop_next(struct dbk_projector *projector)
{
    if (!projector->next)
        return;
    projector_breakable(projector, NULL);
    pg_close(projector->next);
    projector->next = NULL;
}

void projector_renewed(struct dbk_projector *projector)
{
    if (projector->poster.erasures == projector->erasures)
        return;
    if (!post_retry_pending(&projector->retry))
        poster_forget(&projector->poster);
    projector->erasures = projector->poster.erasures;
    projector->renew_at = 0;
    atomic_fetch_add(&projector->renewals, 1);
}
