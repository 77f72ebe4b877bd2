/* The read model while PostgreSQL hangs, dies, is away, or changes under it. */
#include "projections/migrate.h"
#include "projections/read_model.h"
#include "scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct dbk_database database;
static struct pg *admin;
static struct dbk_uuid person; /* there is one, with many large events */
static struct dbk_error err;

static const char *const data =
    "insert into person values ('00000000-0000-0000-0000-000000000001', 1, 1, "
    "  '2023-10-08', '2023-10-08', 'a@b.mock', 'A', 'B', 'user'); "
    "alter table event alter column received set default '2023-10-08'; "
    "insert into event select md5('e' || i)::uuid, 1 + i, "
    "  '00000000-0000-0000-0000-000000000001', 'large', '2023-10-08', "
    "  jsonb_build_object('x', repeat(md5(i::text), 1000)) from generate_series(1, "
    "2000) i";

static int start(void **state)
{
    (void)state;
    scratch_drop(&database);
    if (dbk_migrate_up(&database, NULL, NULL, &err) != DBK_OK)
        return -1;
    admin = scratch_open(&database);
    scratch_script(admin, data);
    scratch_script(admin, "drop role if exists daybook_faults; "
                          "create role daybook_faults login superuser");
    database.user = "daybook_faults";
    return dbk_uuid_parse("00000000-0000-0000-0000-000000000001", 36, &person) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    database.user = "daybook";
    scratch_script(admin, "drop role daybook_faults");
    pg_close(admin);
    scratch_drop(&database);
    return 0;
}

/* Of the read model's connections, which have a user of their own. */
static uint64_t backends(const char *what)
{
    char sql[200];

    snprintf(
        sql, sizeof sql,
        "select coalesce(max(x), 0) from (select %s as x from pg_stat_activity "
        "where application_name = 'daybook read' and usename = 'daybook_faults') t",
        what);
    return scratch_number(admin, sql);
}

/* A backend may outlive its connection for a moment: those that are counted are the
 * model's own. */
static void await_no_backends(void)
{
    for (int waited = 0; waited < 60000 && backends("count(*)") > 0; waited++)
        usleep(1000);
}

static struct dbk_read_model *open_model(unsigned connections, int timeout_ms)
{
    struct dbk_read_model *model;

    await_no_backends();
    assert_int_equal(
        dbk_read_model_open(&database, connections, timeout_ms, &model, &err), DBK_OK);
    return model;
}

static enum dbk_code read_one(struct dbk_read_model *model)
{
    struct dbk_rows rows = {0};
    enum dbk_code code = dbk_read_person(model, &person, 0, &rows, &err);

    assert_int_equal(rows.count, code == DBK_OK ? 1 : 0);
    dbk_rows_finish(&rows);
    return code;
}

/* Where the time for a read is short, a busy machine may need more than one. */
static void await_read(struct dbk_read_model *model)
{
    enum dbk_code code = DBK_TIMEOUT;

    for (int tries = 0; tries < 40 && code != DBK_OK; tries++)
        code = read_one(model);
    assert_int_equal(code, DBK_OK);
}

static void a_terminated_connection_is_replaced_without_notice(void **state)
{
    struct dbk_read_model *model = open_model(1, 20000);

    (void)state;
    assert_int_equal(read_one(model), DBK_OK);
    for (int i = 0; i < 3; i++) {
        uint64_t before = backends("pid"), after;

        assert_int_equal(backends("pg_terminate_backend(pid, 60000)::int"), 1);
        assert_int_equal(read_one(model), DBK_OK);
        after = backends("pid");
        assert_true(after != 0 && after != before);
    }
    dbk_read_model_close(model);
}

static void a_hung_connection_costs_its_timeout_and_is_replaced(void **state)
{
    struct dbk_read_model *model = open_model(1, 1500);
    pid_t hung;

    (void)state;
    await_read(model);
    for (int waited = 0; waited < 60000 && backends("count(*)") > 1; waited++)
        usleep(1000); /* what was given up ends */
    hung = (pid_t)backends("pid");
    assert_int_equal(kill(hung, SIGSTOP), 0);
    assert_int_equal(read_one(model), DBK_TIMEOUT);
    await_read(model);
    assert_int_equal(kill(hung, SIGCONT), 0);
    dbk_read_model_close(model);
}

