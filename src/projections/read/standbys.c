#include "standbys.h"

#include "sql.h"
#include "store/thread.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PATIENCE: how long a read waits for one to catch up, before it goes to the primary. VAIN:
 * once one has waited for nothing, how long none does: replicas that stand still would cost
 * each read that long.
 * HANGS: with no answer for so long it is left out. EAGER: how often it is asked while a read
 * waits, IDLE else; AWAY: how often a connection is tried. */
enum {
    PATIENCE_MS = 20,
    VAIN_MS = 100,
    HANGS_MS = 1000,
    EAGER_MS = 1,
    IDLE_MS = 250,
    AWAY_MS = 1000,
    CONNECT_MS = 5000
};

static void report(struct standby *standby, const char *what, const char *why)
{
    const struct dbk_standby_options *options = standby->all->options;
    char line[768];

    if (!options->report)
        return;
    snprintf(line, sizeof line, "reads %s %s port %s%s%.500s", what, standby->host,
             standby->port, *why ? ": " : "", why);
    options->report(options->report_context, line);
}

/* Once per time that it is left out. */
static void let_in(struct standby *standby, uint64_t position)
{
    struct standbys *all = standby->all;
    bool was, moved;

    pthread_mutex_lock(&all->mutex);
    /* Less than before, too: where its tables were made anew, or it was. So it is said before
     * it is let in. */
    moved = atomic_exchange(&standby->position, position) != position;
    was = atomic_exchange(&standby->in, true);
    if (!was || moved)
        pthread_cond_broadcast(&all->moved);
    pthread_mutex_unlock(&all->mutex);
    if (!was && standby->told)
        report(standby, "use the standby again:", "");
    standby->told = false;
}

static void leave_out(struct standby *standby, const char *why)
{
    atomic_store(&standby->in, false);
    if (standby->told)
        return;
    standby->told = true;
    report(standby, "leave out the standby", why);
}

void standby_leave_out(struct standby *standby)
{
    atomic_store(&standby->in, false);
}

static bool stops(struct standbys *all)
{
    bool stopping;

    pthread_mutex_lock(&all->mutex);
    stopping = all->stopping;
    pthread_mutex_unlock(&all->mutex);
    return stopping;
}

/* While its answer is waited for: whether to go on, and whether it has hung for so long that
 * nobody else should wait for it. */
struct asking {
    struct standby *standby;
    int64_t since;
};

static enum dbk_code go_on(void *context, struct dbk_error *err)
{
    const struct asking *asking = context;

    if (stops(asking->standby->all))
        return dbk_fail(err, DBK_INTERRUPTED, "stopped");
    if (dbk_clock_ms() - asking->since >= HANGS_MS)
        leave_out(asking->standby, "it does not answer");
    return DBK_OK;
}

/* A row of its checkpoint, by what standby_checkpoint.sql asks. */
static enum dbk_code check_standby(const struct standby *standby,
                                   const struct pg_result *row, struct dbk_error *err)
{
    enum { STORE_ID = 1, IN_RECOVERY };
    struct dbk_uuid store_id;

    pg_binary_uuid(row, 0, STORE_ID, &store_id);
    if (!dbk_uuid_equal(&store_id, &standby->all->store_id))
        return dbk_fail(
            err, DBK_CONFLICT,
            "its read tables are of another log: it is no standby of DB_HOST");
    if (pg_binary_int8(row, 0, IN_RECOVERY) == 0)
        return dbk_fail(
            err, DBK_CONFLICT,
            "it is no standby: it is DB_HOST itself, or was promoted; take it "
            "out of READ_HOSTS");
    return DBK_OK;
}

static enum dbk_code read_position(struct standby *standby, struct pg *pg,
                                   uint64_t *position, struct dbk_error *err)
{
    const struct pg_statement statement = {"standby", sql_standby_checkpoint};
    struct pg_result *result;
    enum dbk_code code = pg_run(pg, &statement, NULL, 0, CONNECT_MS, &result, err);

    if (code != DBK_OK && !strcmp(pg_sqlstate(pg), "42P01")) /* undefined_table */
        return dbk_fail(err, code, "it has no read tables in that schema");
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0) {
        *position = (uint64_t)pg_binary_int8(result, 0, 0);
        code = check_standby(standby, result, err);
    } else {
        code = dbk_fail(err, DBK_UNAVAILABLE, "its read tables are empty");
    }
    pg_clear(result);
    return code;
}

/* Ask once; *pg is made where it is NULL, and NULL again where it was lost. */
static enum dbk_code ask(struct standby *standby, struct pg **pg, struct dbk_error *err)
{
    struct asking asking = {standby, dbk_clock_ms()};
    const struct pg_options options = {.application = "daybook standby",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .statement_timeout_ms = CONNECT_MS,
                                       .binary_rows = true,
                                       .go_on = go_on,
                                       .go_on_context = &asking};
    uint64_t position = 0;
    enum dbk_code code = DBK_OK;

    if (!*pg)
        code = pg_open(&standby->database, &options, pg, err);
    if (code == DBK_OK) {
        pg_ask_while(*pg, go_on, &asking);
        code = read_position(standby, *pg, &position, err);
        pg_ask_while(*pg, NULL, NULL);
    }
    if (code == DBK_OK)
        let_in(standby, position);
    if (*pg && !pg_alive(*pg)) {
        pg_close(*pg);
        *pg = NULL;
    }
    return code;
}

