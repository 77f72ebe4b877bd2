/* Connections shared by threads, one thread each at a time. */
#include "pool.h"
#include "store/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { ASK_MS = 100 }; /* how often who waits is asked whether to go on */

/* A place for a connection. */
struct slot {
    struct pg *pg; /* NULL while it is being made */
    uint64_t client;
    enum { FREE, IDLE, TAKEN } state;
    bool retired; /* it is closed when it is given back */
};

/* A thread that waits for its turn. What comes free is given to the first one that may
 * have it, not to whoever happens to run: else a busy thread that comes again overtakes it
 * for long. */
struct waiter {
    struct waiter *next;
    pthread_cond_t served;
    uint64_t client;
    struct slot *slot; /* what it was given: with a connection, or leave to make one */
};

struct pool {
    const struct dbk_database *database;
    struct pg_options options;
    pool_check *check; /* NULL: none */
    void *check_context;
    unsigned max, share;
    enum dbk_metric_pool name;

    pthread_mutex_t mutex;        /* guards what follows; never held while connecting */
    struct waiter *first, **last; /* in the order they came */
    struct slot *slots;           /* max of them */
    unsigned idle_count;
    struct slot **idle;   /* a stack */
    int64_t refused_at;   /* clock.h: the last connection was refused; 0: it was made */
    struct dbk_error why; /* it was */
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
    pool->share = pool->max;
    pool->idle = calloc(pool->max, sizeof *pool->idle);
    pool->slots = calloc(pool->max, sizeof *pool->slots);
    if (!pool->idle || !pool->slots) {
        free(pool->idle);
        free(pool->slots);
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

void pool_share(struct pool *pool, unsigned each)
{
    pool->share = each > 0 && each < pool->max ? each : pool->max;
}

void pool_name(struct pool *pool, enum dbk_metric_pool name)
{
    pool->name = name;
}

void pool_look(struct pool *pool, struct pool_use *out)
{
    *out = (struct pool_use){0};
    pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->max; i++) {
        out->busy += pool->slots[i].state == TAKEN;
        out->idle += pool->slots[i].state == IDLE;
    }
    pthread_mutex_unlock(&pool->mutex);
}

int64_t pool_refused(struct pool *pool, struct dbk_error *err)
{
    int64_t refused_at;

    pthread_mutex_lock(&pool->mutex);
    refused_at = pool->refused_at;
    for (unsigned i = 0; i < pool->max; i++) {
        if (pool->slots[i].pg)
            refused_at = 0;
    }
    if (err)
        *err = pool->why;
    pthread_mutex_unlock(&pool->mutex);
    return refused_at;
}

/* With the mutex held: one that nobody has, with a connection if there is such; NULL:
 * there is none. */
static struct slot *free_slot(struct pool *pool)
{
    if (pool->idle_count > 0)
        return pool->idle[--pool->idle_count];
    for (unsigned i = 0; i < pool->max; i++) {
        if (pool->slots[i].state == FREE)
            return &pool->slots[i];
    }
    return NULL;
}

/* With the mutex held. */
static bool has_share(const struct pool *pool, uint64_t client)
{
    unsigned taken = 0;

    for (unsigned i = 0; client != 0 && i < pool->max; i++)
        taken += pool->slots[i].state == TAKEN && pool->slots[i].client == client;
    return taken >= pool->share;
}

static void hand_out(struct slot *slot, uint64_t client)
{
    slot->state = TAKEN;
    slot->client = client;
}

/* With the mutex held: take the slot, which is taken, back, and give it to the first of
 * those who wait that may have it. */
static void give_back(struct pool *pool, struct slot *slot)
{
    struct waiter **link = &pool->first, *waiter;

    assert(slot->state == TAKEN);
    slot->state = slot->pg ? IDLE : FREE;
    while (*link && has_share(pool, (*link)->client))
        link = &(*link)->next;
    waiter = *link;
    if (!waiter) {
        assert(pool->idle_count < pool->max); /* of which this was none */
        if (slot->pg)
            pool->idle[pool->idle_count++] = slot;
        return;
    }
    *link = waiter->next;
    if (!*link)
        pool->last = link;
    hand_out(slot, waiter->client);
    waiter->slot = slot;
    pthread_cond_signal(&waiter->served);
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    pool_renew(pool);
    for (unsigned i = 0; i < pool->max; i++)
        assert(pool->slots[i].state == FREE); /* all were given back */
    pthread_mutex_destroy(&pool->mutex);
    free(pool->slots);
    free(pool->idle);
    free(pool);
}

void pool_check_new(struct pool *pool, pool_check *check, void *context)
{
    pool->check = check;
    pool->check_context = context;
}

static enum dbk_code connect_one(struct pool *pool, const struct pool_asker *asker,
                                 dbk_deadline deadline, struct slot *slot,
                                 struct dbk_error *err)
{
    struct pg_options options = pool->options;
    struct dbk_error why;
    struct pg *pg;
    enum dbk_code code;

