/* pool.h - a few connections for many threads.
 *
 * Connections are made when needed, up to a bound, and kept. The one given back last is
 * handed out first: few busy connections mean fewer wake-ups than many idle ones. It does
 * not retry: whoever meets a lost connection knows whether its statement may run twice.
 */
#ifndef DBK_PROJECTIONS_POOL_H
#define DBK_PROJECTIONS_POOL_H

#include "pg.h"
#include "store/clock.h"
#include "store/metrics.h"

struct pool; /* safe to share between threads */

/* On whose behalf a connection is taken. */
struct pool_asker {
    uint64_t client; /* whose share it counts on; 0: nobody's */
    pg_go_on *go_on; /* asked while it, or PostgreSQL, is waited for; or NULL */
    void *context;
};

/* What database and options point to must outlive the pool; connect_timeout_ms is not
 * used. DBK_NO_MEMORY. */
enum dbk_code pool_open(const struct dbk_database *database,
                        const struct pg_options *options, unsigned connections,
                        struct pool **pool, struct dbk_error *err);
/* Let one client have no more than so many at a time; 0: any. Before the first is taken. */
void pool_share(struct pool *pool, unsigned each);
/* All connections must have been given back. NULL is fine. */
void pool_close(struct pool *pool);

/* Which one its waits are counted for (store/metrics.h). Before the first is taken. */
void pool_name(struct pool *pool, enum dbk_metric_pool name);

/* How many connections threads have, and how many nobody has. Any thread. */
struct pool_use {
    unsigned busy, idle;
};
void pool_look(struct pool *pool, struct pool_use *out);

/* Since when (clock.h) no connection can be made, where there is none: the last one that was
 * wanted was refused, and err says why. 0: not so. Any thread. */
int64_t pool_refused(struct pool *pool, struct dbk_error *err);

/* Ask this of each connection once it is made; one that fails it is closed, and whoever
 * wanted it gets the failure. Before the first is taken. */
typedef enum dbk_code pool_check(void *context, struct pg *pg, dbk_deadline deadline,
                                 struct dbk_error *err);
void pool_check_new(struct pool *pool, pool_check *check, void *context);

/* A connection for this thread alone, until given back, on which go_on is asked, too
 * (pg_ask_while). Who waits has it before those that came later, but for who has its share
 * already. asker may be NULL.
 *
 * DBK_BUSY  none came free by the deadline; err says whether it was for the share
 * and those of pg_open, the check and go_on. */
enum dbk_code pool_take(struct pool *pool, const struct pool_asker *asker,
                        dbk_deadline deadline, struct pg **pg, struct dbk_error *err);

/* Give it back; a dead one is closed, so that the next to need one connects anew. */
void pool_give(struct pool *pool, struct pg *pg);

/* Close the idle connections: one was found lost, so these probably are too. */
void pool_renew(struct pool *pool);

/* Close the idle connections, and those that threads have as they give them back: libpq and
 * the server keep what went through a connection last. Any thread. */
void pool_retire(struct pool *pool);

#endif