/* Until a read waits, for ms at most, and for at_least of it whoever waits; false: stop. */
static bool rest(struct standbys *all, int ms, int at_least)
{
    dbk_deadline until = dbk_deadline_in(ms), least = dbk_deadline_in(at_least);
    bool go, late = false;

    pthread_mutex_lock(&all->mutex);
    while (!all->stopping && !late &&
           (all->waiting == 0 || dbk_deadline_left(least) > 0))
        late =
            !dbk_cond_wait(&all->wanted, &all->mutex, all->waiting > 0 ? least : until);
    go = !all->stopping;
    pthread_mutex_unlock(&all->mutex);
    return go;
}

static void *run(void *context)
{
    struct standby *standby = context;
    struct pg *pg = NULL;
    struct dbk_error err;
    bool going = true;

    while (going) {
        if (ask(standby, &pg, &err) == DBK_OK) {
            going = rest(standby->all, IDLE_MS, EAGER_MS);
        } else {
            leave_out(standby, err.text);
            going = rest(standby->all, AWAY_MS, AWAY_MS);
        }
    }
    pg_close(pg);
    return NULL;
}

static enum dbk_code place(struct standby *standby, const char *text,
                           const struct dbk_database *primary, struct dbk_error *err)
{
    struct dbk_slice host;
    const char *port;

    if (!dbk_database_host(text, &host, &port))
        return dbk_fail(err, DBK_INVALID, "READ_HOSTS: \"%.200s\" is no host[:port]",
                        text);
    if (!port)
        port = primary->port && *primary->port ? primary->port : "5432";
    standby->host = strndup(host.data, host.length);
    standby->port = strdup(port);
    if (!standby->host || !standby->port)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    standby->database = *primary;
    standby->database.host = standby->host;
    standby->database.port = standby->port;
    /* What a standby's files are like is for its operator; ours hears of the primary's. */
    standby->database.damaged = NULL;
    return DBK_OK;
}

enum dbk_code standbys_open(struct standbys *standbys,
                            const struct dbk_database *primary,
                            const struct dbk_standby_options *options,
                            standby_pools *open_pools, void *context,
                            struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    size_t count = 0;

    while (options->hosts[count])
        count++;
    *standbys = (struct standbys){.store_id = options->store_id, .options = options};
    pthread_mutex_init(&standbys->mutex, NULL);
    dbk_cond_init(&standbys->moved);
    dbk_cond_init(&standbys->wanted);
    standbys->list = calloc(count, sizeof *standbys->list);
    if (!standbys->list)
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    for (size_t i = 0; code == DBK_OK && i < count; i++) {
        struct standby *standby = &standbys->list[i];

        standbys->count++;
        standby->all = standbys;
        code = place(standby, options->hosts[i], primary, err);
        if (code == DBK_OK)
            code = open_pools(context, standby, err);
    }
    for (size_t i = 0; code == DBK_OK && i < count; i++) {
        struct standby *standby = &standbys->list[i];

        code = dbk_thread_start(&standby->thread, "dbk-standby", run, standby, err);
        standby->started = code == DBK_OK;
    }
    if (code != DBK_OK)
        standbys_close(standbys);
    return code;
}

void standbys_close(struct standbys *standbys)
{
    if (!standbys->options)
        return;
    pthread_mutex_lock(&standbys->mutex);
    standbys->stopping = true;
    pthread_cond_broadcast(&standbys->wanted);
    pthread_cond_broadcast(&standbys->moved);
    pthread_mutex_unlock(&standbys->mutex);
    for (size_t i = 0; i < standbys->count; i++) {
        struct standby *standby = &standbys->list[i];

        if (standby->started)
            pthread_join(standby->thread, NULL);
        pool_close(standby->look_ups);
        pool_close(standby->lists);
        free(standby->host);
        free(standby->port);
    }
    free(standbys->list);
    pthread_cond_destroy(&standbys->moved);
    pthread_cond_destroy(&standbys->wanted);
    pthread_mutex_destroy(&standbys->mutex);
    *standbys = (struct standbys){0};
}

/* The next in turn that shows it; *any: there is one that may soon. */
static struct standby *find(struct standbys *standbys, uint64_t wanted, bool *any)
{
    unsigned turn = atomic_fetch_add(&standbys->turn, 1);

    *any = false;
    for (size_t i = 0; i < standbys->count; i++) {
        struct standby *standby = &standbys->list[(turn + i) % standbys->count];

        if (!atomic_load(&standby->in))
            continue;
        if (atomic_load(&standby->position) >= wanted)
            return standby;
        *any = true;
    }
    return NULL;
}

struct standby *standbys_pick(struct standbys *standbys, uint64_t wanted)
{
    dbk_deadline until;
    struct standby *found;
    bool any, waits = true;

    if (standbys->count == 0)
        return NULL;
    found = find(standbys, wanted, &any);
    if (found || !any || dbk_clock_ms() < atomic_load(&standbys->vain_until))
        return found;
    until = dbk_deadline_in(PATIENCE_MS);
    pthread_mutex_lock(&standbys->mutex);
    standbys->waiting++;
    pthread_cond_broadcast(&standbys->wanted);
    while (!found && any && waits && !standbys->stopping) {
        waits = dbk_cond_wait(&standbys->moved, &standbys->mutex, until);
        found = find(standbys, wanted, &any);
    }
    standbys->waiting--;
    pthread_mutex_unlock(&standbys->mutex);
    if (!found && !waits)
        atomic_store(&standbys->vain_until, dbk_clock_ms() + VAIN_MS);
    return found;
}

void standbys_look(const struct standbys *standbys, unsigned *all, unsigned *in)
{
    *all = (unsigned)standbys->count;
    *in = 0;
    for (size_t i = 0; i < standbys->count; i++)
        *in += atomic_load(&standbys->list[i].in);
}