static void a_slow_query_ends_at_its_timeout(void **state)
{
    struct dbk_read_model *model = open_model(1, 1500);

    (void)state;
    await_read(model);
    scratch_script(admin, "begin; lock table person in access exclusive mode");
    assert_int_equal(read_one(model), DBK_TIMEOUT);
    scratch_script(admin, "rollback");
    await_read(model);
    dbk_read_model_close(model);
}

static bool is_true(void *context)
{
    return *(const bool *)context;
}

/* Its table is locked, so that it would wait for long. */
static void a_list_whose_client_is_gone_is_broken_off_and_ends(void **state)
{
    bool gone = true;
    const struct dbk_asker asker = {.gone = is_true, .context = &gone};
    const struct dbk_page page = {.limit = 1, .max_bytes = 1 << 20, .asker = &asker};
    const struct dbk_event_filter any = {0};
    struct dbk_read_model *model = open_model(2, 60000);
    struct pg *locker = scratch_open(&database);
    struct dbk_rows rows = {0};

    (void)state;
    scratch_script(locker, "begin; lock table event in access exclusive mode");
    assert_int_equal(dbk_read_events(model, &page, &any, &rows, &err), DBK_INTERRUPTED);
    await_no_backends();
    assert_int_equal(backends("count(*)"), 0); /* while the lock is held */
    scratch_script(locker, "rollback");
    pg_close(locker);
    gone = false;
    assert_int_equal(dbk_read_events(model, &page, &any, &rows, &err), DBK_OK);
    dbk_rows_finish(&rows);
    dbk_read_model_close(model);
}

static void await_hang(struct dbk_read_model *model, bool hangs)
{
    for (int waited = 0; waited < 60000; waited++) {
        if ((dbk_read_model_hangs(model) > 0) == hangs)
            return;
        usleep(1000);
    }
    fail_msg("it is not noticed that PostgreSQL %s", hangs ? "hangs" : "answers");
}

static void once_it_hangs_reads_fail_at_once_until_it_answers(void **state)
{
    struct dbk_read_model *model = open_model(2, 60000);

    (void)state;
    assert_int_equal(dbk_read_model_watch(model, &err), DBK_OK);
    assert_int_equal(read_one(model), DBK_OK);
    scratch_script(admin, "begin; lock table person in access exclusive mode");
    assert_int_equal(read_one(model), DBK_UNAVAILABLE); /* which was under way */
    assert_non_null(strstr(err.text, "has not answered"));
    await_hang(model, true);
    assert_int_equal(read_one(model), DBK_UNAVAILABLE);
    scratch_script(admin, "rollback");
    await_hang(model, false);
    assert_int_equal(read_one(model), DBK_OK);
    dbk_read_model_close(model);
}

struct reader {
    pthread_t thread;
    struct dbk_read_model *model;
    enum dbk_code code;
    unsigned times;   /* to read; 0: until told to stop */
    atomic_uint done; /* reads that ended */
    atomic_bool stop;
};

static bool goes_on(const struct reader *reader)
{
    if (reader->code != DBK_OK || reader->stop)
        return false;
    return reader->times == 0 || reader->done < reader->times;
}

static void *read_often(void *context)
{
    struct reader *reader = context;
    struct dbk_rows rows = {0};

    while (goes_on(reader)) {
        reader->code = dbk_read_person(reader->model, &person, 1, &rows, NULL);
        if (reader->code == DBK_OK && rows.count != 1)
            reader->code = DBK_INTERNAL;
        reader->done++;
    }
    dbk_rows_finish(&rows);
    return NULL;
}

static void start_readers(struct reader *readers, size_t count,
                          struct dbk_read_model *model, unsigned times)
{
    for (size_t i = 0; i < count; i++) {
        readers[i] = (struct reader){.model = model, .times = times};
        assert_int_equal(
            pthread_create(&readers[i].thread, NULL, read_often, &readers[i]), 0);
    }
}

static void assert_readers_were_served(struct reader *readers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        readers[i].stop = readers[i].times == 0;
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].code, DBK_OK);
    }
}

/* Of each reader, one read that began after now. */
static void let_read(struct reader *readers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned before = readers[i].done;

        for (int waited = 0; readers[i].done - before < 2 && waited < 60000; waited++)
            usleep(1000);
        assert_true(readers[i].done - before >= 2);
    }
}

static void many_threads_share_few_connections(void **state)
{
    struct dbk_read_model *model = open_model(2, 20000);
    struct reader readers[16];

    (void)state;
    start_readers(readers, 16, model, 50);
    assert_readers_were_served(readers, 16);
    assert_true(backends("count(*)") <= 2);
    dbk_read_model_close(model);
}

