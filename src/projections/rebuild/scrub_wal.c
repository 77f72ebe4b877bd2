/* A file of the write-ahead log that is no longer needed gets the name of one to come, with
 * what is in it, and what is written into that later may be less. So for a while none is
 * used again, and the log is moved on until every file is one that was made since. */
#include "scrub_wal.h"

#include "pg.h"
#include "sql.h"

#include <stdio.h>

enum { STATEMENT_MS = 600000, PUT_BACK_MS = 5000, MORE_ROUNDS = 5 };

#define LEFT                                                                           \
    "wal_recycle and min_wal_size stay as they were set for this, until it is done "   \
    "again, or the server is started anew"

static const struct pg_options options = {.application = "daybook scrub",
                                          .connect_timeout_ms = 10000};

static enum dbk_code number(struct pg *pg, const char *sql,
                            const struct pg_param *param, int count, uint64_t *out,
                            struct dbk_error *err)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg_result *result;
    enum dbk_code code =
        pg_run(pg, &statement, param, count, STATEMENT_MS, &result, err);

    if (code != DBK_OK)
        return code;
    *out = pg_u64(result, 0, 0);
    pg_clear(result);
    return DBK_OK;
}

static enum dbk_code run_all(struct pg *pg, const char *const *scripts, size_t count,
                             int each_ms, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; code == DBK_OK && i < count; i++)
        code = pg_script(pg, scripts[i], each_ms, err);
    return code;
}

/* Asks the server to read its settings: each of its processes does when it next looks. The
 * one that makes checkpoints does before it makes one, so the second was told surely. */
static enum dbk_code use_none_again(struct pg *pg, struct dbk_error *err)
{
    const char *const scripts[] = {sql_scrub_recycle_off, sql_scrub_least_wal,
                                   sql_wal_reload, sql_scrub_checkpoint,
                                   sql_scrub_checkpoint};

    return run_all(pg, scripts, sizeof scripts / sizeof *scripts, STATEMENT_MS, err);
}

/* wal_recycle last: it tells whether there is anything to be put back. */
static enum dbk_code put_back(struct pg *pg, struct dbk_error *err)
{
    const char *const scripts[] = {sql_scrub_least_wal_reset, sql_scrub_recycle_reset,
                                   sql_wal_reload};

    return run_all(pg, scripts, sizeof scripts / sizeof *scripts, PUT_BACK_MS, err);
}

/* before: the names of the files, as an array's text. */
static enum dbk_code move_on(struct pg *pg, const char *before,
                             const struct dbk_watch *watch, unsigned *segments,
                             struct dbk_error *err)
{
    const char *const round[] = {sql_scrub_switch, sql_scrub_checkpoint};
    const struct pg_param param = pg_text(before);
    uint64_t all, left;
    enum dbk_code code = number(pg, sql_scrub_segments_left, &param, 1, &all, err);

    left = all;
    /* Each round leaves one file behind. */
    for (uint64_t i = 0; code == DBK_OK && left > 0 && i < all + MORE_ROUNDS; i++) {
        code = dbk_watch_progress(watch, "replacing the write-ahead log", "files",
                                  all - left, all, err);
        if (code == DBK_OK)
            code = run_all(pg, round, 2, STATEMENT_MS, err);
        if (code == DBK_OK)
            code = number(pg, sql_scrub_segments_left, &param, 1, &left, err);
    }
    if (code == DBK_OK && left > 0)
        code = dbk_fail(err, DBK_BUSY,
                        "%u files of PostgreSQL's write-ahead log stay: something "
                        "keeps them (a long transaction's checkpoint, a replication "
                        "slot); do it again later",
                        (unsigned)left);
    *segments = (unsigned)(all - left);
    return code;
}

static enum dbk_code replace(struct pg *pg, const struct dbk_watch *watch,
                             unsigned *segments, struct dbk_error *err)
{
    static const struct pg_statement names = {NULL, sql_scrub_segments};
    struct pg_result *before;
    enum dbk_code code = use_none_again(pg, err);

    if (code == DBK_OK)
        code = pg_run(pg, &names, NULL, 0, STATEMENT_MS, &before, err);
    if (code != DBK_OK)
        return code;
    code = move_on(pg, pg_value(before, 0, 0).data, watch, segments, err);
    pg_clear(before);
    return code;
}

enum dbk_code scrub_wal_put_back(struct pg *pg, bool *found, struct dbk_error *err)
{
    static const struct pg_statement statement = {NULL, sql_scrub_left_behind};
    struct pg_result *result;
    enum dbk_code code = pg_run(pg, &statement, NULL, 0, PUT_BACK_MS, &result, err);

    *found = false;
    if (code != DBK_OK)
        return code;
    *found = *pg_value(result, 0, 0).data == 't';
    pg_clear(result);
    return *found ? put_back(pg, err) : DBK_OK;
}

/* By a connection of its own, once the server has noticed that the former is gone. */
static enum dbk_code put_back_anew(const struct dbk_database *database,
                                   struct dbk_error *err)
{
    struct pg *pg;
    enum dbk_code code = pg_open(database, &options, &pg, err);

    if (code != DBK_OK)
        return code;
    code = pg_script(pg, sql_scrub_lock, PUT_BACK_MS, err);
    if (code == DBK_OK)
        code = put_back(pg, err);
    pg_close(pg);
    return code;
}

/* The first failure is the one to tell, and that the settings stay. */
static enum dbk_code end(struct pg *pg, const struct dbk_database *database,
                         enum dbk_code code, struct dbk_error *err)
{
    struct dbk_error first = {.code = DBK_OK}, why;

    if (put_back(pg, &why) == DBK_OK || put_back_anew(database, &why) == DBK_OK)
        return code;
    if (code == DBK_OK)
        return dbk_fail(err, why.code, "%s (%s)", LEFT, why.text);
    first = *err;
    return dbk_fail(err, code, "%.300s; and %s (%.200s)", first.text, LEFT, why.text);
}

enum dbk_code scrub_wal(const struct dbk_database *database,
                        const struct dbk_watch *watch, unsigned *segments,
                        struct dbk_error *err)
{
    struct pg *pg;
    enum dbk_code code = pg_open(database, &options, &pg, err);

    if (code != DBK_OK)
        return code;
    code = pg_script(pg, sql_scrub_lock, STATEMENT_MS, err);
    if (code == DBK_OK)
        code = pg_script(pg, sql_scrub_statistics, STATEMENT_MS, err);
    if (code == DBK_OK) {
        code = replace(pg, watch, segments, err);
        code = end(pg, database, code, err);
    }
    pg_close(pg);
    return code;
}
