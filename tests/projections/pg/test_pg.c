/* Connections to a real PostgreSQL, and to one that hangs, dies or is not there. */
#include "pg.h"
#include "scratch.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME 10000 /* long enough never to pass */

static struct dbk_database database;
static struct dbk_error err;

static enum dbk_code run(struct pg *pg, const char *sql)
{
    const struct pg_statement statement = {NULL, sql};

    return pg_run(pg, &statement, NULL, 0, TIME, NULL, &err);
}

static int open_one(void **state)
{
    *state = scratch_open(&database);
    return 0;
}

static int close_one(void **state)
{
    pg_close(*state);
    return 0;
}

static void rows_and_parameters_make_the_round_trip(void **state)
{
    const struct pg_statement statement = {
        "round_trip", "select $1::text, $2::uuid, $3::bigint, $4::timestamp, $5::text"};
    struct dbk_uuid id = dbk_uuid_new();
    char number[8], when[8], text[DBK_UUID_TEXT + 1];
    struct pg_result *result;
    dbk_timestamp at;

    assert_true(dbk_timestamp_parse("1969-12-31T23:59:59.999999", 26, &at));
    dbk_uuid_format(&id, text);
    const struct pg_param params[] = {pg_text("it's"), pg_uuid(&id),
                                      pg_int8(number, INT64_MIN),
                                      pg_timestamp(when, at), pg_text(NULL)};
    for (int again = 0; again < 2; again++) {
        assert_int_equal(pg_run(*state, &statement, params, 5, TIME, &result, &err),
                         DBK_OK);
        assert_int_equal(pg_rows(result), 1);
        assert_string_equal(pg_value(result, 0, 0).data, "it's");
        assert_string_equal(pg_value(result, 0, 1).data, text);
        assert_string_equal(pg_value(result, 0, 2).data, "-9223372036854775808");
        assert_string_equal(pg_value(result, 0, 3).data, "1969-12-31 23:59:59.999999");
        assert_true(pg_null(result, 0, 4));
        pg_clear(result);
    }
}

static void the_schema_may_have_any_name(void **state)
{
    const struct pg_statement statement = {NULL, "show search_path"};
    struct dbk_database odd = database;
    struct pg_result *result;
    struct pg *pg;

    (void)state;
    odd.schema = "a \"b\"; drop table x, 'c'";
    pg = scratch_open(&odd);
    assert_int_equal(pg_run(pg, &statement, NULL, 0, TIME, &result, &err), DBK_OK);
    assert_string_equal(pg_value(result, 0, 0).data,
                        "\"a \"\"b\"\"; drop table x, 'c'\"");
    pg_clear(result);
    pg_close(pg);
}

static void a_refusal_tells_whose_fault_it_is(void **state)
{
    static const struct {
        const char *sql, *sqlstate;
        enum dbk_code code;
    } cases[] = {
        {"select 'x'::jsonb", "22P02", DBK_INVALID},
        {"select '\"\\u0000\"'::jsonb", "22P05", DBK_INVALID},
        {"select no_such_column", "42703", DBK_UNAVAILABLE},
        {"select * from no_such_table", "42P01", DBK_UNAVAILABLE},
        {"do $$begin raise sqlstate '23505'; end$$", "23505", DBK_INVALID},
        {"do $$begin raise sqlstate '54000'; end$$", "54000", DBK_INVALID},
        {"do $$begin raise sqlstate '40001'; end$$", "40001", DBK_UNAVAILABLE},
        {"do $$begin raise sqlstate '53100'; end$$", "53100", DBK_UNAVAILABLE},
        {"do $$begin raise sqlstate '25006'; end$$", "25006", DBK_UNAVAILABLE},
        {"do $$begin raise sqlstate '21000'; end$$", "21000", DBK_INTERNAL},
        {"do $$begin raise sqlstate '57014'; end$$", "57014", DBK_TIMEOUT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run(*state, cases[i].sql), cases[i].code);
        assert_string_equal(pg_sqlstate(*state), cases[i].sqlstate);
        assert_non_null(strstr(err.text, cases[i].sqlstate));
        assert_true(pg_alive(*state));
    }
    assert_int_equal(run(*state, "select 1"), DBK_OK);
    assert_string_equal(pg_sqlstate(*state), "");
}

