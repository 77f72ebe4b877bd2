#include "prober.h"

#include "sql.h"
#include "store/thread.h"

#include <assert.h>

/* AWAY: where there is no connection, as it is refused, readers need nobody to find out.
 * PATIENCE: longer than a busy server takes to answer what needs no row; who watches looks
 * at what is under way before that (prober_waits). RENEW: what was lost on the way is not
 * sent again for a long time, so then anew. */
enum {
    PERIOD_MS = 400,
    AWAY_MS = 5000,
    PATIENCE_MS = 2000,
    RENEW_MS = 10000,
    STEP_MS = 200
};

static bool stopping(void *context)
{
    struct prober *prober = context;
    bool stops;

    pthread_mutex_lock(&prober->mutex);
    stops = prober->stopping;
    pthread_mutex_unlock(&prober->mutex);
    return stops;
}

void prober_init(struct prober *prober, const struct dbk_database *database)
{
    *prober = (struct prober){.database = *database};
    atomic_init(&prober->asked_at, 0);
    atomic_init(&prober->asks_at, 0);
    atomic_init(&prober->connected_at, 0);
    pthread_mutex_init(&prober->mutex, NULL);
    dbk_cond_init(&prober->changed);
}

void prober_beside(struct prober *prober, void (*beside)(void *context), void *context)
{
    assert(!prober->started);
    prober->beside = beside;
    prober->beside_context = context;
}

int64_t prober_connected_at(const struct prober *prober)
{
    return atomic_load(&prober->connected_at);
}

/* Asked since then, and no answer yet. */
static void note_wait(struct prober *prober, int64_t asked_at)
{
    int64_t none = 0;

    if (dbk_clock_ms() - asked_at >= PATIENCE_MS &&
        atomic_compare_exchange_strong(&prober->asked_at, &none, asked_at))
        atomic_fetch_add(&prober->hangs, 1);
}

/* One that has its connection made is asked now and then, too. */
struct connecting {
    struct prober *prober;
    int64_t asked_at;
};

static enum dbk_code while_connecting(void *context, struct dbk_error *err)
{
    const struct connecting *connecting = context;

    note_wait(connecting->prober, connecting->asked_at);
    return stopping(connecting->prober) ? dbk_fail(err, DBK_INTERRUPTED, "stopped")
                                        : DBK_OK;
}

static enum dbk_code connect_pg(struct prober *prober, int64_t asked_at)
{
    struct connecting connecting = {prober, asked_at};
    const struct pg_options options = {.application = "daybook probe",
                                       .connect_timeout_ms = RENEW_MS,
                                       .statement_timeout_ms = RENEW_MS,
                                       .go_on = while_connecting,
                                       .go_on_context = &connecting};
    enum dbk_code code = pg_open(&prober->database, &options, &prober->pg, NULL);

    if (code == DBK_OK) {
        pg_ask_while(prober->pg, NULL, NULL);
        atomic_store(&prober->connected_at, dbk_clock_ms());
    }
    return code;
}

/* A statement that needs each table, and reads no row. */
static enum dbk_code ask(struct prober *prober, int64_t asked_at)
{
    enum dbk_code code = pg_launch(prober->pg, sql_tables_look, NULL);
    dbk_deadline until = asked_at + RENEW_MS;
    size_t which;

    if (code != DBK_OK)
        return code;
    do {
        code = pg_wait_any(&prober->pg, 1, STEP_MS, &which, NULL);
        note_wait(prober, asked_at);
    } while (code == DBK_TIMEOUT && !stopping(prober) && dbk_deadline_left(until) > 0);
    return code == DBK_OK ? pg_conclude(prober->pg, NULL, NULL) : code;
}

static void probe(struct prober *prober)
{
    int64_t asked_at = dbk_clock_ms();
    enum dbk_code code = DBK_OK;

    atomic_store(&prober->asks_at, asked_at);
    if (!prober->pg)
        code = connect_pg(prober, asked_at);
    if (code == DBK_OK)
        code = ask(prober, asked_at);
    atomic_store(&prober->asks_at, 0);
    if (code != DBK_TIMEOUT)
        atomic_store(&prober->asked_at, 0);
    if (prober->pg && (code == DBK_TIMEOUT || !pg_alive(prober->pg))) {
        atomic_store(&prober->connected_at, 0);
        pg_close(prober->pg);
        prober->pg = NULL;
    }
    if (code == DBK_OK && prober->beside)
        prober->beside(prober->beside_context);
}

static void *run(void *argument)
{
    struct prober *prober = argument;

    while (!stopping(prober)) {
        dbk_deadline next;

        probe(prober);
        next =
            dbk_deadline_in(prober->pg || prober_hangs(prober) ? PERIOD_MS : AWAY_MS);
        pthread_mutex_lock(&prober->mutex);
        while (!prober->stopping && !prober->suspected &&
               dbk_cond_wait(&prober->changed, &prober->mutex, next))
            ;
        prober->suspected = false;
        pthread_mutex_unlock(&prober->mutex);
    }
    pg_close(prober->pg);
    return NULL;
}

enum dbk_code prober_start(struct prober *prober, struct dbk_error *err)
{
    enum dbk_code code;

    assert(!prober->started);
    code = dbk_thread_start(&prober->thread, "dbk-prober", run, prober, err);
    prober->started = code == DBK_OK;
    return code;
}

void prober_finish(struct prober *prober)
{
    pthread_mutex_lock(&prober->mutex);
    prober->stopping = true;
    pthread_cond_broadcast(&prober->changed);
    pthread_mutex_unlock(&prober->mutex);
    if (prober->started)
        pthread_join(prober->thread, NULL);
    pthread_cond_destroy(&prober->changed);
    pthread_mutex_destroy(&prober->mutex);
}

void prober_suspect(struct prober *prober)
{
    pthread_mutex_lock(&prober->mutex);
    prober->suspected = true;
    pthread_cond_broadcast(&prober->changed);
    pthread_mutex_unlock(&prober->mutex);
}

static int64_t since(const _Atomic int64_t *at)
{
    int64_t then = atomic_load(at), now;

    if (then == 0)
        return 0;
    now = dbk_clock_ms();
    return now > then ? now - then : 1;
}

int64_t prober_hangs(const struct prober *prober)
{
    return since(&prober->asked_at);
}

int64_t prober_waits(const struct prober *prober)
{
    return since(&prober->asks_at);
}

unsigned prober_hang_count(const struct prober *prober)
{
    return atomic_load(&prober->hangs);
}

enum dbk_code prober_refuse(const struct prober *prober, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL has not answered for %lld ms",
                    (long long)prober_hangs(prober));
}
