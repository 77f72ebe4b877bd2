/* The read model, opened and closed. */
#include "projections/read_model.h"
#include "find_person.h"
#include "person_pages.h"
#include "read_query.h"
#include "sql.h"
#include "store/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void dbk_read_model_claim(struct dbk_read_model *model, uint64_t sequence)
{
    uint64_t before = atomic_load(&model->claimed);

    while (before < sequence &&
           !atomic_compare_exchange_weak(&model->claimed, &before, sequence))
        ;
}

void dbk_read_model_rearranged(struct dbk_read_model *model, uint64_t times)
{
    event_totals_tell(&model->totals, times);
}

/* The projector's commits do not wait for the disk. A PostgreSQL that crashed has lost
 * the last of them, and may be back before the projector notices. Connections end with a
 * crash, so those that were there before need not be asked. */
static enum dbk_code check_claimed(void *context, struct pg *pg, dbk_deadline deadline,
                                   struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql_checkpoint_sequence};
    struct dbk_read_model *model = context;
    uint64_t claimed = atomic_load(&model->claimed), sequence = 0;
    struct pg_result *result;
    enum dbk_code code;

    if (claimed == 0)
        return DBK_OK;
    code = pg_run(pg, &statement, NULL, 0, dbk_deadline_left(deadline), &result, err);
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0)
        sequence = (uint64_t)pg_binary_int8(result, 0, 0);
    pg_clear(result);
    if (sequence >= claimed)
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "The read tables are back at sequence %llu, and were at %llu",
                    (unsigned long long)sequence, (unsigned long long)claimed);
}

/* A query whose client is gone, or which we have given up, ends; from PostgreSQL's own
 * look at its connection, which not every system has. */
static void watch_client(struct pg *pg, dbk_deadline deadline)
{
    pg_script(pg, sql_watch_client, dbk_deadline_left(deadline), NULL);
}

static enum dbk_code check_new(void *context, struct pg *pg, dbk_deadline deadline,
                               struct dbk_error *err)
{
    watch_client(pg, deadline);
    return check_claimed(context, pg, deadline, err);
}

enum {
    TRY_MS = 1000,
    PERSON_BYTES = 64 << 10
}; /* so that at first few are asked for */

/* Whether the pool gets no connection from a PostgreSQL that answers: what was refused
 * before that is past. */
static bool is_refused(const struct dbk_read_model *model, struct pool *pool,
                       struct dbk_error *err)
{
    int64_t connected_at = prober_connected_at(&model->prober);

    return connected_at > 0 && pool_refused(pool, err) > connected_at;
}

/* Whoever is told that there is none comes again later, or not at all. */
static void try_refused(struct dbk_read_model *model)
{
    struct pool *const pools[] = {model->look_ups, model->lists};
    struct pg *pg;

    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (is_refused(model, pools[i], NULL) &&
            pool_take(pools[i], NULL, dbk_deadline_in(TRY_MS), &pg, NULL) == DBK_OK)
            pool_give(pools[i], pg);
    }
}

static void retire_all(struct dbk_read_model *model)
{
    pool_retire(model->look_ups);
    pool_retire(model->lists);
    for (size_t i = 0; i < model->standbys.count; i++) {
        pool_retire(model->standbys.list[i].look_ups);
        pool_retire(model->standbys.list[i].lists);
    }
}

static void beside(void *context)
{
    struct dbk_read_model *model = context;
    uint64_t renewals =
        model->renewals ? model->renewals(model->renewals_context) : model->renewed;

    if (renewals != model->renewed)
        retire_all(model);
    model->renewed = renewals;
    try_refused(model);
}

void dbk_read_model_renew(struct dbk_read_model *model,
                          uint64_t (*renewals)(const void *context),
                          const void *context)
{
    model->renewals = renewals;
    model->renewals_context = context;
}

bool dbk_read_model_refused(const struct dbk_read_model *model, struct dbk_error *err)
{
    unsigned standbys, in;

    standbys_look(&model->standbys, &standbys, &in);
    return in == 0 && (is_refused(model, model->look_ups, err) ||
                       is_refused(model, model->lists, err));
}

/* Of its lists a sixth is kept from any one client. */
static unsigned share_of(unsigned lists)
{
    return lists > 1 ? lists - (lists + 5) / 6 : 1;
}

