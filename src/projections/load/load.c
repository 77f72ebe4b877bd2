#include "load.h"

#include "apply.h"
#include "history.h"
#include "load_fold.h"
#include "load_indexes.h"
#include "load_rows.h"
#include "post_restricted.h"
#include "projections/migrate.h"
#include "sql.h"
#include "statistic.h"
#include "store/watch.h"

#include <assert.h>
#include <string.h>

enum { CONNECT_MS = 10000, QUERY_MS = 60000, COMMIT_MS = 10 * 60000 };
enum { TICK_MS = 200, INDEXES_AT_ONCE = 2 };

_Static_assert((int)INDEXES_AT_ONCE <= (int)TABLES, "each on a connection");

struct load {
    const struct load_source *source;
    const struct dbk_database *database;
    struct pg *pgs[TABLES]; /* one a table; after the load they make indexes */
    struct copy_rows copies[TABLES];
    struct load_indexes indexes;
    struct load_fold fold;
    struct load_erased erased;
    size_t at; /* whose connection failed */
};

/* Older servers do not know it, some systems do not have it; all it does is that what a
 * killed rebuild has begun ends sooner. */
static void ask_to_notice_the_end(struct pg *pg)
{
    pg_script(pg, sql_load_session_ends, QUERY_MS, NULL);
}

static enum dbk_code connect_all(struct load *load, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook rebuild",
                                       .connect_timeout_ms = CONNECT_MS,
                                       .async_commit = true};
    enum dbk_code code = DBK_OK;

    for (load->at = 0; load->at < TABLES && code == DBK_OK; load->at++) {
        struct pg **pg = &load->pgs[load->at];

        code = pg_open(load->database, &options, pg, err);
        if (code == DBK_OK)
            code = pg_script(*pg, sql_load_session, QUERY_MS, err);
        if (code == DBK_OK)
            ask_to_notice_the_end(*pg);
    }
    return code;
}

/* A table that was emptied in the transaction that fills it needs no WAL of its rows
 * where wal_level is minimal, as the private cluster has it. */
static enum dbk_code begin_copies(struct load *load, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < TABLES && code == DBK_OK; i++) {
        load->at = i;
        code = pg_begin(load->pgs[i], QUERY_MS, err);
        if (code == DBK_OK)
            code = pg_check_place(load->pgs[i], QUERY_MS, err);
        if (code == DBK_OK)
            code = pg_script(load->pgs[i], tables[i]->truncate, QUERY_MS, err);
        if (code == DBK_OK)
            code = copy_rows_init(&load->copies[i], load->pgs[i], tables[i]->copy, err);
    }
    return code;
}

static enum dbk_code finish_copies(struct load *load, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < TABLES && code == DBK_OK; i++) {
        load->at = i;
        code = copy_rows_conclude(&load->copies[i], err);
        if (code == DBK_OK)
            code = pg_commit(load->pgs[i], COMMIT_MS, err);
    }
    return code;
}

/* Statements, each on one of the first connections that is idle. */
struct together {
    const char *phase;
    const char *const *scripts;
    size_t count, connections;
};

static enum dbk_code launch_next(struct load *load, const struct together *all,
                                 size_t *next, struct pg *busy[TABLES],
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < all->connections && *next < all->count && code == DBK_OK;
         i++) {
        if (busy[i])
            continue;
        load->at = i;
        busy[i] = load->pgs[i];
        code = pg_launch(busy[i], all->scripts[(*next)++], err);
    }
    return code;
}

static enum dbk_code run_together(struct load *load, const struct together *all,
                                  struct dbk_error *err)
{
    struct pg *busy[TABLES] = {NULL};
    size_t next = 0, done = 0, which;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && done < all->count) {
        code = launch_next(load, all, &next, busy, err);
        if (code == DBK_OK)
            code = dbk_watch_progress(load->source->watch, all->phase, "tables", done,
                                      all->count, err);
        if (code != DBK_OK)
            break;
        code = pg_wait_any(busy, TABLES, TICK_MS, &which, err);
        if (code == DBK_TIMEOUT) {
            code = DBK_OK;
            continue;
        }
        if (code != DBK_OK)
            break;
        assert(which < TABLES && busy[which]);
        load->at = which;
        code = pg_conclude(busy[which], NULL, err);
        busy[which] = NULL;
        done++;
    }
    return code;
}

/* Count, in the transaction that has emptied the tables, as begin_copies; one after the
 * other. */
static enum dbk_code count_events(struct load *load, struct dbk_error *err)
{
    const char *scripts[STATISTICS];
    const struct together all = {"counting the events", scripts, STATISTICS, 1};
    struct pg *pg = load->pgs[0];
    enum dbk_code code;

