/* Which standby a read goes to, asked by several threads. No PostgreSQL: what each says of
 * itself is scripted here. */
#include "standbys.h"

#include "pg.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVERS 2

/* A server, as its thread asks it. Which one is told by its port: 0, 1. */
static struct server {
    atomic_uint_least64_t position;
    atomic_bool away, other_log, promoted;
} servers[SERVERS];

static atomic_uint asked; /* how often, all of them */
static pthread_mutex_t told_mutex = PTHREAD_MUTEX_INITIALIZER;
static char told[4096]; /* guarded by told_mutex */

/* These are what the linker calls the wrapped functions. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
enum dbk_code __wrap_pg_open(const struct dbk_database *database,
                             const struct pg_options *options, struct pg **out,
                             struct dbk_error *err);
void __wrap_pg_close(struct pg *pg);
enum dbk_code __wrap_pg_run(struct pg *pg, const struct pg_statement *statement,
                            const struct pg_param *params, int count, int timeout_ms,
                            struct pg_result **result, struct dbk_error *err);
size_t __wrap_pg_rows(const struct pg_result *result);
void __wrap_pg_clear(struct pg_result *result);
bool __wrap_pg_alive(const struct pg *pg);
void __wrap_pg_ask_while(struct pg *pg, pg_go_on *go_on, void *context);
const char *__wrap_pg_sqlstate(const struct pg *pg);
int64_t __wrap_pg_binary_int8(const struct pg_result *result, size_t row, int column);
void __wrap_pg_binary_uuid(const struct pg_result *result, size_t row, int column,
                           struct dbk_uuid *out);

/* A connection is the server, and a row of its checkpoint, too. */
enum dbk_code __wrap_pg_open(const struct dbk_database *database,
                             const struct pg_options *options, struct pg **out,
                             struct dbk_error *err)
{
    struct server *server = &servers[atoi(database->port) - 1];

    (void)options;
    *out = NULL;
    if (atomic_load(&server->away))
        return dbk_fail(err, DBK_UNAVAILABLE, "refused");
    *out = (struct pg *)server;
    return DBK_OK;
}

void __wrap_pg_close(struct pg *pg)
{
    (void)pg;
}

enum dbk_code __wrap_pg_run(struct pg *pg, const struct pg_statement *statement,
                            const struct pg_param *params, int count, int timeout_ms,
                            struct pg_result **result, struct dbk_error *err)
{
    (void)statement, (void)params, (void)count, (void)timeout_ms;
    atomic_fetch_add(&asked, 1);
    *result = NULL;
    if (atomic_load(&((struct server *)pg)->away))
        return dbk_fail(err, DBK_UNAVAILABLE, "lost");
    *result = (struct pg_result *)pg;
    return DBK_OK;
}

size_t __wrap_pg_rows(const struct pg_result *result)
{
    return result ? 1 : 0;
}

void __wrap_pg_clear(struct pg_result *result)
{
    (void)result;
}

bool __wrap_pg_alive(const struct pg *pg)
{
    return !atomic_load(&((const struct server *)pg)->away);
}

void __wrap_pg_ask_while(struct pg *pg, pg_go_on *go_on, void *context)
{
    (void)pg, (void)go_on, (void)context;
}

const char *__wrap_pg_sqlstate(const struct pg *pg)
{
    (void)pg;
    return "";
}

int64_t __wrap_pg_binary_int8(const struct pg_result *result, size_t row, int column)
{
    const struct server *server = (const struct server *)result;

    (void)row;
    return column == 0 ? (int64_t)atomic_load(&server->position)
                       : !atomic_load(&server->promoted);
}