/* A read is tried twice, so who kills waits until each has read in peace. */
static void readers_do_not_see_a_connection_being_killed(void **state)
{
    struct dbk_read_model *model = open_model(2, 20000);
    struct reader readers[4];

    (void)state;
    start_readers(readers, 4, model, 0);
    for (int i = 0; i < 5; i++) {
        let_read(readers, 4);
        scratch_number(admin,
                       "select pg_terminate_backend(pid, 60000)::int from"
                       " pg_stat_activity where application_name = 'daybook read'"
                       " and usename = 'daybook_faults' limit 1");
    }
    let_read(readers, 4);
    assert_readers_were_served(readers, 4);
    dbk_read_model_close(model);
}

static void *list_events(void *context)
{
    const struct dbk_page page = {.limit = 1, .max_bytes = 1 << 20};
    const struct dbk_event_filter any = {0};
    struct reader *reader = context;
    struct dbk_rows rows = {0};

    reader->code = dbk_read_events(reader->model, &page, &any, &rows, NULL);
    dbk_rows_finish(&rows);
    return NULL;
}

/* Both wait for a table, so neither gives its connection to the other. */
static void open_two(struct dbk_read_model *model)
{
    struct reader readers[2] = {{.model = model}, {.model = model}};
    struct pg *locker = scratch_open(&database);

    scratch_script(locker, "begin; lock table event in access exclusive mode");
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&readers[i].thread, NULL, list_events, &readers[i]), 0);
    for (int waited = 0; waited < 60000 && backends("count(*)") < 2; waited++)
        usleep(1000);
    scratch_script(locker, "rollback");
    pg_close(locker);
    for (int i = 0; i < 2; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].code, DBK_OK);
    }
}

static void all_connections_may_have_died_meanwhile(void **state)
{
    struct dbk_read_model *model = open_model(3, 60000); /* one for look-ups */

    (void)state;
    open_two(model);
    assert_int_equal(read_one(model), DBK_OK);
    assert_int_equal(backends("count(*)"), 3);
    assert_int_equal(backends("pg_terminate_backend(pid, 60000)::int"), 1);
    assert_int_equal(read_one(model), DBK_OK);
    assert_int_equal(backends("count(*)"), 1);
    dbk_read_model_close(model);
}

static void with_postgres_away_it_is_unavailable(void **state)
{
    struct dbk_database nowhere = {.host = "127.0.0.1", .port = "1", .name = "daybook"};
    struct dbk_read_model *model;
    struct dbk_rows rows = {0};

    (void)state;
    assert_int_equal(dbk_read_model_open(&nowhere, 1, 5000, &model, &err), DBK_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(dbk_read_person(model, &person, 1, &rows, &err),
                         DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "PostgreSQL cannot be reached"));
    dbk_read_model_close(model);
    dbk_rows_finish(&rows);
}

static void missing_tables_are_said_to_be_missing(void **state)
{
    struct dbk_database empty = database;
    struct dbk_read_model *model;
    struct dbk_rows rows = {0};

    (void)state;
    empty.schema = "test_read_faults_empty";
    assert_int_equal(dbk_read_model_open(&empty, 1, 5000, &model, &err), DBK_OK);
    assert_int_equal(dbk_read_person(model, &person, 1, &rows, &err), DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "read tables are missing: run daybook migrate"));
    dbk_read_model_close(model);
    dbk_rows_finish(&rows);
}

static void a_table_dropped_by_hand_is_said_to_need_a_rebuild(void **state)
{
    struct dbk_database other = database;
    struct dbk_read_model *model;
    struct dbk_rows rows = {0};
    struct pg *pg;

    (void)state;
    other.schema = "test_read_faults_dropped";
    scratch_drop(&other);
    assert_int_equal(dbk_migrate_up(&other, NULL, NULL, &err), DBK_OK);
    pg = scratch_open(&other);
    scratch_script(pg, "drop table person cascade");
    assert_int_equal(dbk_read_model_open(&other, 1, 20000, &model, &err), DBK_OK);
    assert_int_equal(dbk_read_person(model, &person, 1, &rows, &err), DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "run daybook rebuild"));
    dbk_read_model_close(model);
    dbk_rows_finish(&rows);
    pg_close(pg);
    scratch_drop(&other);
}