    load->at = 0;
    code = pg_begin(pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = pg_check_place(pg, QUERY_MS, err);
    for (size_t i = 0; i < STATISTICS && code == DBK_OK; i++) {
        scripts[i] = statistics[i].count;
        code = pg_script(pg, statistics[i].truncate, QUERY_MS, err);
    }
    if (code == DBK_OK)
        code = run_together(load, &all, err);
    if (code == DBK_OK)
        code = pg_commit(pg, COMMIT_MS, err);
    return code;
}

static enum dbk_code analyze(struct load *load, struct dbk_error *err)
{
    const char *scripts[TABLES + STATISTICS];
    const struct together all = {"analyzing", scripts, TABLES + STATISTICS, TABLES};

    for (size_t i = 0; i < TABLES; i++)
        scripts[i] = tables[i]->analyze;
    for (size_t i = 0; i < STATISTICS; i++)
        scripts[TABLES + i] = statistics[i].analyze;
    return run_together(load, &all, err);
}

static enum dbk_code write_checkpoint(struct load *load, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_load_checkpoint};
    const struct load_source *source = load->source;
    struct dbk_uuid store_id = dbk_log_store_id(source->log);
    char number[8], sum[8];
    int64_t checksum;
    enum dbk_code code = history_checksum(source->log, source->to, &checksum, err);
    const struct pg_param params[] = {pg_uuid(&store_id),
                                      pg_int8(number, (int64_t)source->to),
                                      history_param(sum, checksum)};

    if (code != DBK_OK)
        return code;
    return pg_run(load->pgs[0], &statement, params, 3, QUERY_MS, NULL, err);
}

/* Whether the data may be at fault: what the log says, or whatever PostgreSQL said last,
 * unless it is about itself: the connection, room, rights, what is not there, locks. */
static bool is_data_fault(const struct load *load, enum dbk_code code)
{
    static const char *const of_itself[] = {"08", "25", "28", "40", "42",
                                            "53", "55", "57", "58"};
    const char *sqlstate;

    if (code == DBK_CONFLICT || code == DBK_DAMAGED || code == DBK_UNSUPPORTED)
        return true;
    if (load->at >= TABLES || !load->pgs[load->at])
        return false;
    sqlstate = pg_sqlstate(load->pgs[load->at]);
    for (size_t i = 0; i < sizeof of_itself / sizeof *of_itself; i++) {
        if (!strncmp(sqlstate, of_itself[i], 2))
            return false;
    }
    return *sqlstate != '\0';
}

static enum dbk_code fill(struct load *load, bool *refused, struct dbk_error *err)
{
    const struct load_source *source = load->source;
    enum dbk_code code;

    load->at = TABLES;
    code = load_fold(&load->fold, source, err);
    if (code == DBK_OK)
        code = begin_copies(load, err);
    load->at = TABLES;
    if (code == DBK_OK)
        code = load_rows(&load->fold, source, load->copies, &load->erased, err);
    for (size_t i = 0; i < TABLES && code != DBK_OK; i++) {
        if (load->copies[i].failed)
            load->at = i;
    }
    if (code == DBK_OK)
        code = finish_copies(load, err);
    if (code == DBK_OK)
        code = count_events(load, err);
    if (code == DBK_OK)
        code = load_indexes_create(&load->indexes, load->pgs, INDEXES_AT_ONCE,
                                   source->watch, &load->at, err);
    *refused = code != DBK_OK && is_data_fault(load, code);
    return code;
}

static void finish(struct load *load)
{
    for (size_t i = 0; i < TABLES; i++) {
        copy_rows_finish(&load->copies[i]);
        pg_close(load->pgs[i]);
    }
    load_indexes_finish(&load->indexes);
    load_fold_finish(&load->fold);
}

enum dbk_code load_tables(const struct load_source *source,
                          const struct dbk_database *database, struct load_count *count,
                          bool *refused, struct dbk_error *err)
{
    struct load load = {.source = source, .database = database};
    enum dbk_code code = dbk_migrate_up(database, NULL, NULL, err);

    *refused = false;
    load_fold_init(&load.fold);
    if (code == DBK_OK)
        code = connect_all(&load, err);
    if (code == DBK_OK)
        code = load_indexes_drop(&load.indexes, load.pgs[0], err);
    if (code == DBK_OK)
        code = fill(&load, refused, err);
    if (code == DBK_OK)
        code = analyze(&load, err);
    if (code == DBK_OK)
        code = post_restricted(source->log, load.pgs[0], 0, err);
    if (code == DBK_OK)
        code = write_checkpoint(&load, err);
    *count = (struct load_count){load.copies[TABLE_PERSON].rows,
                                 load.copies[TABLE_EVENT].rows, load.erased.persons,
                                 load.erased.events, load.erased.expired};
    finish(&load);
    return code;
}