static enum dbk_code open_pool(struct dbk_read_model *model,
                               const struct dbk_database *database,
                               unsigned connections, struct pool **pool,
                               struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook read",
                                       .statement_timeout_ms = model->timeout_ms,
                                       .fixed_plans = true,
                                       .binary_rows = true};
    enum dbk_code code = pool_open(database, &options, connections, pool, err);

    if (code == DBK_OK)
        pool_check_new(*pool, check_new, model);
    return code;
}

/* *look_ups and *lists are NULL, or pools to be closed, where it fails. */
static enum dbk_code open_pools(struct dbk_read_model *model,
                                const struct dbk_database *database,
                                struct pool **look_ups, struct pool **lists,
                                struct dbk_error *err)
{
    enum dbk_code code = open_pool(model, database, model->look_ups_max, look_ups, err);

    if (code == DBK_OK)
        code = open_pool(model, database, model->lists_max, lists, err);
    if (code != DBK_OK)
        return code;
    pool_name(*look_ups, DBK_POOL_LOOKUPS);
    pool_name(*lists, DBK_POOL_LISTS);
    pool_share(*lists, share_of(model->lists_max));
    return DBK_OK;
}

static enum dbk_code open_standby(void *context, struct standby *standby,
                                  struct dbk_error *err)
{
    return open_pools(context, &standby->database, &standby->look_ups, &standby->lists,
                      err);
}

enum dbk_code dbk_read_model_standbys(struct dbk_read_model *model,
                                      const struct dbk_standby_options *options,
                                      struct dbk_error *err)
{
    return standbys_open(&model->standbys, model->database, options, open_standby,
                         model, err);
}

enum dbk_code dbk_read_model_open(const struct dbk_database *database,
                                  unsigned connections, int query_timeout_ms,
                                  struct dbk_read_model **out, struct dbk_error *err)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned processors = online > 0 ? (unsigned)online : 1;
    const unsigned all = connections > 2 ? connections : 2;
    const unsigned look_ups = processors < all / 2 ? processors : all / 2;
    struct dbk_read_model *model = calloc(1, sizeof *model);
    enum dbk_code code;

    *out = NULL;
    if (!model)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    model->timeout_ms = query_timeout_ms;
    model->database = database;
    model->look_ups_max = look_ups;
    model->lists_max = all - look_ups;
    prober_init(&model->prober, database);
    event_totals_init(&model->totals);
    for (size_t i = 0; i < sizeof model->person_bytes / sizeof *model->person_bytes;
         i++)
        atomic_init(&model->person_bytes[i], PERSON_BYTES);
    code = open_pools(model, database, &model->look_ups, &model->lists, err);
    if (code != DBK_OK) {
        pool_close(model->look_ups);
        pool_close(model->lists);
        prober_finish(&model->prober);
        event_totals_finish(&model->totals);
        free(model);
        return code;
    }
    find_persons_init(model, processors);
    person_pages_init(model, processors);
    prober_beside(&model->prober, beside, model);
    *out = model;
    return DBK_OK;
}

enum dbk_code dbk_read_model_watch(struct dbk_read_model *model, struct dbk_error *err)
{
    return prober_start(&model->prober, err);
}

int64_t dbk_read_model_hangs(const struct dbk_read_model *model)
{
    return prober_hangs(&model->prober);
}

void dbk_read_model_gauges(const struct dbk_read_model *model,
                           struct dbk_read_model_gauges *out)
{
    struct pool *const pools[] = {
        [DBK_POOL_LOOKUPS] = model->look_ups, [DBK_POOL_LISTS] = model->lists};
    struct pool_use use;

    for (size_t i = 0; i < DBK_METRIC_POOLS; i++) {
        pool_look(pools[i], &use);
        out->busy[i] = use.busy;
        out->idle[i] = use.idle;
    }
    out->waits_ms = prober_waits(&model->prober);
    standbys_look(&model->standbys, &out->standbys, &out->standbys_in);
}

void dbk_read_model_close(struct dbk_read_model *model)
{
    if (!model)
        return;
    gather_finish(&model->persons);
    for (size_t i = 0; i < sizeof model->pages / sizeof *model->pages; i++)
        gather_finish(&model->pages[i]);
    standbys_close(&model->standbys);
    prober_finish(&model->prober);
    pool_close(model->look_ups);
    pool_close(model->lists);
    event_totals_finish(&model->totals);
    free(model);
}