static void a_page_cut_short_among_large_rows_leaves_the_next_one_whole(void **state)
{
    struct dbk_read_model *model = open_model(1, 20000);
    struct dbk_page page = {.limit = 10000, .max_bytes = 100000};
    const struct dbk_event_filter any = {0};
    struct dbk_rows rows = {0};
    size_t seen = 0;

    (void)state;
    do {
        assert_int_equal(dbk_read_events(model, &page, &any, &rows, &err), DBK_OK);
        assert_int_equal(rows.rows[0].cursor, page.after ? page.after + 1 : 2);
        assert_true(rows.json.length <= 100000);
        seen += rows.count;
        page.after = rows.rows[rows.count - 1].cursor;
    } while (rows.more && seen < 60);
    assert_true(seen >= 60);
    dbk_rows_finish(&rows);
    dbk_read_model_close(model);
}

static void a_schema_swapped_in_is_read_at_once(void **state)
{
    struct dbk_read_model *model = open_model(1, 20000);
    struct dbk_database incoming = database;
    struct dbk_rows rows = {0};

    (void)state;
    incoming.schema = "test_read_faults_new";
    for (int i = 0; i < 10; i++) /* often enough for a plan that is kept */
        assert_int_equal(read_one(model), DBK_OK);
    scratch_drop(&incoming);
    assert_int_equal(dbk_migrate_up(&incoming, NULL, NULL, &err), DBK_OK);
    scratch_script(admin,
                   "insert into test_read_faults_new.person "
                   "  select id, 99, 1, datetime_created, datetime_modified, email, "
                   "  first_name, last_name, role from test_read_faults.person; "
                   "begin; "
                   "alter schema test_read_faults rename to test_read_faults_old; "
                   "alter schema test_read_faults_new rename to test_read_faults; "
                   "commit");
    assert_int_equal(dbk_read_person(model, &person, 1, &rows, &err), DBK_OK);
    assert_int_equal(rows.rows[0].version, 99);
    scratch_script(admin,
                   "begin; "
                   "alter schema test_read_faults rename to test_read_faults_new; "
                   "alter schema test_read_faults_old rename to test_read_faults; "
                   "drop schema test_read_faults_new cascade; commit");
    assert_int_equal(dbk_read_person(model, &person, 1, &rows, &err), DBK_OK);
    assert_int_equal(rows.rows[0].version, 1);
    dbk_rows_finish(&rows);
    dbk_read_model_close(model);
}

static void tables_that_fell_back_are_not_asked(void **state)
{
    struct dbk_read_model *model = open_model(2, 5000);

    (void)state;
    scratch_script(admin, "insert into checkpoint (store_id, sequence) values "
                          "('00000000-0000-0000-0000-000000000002', 7)");
    dbk_read_model_claim(model, 7);
    dbk_read_model_claim(model, 6); /* what was claimed stays so */
    assert_int_equal(read_one(model), DBK_OK);
    scratch_script(admin, "update checkpoint set sequence = 6");
    assert_int_equal(read_one(model), DBK_OK); /* no crash: it saw 7, and still would */
    assert_int_equal(backends("pg_terminate_backend(pid, 60000)::int"), 1);
    assert_int_equal(read_one(model), DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "back at sequence 6"));
    scratch_script(admin, "update checkpoint set sequence = 7");
    assert_int_equal(read_one(model), DBK_OK);
    scratch_script(admin, "delete from checkpoint");
    dbk_read_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminated_connection_is_replaced_without_notice),
        cmocka_unit_test(a_hung_connection_costs_its_timeout_and_is_replaced),
        cmocka_unit_test(a_slow_query_ends_at_its_timeout),
        cmocka_unit_test(a_list_whose_client_is_gone_is_broken_off_and_ends),
        cmocka_unit_test(once_it_hangs_reads_fail_at_once_until_it_answers),
        cmocka_unit_test(many_threads_share_few_connections),
        cmocka_unit_test(readers_do_not_see_a_connection_being_killed),
        cmocka_unit_test(all_connections_may_have_died_meanwhile),
        cmocka_unit_test(with_postgres_away_it_is_unavailable),
        cmocka_unit_test(missing_tables_are_said_to_be_missing),
        cmocka_unit_test(a_table_dropped_by_hand_is_said_to_need_a_rebuild),
        cmocka_unit_test(a_page_cut_short_among_large_rows_leaves_the_next_one_whole),
        cmocka_unit_test(a_schema_swapped_in_is_read_at_once),
        cmocka_unit_test(tables_that_fell_back_are_not_asked),
    };

    database = scratch_database("test_read_faults");
    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