static void the_server_itself_ends_a_statement_that_takes_too_long(void **state)
{
    const struct pg_options options = {
        .application = "test", .connect_timeout_ms = TIME, .statement_timeout_ms = 50};
    struct pg *pg;

    (void)state;
    assert_int_equal(pg_open(&database, &options, &pg, &err), DBK_OK);
    assert_int_equal(run(pg, "select pg_sleep(60)"), DBK_TIMEOUT);
    assert_true(pg_alive(pg));
    pg_close(pg);
}

static void a_hung_server_costs_the_deadline_and_the_connection(void **state)
{
    const struct pg_statement statement = {NULL, "select 1"};
    pid_t backend = (pid_t)scratch_number(*state, "select pg_backend_pid()");

    assert_int_equal(kill(backend, SIGSTOP), 0);
    assert_int_equal(pg_run(*state, &statement, NULL, 0, 100, NULL, &err), DBK_TIMEOUT);
    assert_false(pg_alive(*state));
    assert_int_equal(run(*state, "select 1"), DBK_UNAVAILABLE);
    assert_int_equal(kill(backend, SIGCONT), 0);
    assert_int_equal(run(*state, "select 1"), DBK_UNAVAILABLE);
}

static void more_than_the_socket_holds_does_not_outwait_a_hung_server(void **state)
{
    const struct pg_statement statement = {NULL, "select length($1::text)"};
    pid_t backend = (pid_t)scratch_number(*state, "select pg_backend_pid()");
    size_t length = 64u << 20;
    char *text = malloc(length);
    struct pg_param param;

    assert_non_null(text);
    memset(text, 'x', length);
    param = pg_bytes((struct dbk_slice){text, length});
    assert_int_equal(kill(backend, SIGSTOP), 0);
    assert_int_equal(pg_run(*state, &statement, &param, 1, 100, NULL, &err),
                     DBK_TIMEOUT);
    assert_int_equal(kill(backend, SIGCONT), 0);
    free(text);
}

static void more_than_the_socket_holds_arrives_and_comes_back(void **state)
{
    const struct pg_statement statement = {NULL, "select $1::text, $1::text"};
    struct pg_result *result;
    size_t length = 8u << 20;
    char *text = malloc(length);
    struct pg_param param;

    assert_non_null(text);
    memset(text, 'x', length);
    param = pg_bytes((struct dbk_slice){text, length});
    assert_int_equal(pg_run(*state, &statement, &param, 1, TIME, &result, &err),
                     DBK_OK);
    assert_int_equal(pg_value(result, 0, 1).length, length);
    pg_clear(result);
    free(text);
}

static void a_statement_that_outlived_its_table_ends_the_session(void **state)
{
    const struct pg_statement statement = {"outlived", "select * from t"};

    run(*state, "create temporary table t (i int)");
    assert_int_equal(pg_run(*state, &statement, NULL, 0, TIME, NULL, &err), DBK_OK);
    run(*state, "alter table t add j int");
    assert_int_equal(pg_run(*state, &statement, NULL, 0, TIME, NULL, &err),
                     DBK_UNAVAILABLE);
    assert_string_equal(pg_sqlstate(*state), "0A000");
    assert_false(pg_alive(*state));
}

static void a_terminated_session_is_lost(void **state)
{
    struct pg *other = scratch_open(&database);
    char sql[80];

    snprintf(sql, sizeof sql, "select pg_terminate_backend(%llu, 10000)",
             (unsigned long long)scratch_number(*state, "select pg_backend_pid()"));
    scratch_number(other, sql);
    assert_int_equal(run(*state, "select 1"), DBK_UNAVAILABLE);
    assert_false(pg_alive(*state));
    pg_close(other);
}

