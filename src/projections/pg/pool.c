/* Connections shared by threads, one thread each at a time. */
#include "pool.h"
#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A thread that waits for its turn. What comes free is given to the first one, not to
 * whoever happens to run: else a busy thread that comes again overtakes it for long. */
struct waiter {
    struct waiter *next;
    pthread_cond_t served;
    struct pg *pg;    /* what it was given */
    bool may_connect; /* or leave to make one */
};

struct pool {
    const struct dbk_database *database;
    struct pg_options options;
    pool_check *check; /* NULL: none */
    void *check_context;
    unsigned max;

    pthread_mutex_t mutex;        /* guards what follows; never held while connecting */
    struct waiter *first, **last; /* in the order they came */
    unsigned open;                /* idle, taken or being made */
    unsigned idle_count;
    struct pg **idle; /* a stack */
};

enum dbk_code pool_open(const struct dbk_database *database,
                        const struct pg_options *options, unsigned connections,
                        struct pool **out, struct dbk_error *err)
{
    struct pool *pool = calloc(1, sizeof *pool);

    *out = NULL;
    if (!pool)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    pool->max = connections > 0 ? connections : 1;
    pool->idle = calloc(pool->max, sizeof(struct pg *));
    if (!pool->idle) {
        free(pool);
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    pool->database = database;
    pool->options = *options;
    pthread_mutex_init(&pool->mutex, NULL);
    pool->last = &pool->first;
    *out = pool;
    return DBK_OK;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    pool_renew(pool);
    assert(pool->open == 0 && !pool->first); /* all were given back */
    pthread_mutex_destroy(&pool->mutex);
    free(pool->idle);
    free(pool);
}

void pool_check_new(struct pool *pool, pool_check *check, void *context)
{
    pool->check = check;
    pool->check_context = context;
}

/* With the mutex held: the first in the queue, taken out of it; NULL: nobody waits. */
static struct waiter *next_waiter(struct pool *pool)
{
    struct waiter *waiter = pool->first;

    if (!waiter)
        return NULL;
    pool->first = waiter->next;
    if (!pool->first)
        pool->last = &pool->first;
    return waiter;
}

/* With the mutex held: one connection fewer is open. */
static void drop_one(struct pool *pool)
{
    struct waiter *waiter = next_waiter(pool);

    assert(pool->open > 0 && pool->open <= pool->max);
    if (!waiter) {
        pool->open--;
        return;
    }
    waiter->may_connect = true;
    pthread_cond_signal(&waiter->served);
}

static enum dbk_code connect_one(struct pool *pool, dbk_deadline deadline,
                                 struct pg **pg, struct dbk_error *err)
{
    struct pg_options options = pool->options;
    enum dbk_code code;

    options.connect_timeout_ms = dbk_deadline_left(deadline);
    code = pg_open(pool->database, &options, pg, err);
    if (code == DBK_OK && pool->check)
        code = pool->check(pool->check_context, *pg, deadline, err);
    if (code == DBK_OK)
        return DBK_OK;
    if (code == DBK_UNSUPPORTED) { /* of the server: for who reads it is away */
        code = DBK_UNAVAILABLE;
        if (err)
            err->code = code;
    }
    pg_close(*pg);
    *pg = NULL;
    pthread_mutex_lock(&pool->mutex);
    drop_one(pool);
    pthread_mutex_unlock(&pool->mutex);
    return code;
}

static void leave_queue(struct pool *pool, const struct waiter *waiter)
{
    struct waiter **link = &pool->first;

    while (*link != waiter) {
        assert(*link); /* it was not served, so it is there still */
        link = &(*link)->next;
    }
    *link = waiter->next;
    if (!*link)
        pool->last = link;
}

/* With the mutex held: wait for a connection, or for leave to make one. False: neither
 * came in time. */
static bool wait_for_turn(struct pool *pool, dbk_deadline deadline,
                          struct waiter *waiter)
{
    bool in_time = true;

    dbk_cond_init(&waiter->served);
    *pool->last = waiter;
    pool->last = &waiter->next;
    while (!waiter->pg && !waiter->may_connect && in_time)
        in_time = dbk_cond_wait(&waiter->served, &pool->mutex, deadline);
    if (!waiter->pg && !waiter->may_connect)
        leave_queue(pool, waiter);
    pthread_cond_destroy(&waiter->served);
    return waiter->pg || waiter->may_connect;
}

enum dbk_code pool_take(struct pool *pool, dbk_deadline deadline, struct pg **pg,
                        struct dbk_error *err)
{
    struct waiter waiter = {.next = NULL};
    bool served = true;

    pthread_mutex_lock(&pool->mutex);
    if (pool->idle_count > 0)
        waiter.pg = pool->idle[--pool->idle_count];
    else if (pool->open < pool->max)
        pool->open++;
    else
        served = wait_for_turn(pool, deadline, &waiter);
    pthread_mutex_unlock(&pool->mutex);
    *pg = waiter.pg;
    if (!served)
        return dbk_fail(err, DBK_BUSY, "All %u connections to PostgreSQL are in use",
                        pool->max);
    return *pg ? DBK_OK : connect_one(pool, deadline, pg, err);
}

void pool_give(struct pool *pool, struct pg *pg)
{
    bool alive = pg_alive(pg);
    struct waiter *waiter;

    if (!alive)
        pg_close(pg);
    pthread_mutex_lock(&pool->mutex);
    waiter = alive ? next_waiter(pool) : NULL;
    if (waiter) {
        waiter->pg = pg;
        pthread_cond_signal(&waiter->served);
    } else if (alive) {
        assert(pool->idle_count < pool->open); /* idle has room for max */
        pool->idle[pool->idle_count++] = pg;
    } else {
        drop_one(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
}

void pool_renew(struct pool *pool)
{
    struct pg *pg;

    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        pg = pool->idle_count > 0 ? pool->idle[--pool->idle_count] : NULL;
        if (pg)
            drop_one(pool);
        pthread_mutex_unlock(&pool->mutex);
        if (!pg)
            return;
        pg_close(pg);
    }
}
