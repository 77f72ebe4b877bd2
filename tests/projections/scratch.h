/* scratch.h - in the tests' own PostgreSQL, a database for one test program. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include "pg.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A connection, or the end of the test. */
static inline struct pg *scratch_open(const struct dbk_database *database)
{
    const struct pg_options options = {.application = "test",
                                       .connect_timeout_ms = 10000};
    struct dbk_error err = {0};
    struct pg *pg;

    if (pg_open(database, &options, &pg, &err) != DBK_OK) {
        fprintf(stderr, "test database: %s\n", err.text);
        abort();
    }
    return pg;
}

static inline void scratch_script(struct pg *pg, const char *sql)
{
    struct dbk_error err = {0};

    if (pg_script(pg, sql, 60000, &err) != DBK_OK) {
        fprintf(stderr, "%s: %s\n", sql, err.text);
        abort();
    }
}

/* The first column of the first row, as a number. */
static inline uint64_t scratch_number(struct pg *pg, const char *sql)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg_result *result;
    struct dbk_error err = {0};
    uint64_t value;

    if (pg_run(pg, &statement, NULL, 0, 60000, &result, &err) != DBK_OK) {
        fprintf(stderr, "%s: %s\n", sql, err.text);
        abort();
    }
    value = pg_u64(result, 0, 0);
    pg_clear(result);
    return value;
}

/* Made anew at its first use in a process. */
static inline void scratch_make(struct dbk_database database)
{
    static bool made;
    char sql[160];
    struct pg *pg;

    if (made)
        return;
    made = true;
    database.name = "daybook";
    pg = scratch_open(&database);
    scratch_script(pg, "set client_min_messages = warning");
    snprintf(sql, sizeof sql, "drop database if exists %s with (force)",
             program_invocation_short_name);
    scratch_script(pg, sql);
    snprintf(sql, sizeof sql, "create database %s", program_invocation_short_name);
    scratch_script(pg, sql);
    pg_close(pg);
}

/* A schema in the program's own database: programs run side by side, and rebuilds look
 * at every schema of a database. */
static inline struct dbk_database scratch_database(const char *schema)
{
    const struct dbk_database database = {.host = getenv("DAYBOOK_TEST_PG"),
                                          .name = program_invocation_short_name,
                                          .user = "daybook",
                                          .schema = schema};

    scratch_make(database);
    return database;
}

static inline void scratch_drop(const struct dbk_database *database)
{
    struct pg *pg = scratch_open(database);
    char sql[160];

    snprintf(sql, sizeof sql,
             "set client_min_messages = warning; drop schema if exists \"%s\" cascade",
             database->schema);
    scratch_script(pg, sql);
    pg_close(pg);
}

#endif