static void who_cannot_be_reached_is_named_without_the_password(void **state)
{
    struct dbk_database nowhere = {.host = "/nonexistent",
                                   .name = "daybook",
                                   .user = "daybook",
                                   .password = "hunter2 host=x"};
    const struct pg_options options = {.application = "test",
                                       .connect_timeout_ms = TIME};
    struct pg *pg;

    (void)state;
    assert_int_equal(pg_open(&nowhere, &options, &pg, &err), DBK_UNAVAILABLE);
    assert_null(pg);
    assert_non_null(strstr(err.text, "/nonexistent"));
    assert_null(strstr(err.text, "hunter2"));
}

/* It accepts (the kernel does) and never says a word. */
static void a_silent_server_costs_the_connect_timeout(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct pg_options options = {.application = "test",
                                       .connect_timeout_ms = 100};
    socklen_t size = sizeof address;
    struct dbk_database silent = {.host = "127.0.0.1"};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct pg *pg;
    char port[8];

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    silent.port = port;
    assert_int_equal(pg_open(&silent, &options, &pg, &err), DBK_TIMEOUT);
    assert_null(pg);
    close(listener);
}

static void copy_from_the_client_is_refused_and_ends(void **state)
{
    run(*state, "create temporary table t (i int)");
    assert_int_equal(pg_script(*state, "copy t from stdin", TIME, &err), DBK_INVALID);
    assert_false(pg_alive(*state));
}

static bool take_three(void *context, const struct pg_result *row)
{
    uint64_t *seen = context;

    *seen = *seen * 10 + pg_u64(row, 0, 0);
    return *seen < 100;
}

static void a_visitor_may_stop_early(void **state)
{
    const struct pg_statement few = {NULL, "select generate_series(1, 9)"};
    const struct pg_statement many = {
        NULL, "select i, repeat('x', 1000) from generate_series(1, 5000000) i"};
    uint64_t seen = 0;

    assert_int_equal(pg_each(*state, &few, NULL, 0, TIME, take_three, &seen, &err),
                     DBK_OK);
    assert_int_equal(seen, 123);
    assert_true(pg_alive(*state));
    seen = 0;
    assert_int_equal(pg_each(*state, &many, NULL, 0, TIME, take_three, &seen, &err),
                     DBK_OK);
    assert_int_equal(seen, 123);
    assert_false(pg_alive(*state));
}

static bool take_all(void *context, const struct pg_result *row)
{
    *(uint64_t *)context += pg_u64(row, 0, 0);
    return true;
}

static void a_failure_among_the_rows_is_told(void **state)
{
    const struct pg_statement statement = {
        NULL, "select 10 / (5 - i) from generate_series(1, 9) i"};
    uint64_t seen = 0;

    assert_int_equal(pg_each(*state, &statement, NULL, 0, TIME, take_all, &seen, &err),
                     DBK_INVALID);
    assert_string_equal(pg_sqlstate(*state), "22012");
    assert_int_equal(run(*state, "select 1"), DBK_OK);
}

static void a_transaction_takes_effect_whole_or_not_at_all(void **state)
{
    run(*state, "create temporary table t (i int primary key)");
    assert_int_equal(pg_begin(*state, TIME, &err), DBK_OK);
    assert_true(pg_in_transaction(*state));
    assert_int_equal(run(*state, "insert into t values (1)"), DBK_OK);
    assert_int_equal(run(*state, "insert into t values (1)"), DBK_INVALID);
    assert_int_equal(pg_commit(*state, TIME, &err), DBK_INTERNAL);
    assert_int_equal(pg_rollback(*state, TIME, &err), DBK_OK);
    assert_int_equal(scratch_number(*state, "select count(*) from t"), 0);
    assert_int_equal(pg_begin(*state, TIME, &err), DBK_OK);
    assert_int_equal(run(*state, "insert into t values (1)"), DBK_OK);
    assert_int_equal(pg_commit(*state, TIME, &err), DBK_OK);
    assert_int_equal(scratch_number(*state, "select count(*) from t"), 1);
}