    options.connect_timeout_ms = dbk_deadline_left(deadline);
    options.go_on = asker->go_on;
    options.go_on_context = asker->context;
    code = pg_open(pool->database, &options, &pg, &why);
    if (code == DBK_OK && pool->check)
        code = pool->check(pool->check_context, pg, deadline, &why);
    if (code == DBK_UNSUPPORTED) /* of the server: for who reads it is away */
        code = DBK_UNAVAILABLE;
    if (code != DBK_OK) {
        why.code = code;
        if (err)
            *err = why;
        pg_close(pg);
        pg = NULL;
    }
    pthread_mutex_lock(&pool->mutex);
    slot->pg = pg;
    pool->refused_at = code == DBK_UNAVAILABLE ? dbk_clock_ms() : 0;
    if (code != DBK_OK)
        pool->why = why;
    if (!pg)
        give_back(pool, slot);
    pthread_mutex_unlock(&pool->mutex);
    return code;
}

static void join_queue(struct pool *pool, struct waiter *waiter)
{
    *pool->last = waiter;
    pool->last = &waiter->next;
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

static enum dbk_code may_go_on(const struct pool_asker *asker, struct dbk_error *err)
{
    return asker->go_on ? asker->go_on(asker->context, err) : DBK_OK;
}

static enum dbk_code too_many(const struct pool *pool, uint64_t client,
                              struct dbk_error *err)
{
    if (has_share(pool, client))
        return dbk_fail(err, DBK_BUSY,
                        "This client has all %u connections to PostgreSQL that one may "
                        "have",
                        pool->share);
    return dbk_fail(err, DBK_BUSY, "All %u connections to PostgreSQL are in use",
                    pool->max);
}

/* With the mutex held: wait for a slot. */
static enum dbk_code wait_for_turn(struct pool *pool, const struct pool_asker *asker,
                                   dbk_deadline deadline, struct slot **slot,
                                   struct dbk_error *err)
{
    struct waiter waiter = {.client = asker->client};
    enum dbk_code code = DBK_OK;
    int64_t began_us = dbk_clock_us();

    dbk_metric_add_to(DBK_METRIC_POOL_WAITS, pool->name, 1);
    dbk_cond_init(&waiter.served);
    join_queue(pool, &waiter);
    while (!waiter.slot && code == DBK_OK && dbk_deadline_left(deadline) > 0) {
        dbk_deadline ask_at = dbk_deadline_in(ASK_MS);
        if (!dbk_cond_wait(&waiter.served, &pool->mutex,
                           ask_at < deadline ? ask_at : deadline))
            code = may_go_on(asker, err);
    }
    if (waiter.slot)
        code = DBK_OK;
    else
        leave_queue(pool, &waiter);
    if (!waiter.slot && code == DBK_OK)
        code = too_many(pool, asker->client, err);
    pthread_cond_destroy(&waiter.served);
    dbk_metric_observe_in(DBK_HISTOGRAM_POOL_WAIT, pool->name,
                          (uint64_t)(dbk_clock_us() - began_us));
    *slot = waiter.slot;
    return code;
}

enum dbk_code pool_take(struct pool *pool, const struct pool_asker *asker,
                        dbk_deadline deadline, struct pg **pg, struct dbk_error *err)
{
    static const struct pool_asker nobody = {.client = 0};
    struct slot *slot = NULL;
    enum dbk_code code = DBK_OK;

    *pg = NULL;
    if (!asker)
        asker = &nobody;
    pthread_mutex_lock(&pool->mutex);
    if (!has_share(pool, asker->client))
        slot = free_slot(pool);
    if (slot)
        hand_out(slot, asker->client);
    else
        code = wait_for_turn(pool, asker, deadline, &slot, err);
    pthread_mutex_unlock(&pool->mutex);
    if (code == DBK_OK && !slot->pg)
        code = connect_one(pool, asker, deadline, slot, err);
    if (code != DBK_OK)
        return code;
    *pg = slot->pg;
    pg_ask_while(*pg, asker->go_on, asker->context);
    return DBK_OK;
}

/* With the mutex held: where it is. */
static struct slot *slot_of(struct pool *pool, const struct pg *pg)
{
    for (unsigned i = 0; i < pool->max; i++) {
        if (pool->slots[i].pg == pg)
            return &pool->slots[i];
    }
    return NULL;
}

void pool_give(struct pool *pool, struct pg *pg)
{
    bool keep = pg_alive(pg);
    struct slot *slot;

    pg_ask_while(pg, NULL, NULL);
    pthread_mutex_lock(&pool->mutex);
    slot = slot_of(pool, pg);
    assert(slot); /* it came from here */
    keep = keep && !slot->retired;
    slot->retired = false;
    if (!keep)
        slot->pg = NULL;
    else
        give_back(pool, slot);
    pthread_mutex_unlock(&pool->mutex);
    if (keep)
        return;
    pg_close(pg);
    pthread_mutex_lock(&pool->mutex);
    give_back(pool, slot);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_renew(struct pool *pool)
{
    struct slot *slot;

    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        slot = pool->idle_count > 0 ? pool->idle[--pool->idle_count] : NULL;
        if (slot)
            hand_out(slot, 0);
        pthread_mutex_unlock(&pool->mutex);
        if (!slot)
            return;
        pg_close(slot->pg);
        pthread_mutex_lock(&pool->mutex);
        slot->pg = NULL;
        give_back(pool, slot);
        pthread_mutex_unlock(&pool->mutex);
    }
}

void pool_retire(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->max; i++)
        pool->slots[i].retired = pool->slots[i].state == TAKEN && pool->slots[i].pg;
    pthread_mutex_unlock(&pool->mutex);
    pool_renew(pool);
}
