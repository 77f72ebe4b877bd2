/* Connections shared by threads, one thread each at a time. */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct dbk_pool {
    const struct dbk_database *database;
    struct dbk_pg_options options;
    unsigned max;

    pthread_mutex_t mutex; /* guards what follows; never held while connecting */
    pthread_cond_t freed;
    unsigned open; /* idle, taken or being made */
    unsigned idle_count;
    struct dbk_pg **idle; /* a stack */
};

enum dbk_code dbk_pool_open(const struct dbk_database *database,
                            const struct dbk_pg_options *options, unsigned connections,
                            struct dbk_pool **out, struct dbk_error *err)
{
    struct dbk_pool *pool = calloc(1, sizeof *pool);
    pthread_condattr_t attributes;

    *out = NULL;
    if (!pool)
        return dbk_fail(err, DBK_NO_MEMORY, "Out of memory");
    pool->max = connections > 0 ? connections : 1;
    pool->idle = calloc(pool->max, sizeof(struct dbk_pg *));
    if (!pool->idle) {
        free(pool);
        return dbk_fail(err, DBK_NO_MEMORY, "Out of memory");
    }
    pool->database = database;
    pool->options = *options;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = pool;
    return DBK_OK;
}

void dbk_pool_close(struct dbk_pool *pool)
{
    if (!pool)
        return;
    dbk_pool_renew(pool);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->idle);
    free(pool);
}

static enum dbk_code connect_one(struct dbk_pool *pool, dbk_deadline deadline,
                                 struct dbk_pg **pg, struct dbk_error *err)
{
    struct dbk_pg_options options = pool->options;
    enum dbk_code code;

    options.connect_timeout_ms = dbk_deadline_left(deadline);
    code = dbk_pg_open(pool->database, &options, pg, err);
    if (code == DBK_OK)
        return DBK_OK;
    pthread_mutex_lock(&pool->mutex);
    pool->open--;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
    return code;
}

enum dbk_code dbk_pool_take(struct dbk_pool *pool, dbk_deadline deadline,
                            struct dbk_pg **pg, struct dbk_error *err)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000),
                                   .tv_nsec = (long)(deadline % 1000) * 1000000};
    int rc = 0;

    *pg = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (pool->idle_count == 0 && pool->open == pool->max && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&pool->freed, &pool->mutex, &until);
    if (pool->idle_count > 0) {
        *pg = pool->idle[--pool->idle_count];
        pthread_mutex_unlock(&pool->mutex);
        return DBK_OK;
    }
    if (pool->open == pool->max) {
        pthread_mutex_unlock(&pool->mutex);
        return dbk_fail(err, DBK_BUSY, "All %u connections to PostgreSQL are in use",
                        pool->max);
    }
    pool->open++;
    pthread_mutex_unlock(&pool->mutex);
    return connect_one(pool, deadline, pg, err);
}

void dbk_pool_give(struct dbk_pool *pool, struct dbk_pg *pg)
{
    bool alive = dbk_pg_alive(pg);

    if (!alive)
        dbk_pg_close(pg);
    pthread_mutex_lock(&pool->mutex);
    if (alive)
        pool->idle[pool->idle_count++] = pg;
    else
        pool->open--;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
}

void dbk_pool_renew(struct dbk_pool *pool)
{
    struct dbk_pg *pg;

    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        pg = pool->idle_count > 0 ? pool->idle[--pool->idle_count] : NULL;
        if (pg)
            pool->open--;
        pthread_mutex_unlock(&pool->mutex);
        if (!pg)
            return;
        dbk_pg_close(pg);
    }
}