static void piped_steps_commit_together(void **state)
{
    const struct pg_statement insert = {"piped_insert",
                                        "insert into t values ($1::int)"};
    const struct pg_statement count = {"piped_count", "select count(*) from t"};
    struct pg_param one = pg_text("1"), two = pg_text("2");
    struct pg_step steps[] = {
        {&insert, &one, 1, NULL}, {&count, NULL, 0, NULL}, {&insert, &two, 1, NULL}};
    size_t failed;

    run(*state, "create temporary table t (i int primary key deferrable)");
    assert_int_equal(pg_transact(*state, steps, 3, TIME, &failed, &err), DBK_OK);
    assert_int_equal(pg_affected(steps[0].result), 1);
    assert_int_equal(pg_u64(steps[1].result, 0, 0), 1);
    for (size_t i = 0; i < 3; i++)
        pg_clear(steps[i].result);
    assert_int_equal(scratch_number(*state, "select count(*) from t"), 2);
}

static void a_piped_failure_undoes_all_and_names_the_step(void **state)
{
    const struct pg_statement insert = {NULL, "insert into t values ($1::int)"};
    struct pg_param one = pg_text("1"), bad = pg_text("x");
    struct pg_step steps[] = {
        {&insert, &one, 1, NULL}, {&insert, &bad, 1, NULL}, {&insert, &one, 1, NULL}};
    size_t failed;

    run(*state, "create temporary table t "
                "(i int unique deferrable initially deferred)");
    assert_int_equal(pg_transact(*state, steps, 3, TIME, &failed, &err), DBK_INVALID);
    assert_int_equal(failed, 1);
    assert_null(steps[0].result);
    assert_int_equal(scratch_number(*state, "select count(*) from t"), 0);
    /* What only the commit finds out. */
    steps[1].params = &one;
    assert_int_equal(pg_transact(*state, steps, 3, TIME, &failed, &err), DBK_INVALID);
    assert_string_equal(pg_sqlstate(*state), "23505");
    assert_int_equal(failed, 3);
    assert_int_equal(scratch_number(*state, "select count(*) from t"), 0);
}

static void a_session_that_dies_in_a_pipeline_is_lost(void **state)
{
    const struct pg_statement one = {NULL, "select 1"};
    const struct pg_statement die = {NULL,
                                     "select pg_terminate_backend(pg_backend_pid())"};
    struct pg_step steps[] = {
        {&one, NULL, 0, NULL}, {&die, NULL, 0, NULL}, {&one, NULL, 0, NULL}};
    size_t failed;

    assert_int_equal(pg_transact(*state, steps, 3, TIME, &failed, &err),
                     DBK_UNAVAILABLE);
    assert_false(pg_alive(*state));
    assert_null(steps[0].result);
}

#define ON_ONE(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

static void whether_a_server_answers_is_known(void **state)
{
    struct dbk_database nowhere = database;

    (void)state;
    nowhere.host = "/nonexistent";
    assert_true(pg_answers(&database));
    assert_false(pg_answers(&nowhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whether_a_server_answers_is_known),
        ON_ONE(rows_and_parameters_make_the_round_trip),
        cmocka_unit_test(the_schema_may_have_any_name),
        ON_ONE(a_refusal_tells_whose_fault_it_is),
        cmocka_unit_test(the_server_itself_ends_a_statement_that_takes_too_long),
        ON_ONE(a_hung_server_costs_the_deadline_and_the_connection),
        ON_ONE(more_than_the_socket_holds_does_not_outwait_a_hung_server),
        ON_ONE(more_than_the_socket_holds_arrives_and_comes_back),
        ON_ONE(a_statement_that_outlived_its_table_ends_the_session),
        ON_ONE(a_terminated_session_is_lost),
        cmocka_unit_test(who_cannot_be_reached_is_named_without_the_password),
        cmocka_unit_test(a_silent_server_costs_the_connect_timeout),
        ON_ONE(copy_from_the_client_is_refused_and_ends),
        ON_ONE(a_visitor_may_stop_early),
        ON_ONE(a_failure_among_the_rows_is_told),
        ON_ONE(a_transaction_takes_effect_whole_or_not_at_all),
        ON_ONE(piped_steps_commit_together),
        ON_ONE(a_piped_failure_undoes_all_and_names_the_step),
        ON_ONE(a_session_that_dies_in_a_pipeline_is_lost),
    };

    database = scratch_database("test_pg");
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