void __wrap_pg_binary_uuid(const struct pg_result *result, size_t row, int column,
                           struct dbk_uuid *out)
{
    (void)row, (void)column;
    memset(out, 0, sizeof *out);
    out->bytes[0] = atomic_load(&((const struct server *)result)->other_log);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static enum dbk_code no_pools(void *context, struct standby *standby,
                              struct dbk_error *err)
{
    (void)context, (void)standby, (void)err;
    return DBK_OK;
}

static void tell(void *context, const char *line)
{
    size_t length;

    (void)context;
    pthread_mutex_lock(&told_mutex);
    length = strlen(told);
    snprintf(told + length, sizeof told - length, "%s\n", line);
    pthread_mutex_unlock(&told_mutex);
}

/* It is told a moment after it is so. */
static void await_told(const char *what)
{
    bool found;

    do {
        usleep(1000);
        pthread_mutex_lock(&told_mutex);
        found = strstr(told, what) != NULL;
        pthread_mutex_unlock(&told_mutex);
    } while (!found);
}

static struct standbys standbys;

static int open_all(void **state)
{
    static const char *const hosts[] = {"db:1", "db:2", NULL};
    static struct dbk_standby_options options = {.hosts = hosts, .report = tell};
    static const struct dbk_database primary = {.host = "db", .port = "5432"};

    (void)state;
    memset(servers, 0, sizeof servers);
    told[0] = '\0';
    return standbys_open(&standbys, &primary, &options, no_pools, NULL, NULL) == DBK_OK
               ? 0
               : -1;
}

static int close_all(void **state)
{
    (void)state;
    standbys_close(&standbys);
    return 0;
}

static void await_in(unsigned wanted)
{
    unsigned all, in;

    do {
        usleep(1000);
        standbys_look(&standbys, &all, &in);
    } while (in != wanted);
    assert_int_equal(all, SERVERS);
}

static atomic_uint_least64_t head;
static atomic_bool over;

static void *move(void *context)
{
    while (!atomic_load(&over)) {
        uint64_t next = atomic_fetch_add(&head, 1) + 1;

        atomic_store(&servers[next % SERVERS].position, next);
        usleep(200);
    }
    return context;
}

static void *read_all(void *context)
{
    atomic_uint *found = context;

    for (unsigned i = 0; i < 200; i++) {
        uint64_t wanted = atomic_load(&head);
        const struct standby *standby = standbys_pick(&standbys, wanted);

        if (standby && atomic_load(&standby->position) < wanted)
            return NULL;
        atomic_fetch_add(found, standby != NULL);
        if (i % 50 == 49 && standby)
            standby_leave_out((struct standby *)standby);
    }
    return context;
}

static void whoever_asks_is_given_one_that_shows_it(void **state)
{
    pthread_t readers[4], mover;
    atomic_uint found = 0;
    void *right = NULL;

    (void)state;
    await_in(SERVERS);
    atomic_store(&over, false);
    pthread_create(&mover, NULL, move, NULL);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&readers[i], NULL, read_all, &found);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(readers[i], &right);
        assert_non_null(right);
    }
    atomic_store(&over, true);
    pthread_join(mover, NULL);
    assert_true(atomic_load(&found) > 0);
}

/* A wait has each server asked once a millisecond. */
static void one_that_stands_still_is_not_waited_for_again_and_again(void **state)
{
    enum { READS = 200 };
    unsigned before;

    (void)state;
    await_in(SERVERS);
    assert_non_null(standbys_pick(&standbys, 0));
    before = atomic_load(&asked);
    for (unsigned i = 0; i < READS; i++)
        assert_null(standbys_pick(&standbys, 1));
    /* With 20 ms each it would be asked thousands of times. */
    assert_true(atomic_load(&asked) - before < READS * 5);
    atomic_store(&servers[1].position, 1);
    while (!standbys_pick(&standbys, 1))
        ;
}

static void who_is_promoted_of_another_log_or_away_is_left_out(void **state)
{
    (void)state;
    await_in(SERVERS);
    atomic_store(&servers[0].promoted, true);
    await_in(1);
    await_told("leave out the standby db port 1: it is no standby");
    atomic_store(&servers[1].other_log, true);
    await_in(0);
    await_told("leave out the standby db port 2: its read tables are of "
               "another log");
    assert_null(standbys_pick(&standbys, 0));
    atomic_store(&servers[0].promoted, false);
    atomic_store(&servers[1].other_log, false);
    await_in(SERVERS);
    await_told("use the standby again: db port 1");
    atomic_store(&servers[0].away, true);
    atomic_store(&servers[1].away, true);
    await_in(0);
    await_told("db port 2: lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_asks_is_given_one_that_shows_it,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(
            one_that_stands_still_is_not_waited_for_again_and_again, open_all,
            close_all),
        cmocka_unit_test_setup_teardown(
            who_is_promoted_of_another_log_or_away_is_left_out, open_all, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
