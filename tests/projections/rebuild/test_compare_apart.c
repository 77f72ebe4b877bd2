/* Tables that lag, are in quarantine or another's are compared as they are, or not at all. */
#include "compare_world.h"

static void tables_that_lag_are_compared_where_they_are(void **state)
{
    struct world *world = *state;
    uint32_t seed = 5;

    post_random(world, 4, 200);
    submit_random(world, &seed, 200);
    assert_equal_to_log(world);
}

static void anonymous_ids_in_quarantine_are_left_out(void **state)
{
    struct world *world = *state;
    struct dbk_compare_result result;
    struct told told;

    submit_anonymous(world);
    post_random(world, 1, 1);
    scratch_script(world->pg,
                   "insert into quarantine (sequence, anonymous_id, reason) values"
                   " (5, 'y', 'test');"
                   "update event set anonymous_id = 'z' where sequence in (3, 6);"
                   "delete from event where sequence = 5");
    result = compare(world, &told);
    assert_string_equal(told.lines, "changed event e0000000-0000-0000-0000-000000000001"
                                    " 3 anonymous_id\n");
    assert_int_equal(result.quarantined, 1);
}

static void columns_that_no_migration_made_are_told(void **state)
{
    struct world *world = *state;
    struct dbk_compare_result result;
    struct told told;

    submit(world, draft_create(1, "a@x.org"));
    post_random(world, 1, 1);
    scratch_script(world->pg,
                   "alter table person add column extra int; drop view person_shown;"
                   "alter table person alter column last_name type varchar");
    result = compare(world, &told);
    assert_string_equal(told.lines, "columns person  0 extra, last_name\n");
    assert_int_equal(result.columns, 1);
}

static void persons_in_quarantine_are_left_out(void **state)
{
    struct world *world = *state;
    struct dbk_compare_result result;
    struct told told;

    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_record(1, 1, "{\"a\": 1e999999}"));
    submit(world, draft_record(2, 1, ""));
    submit(world, draft_record(3, 2, ""));
    post_random(world, 1, 1);
    result = compare(world, &told);
    assert_string_equal(told.lines, "");
    assert_string_equal(told.statistics, "");
    assert_int_equal(result.quarantined, 1);
    scratch_script(world->pg, "update person set last_name = 'X'");
    result = compare(world, &told);
    assert_non_null(strstr(told.lines, "changed person a0000000-0000-0000-0000-"
                                       "000000000002"));
    assert_null(strstr(told.lines, "000000000001"));
}

static void assert_not_comparable(struct world *world, enum dbk_code code,
                                  const char *text)
{
    struct watched watched = {0};
    struct dbk_compare_result result;
    struct dbk_error err = {0};
    struct told told;

    assert_int_equal(try_compare(world, &watched, 20, &told, &result, &err), code);
    if (!strstr(err.text, text))
        fail_msg("it says: %s", err.text);
}

static void without_tables_of_this_log_there_is_nothing_to_compare(void **state)
{
    struct world *world = *state;

    assert_not_comparable(world, DBK_NOT_FOUND, "not there");
    post_random(world, 1, 100);
    scratch_script(world->pg, "update checkpoint set sequence = 100000");
    assert_not_comparable(world, DBK_MOVED, "the log ends at");
    scratch_script(world->pg, "update checkpoint set store_id = gen_random_uuid()");
    assert_not_comparable(world, DBK_MOVED, "another log");
    scratch_script(world->pg, "delete from checkpoint");
    assert_not_comparable(world, DBK_NOT_FOUND, "no checkpoint");
    scratch_script(world->pg, "drop schema compare_test cascade");
    post_random(world, 1, 100);
    scratch_script(world->pg, "drop table event cascade");
    assert_not_comparable(world, DBK_NOT_FOUND, "not whole");
}

struct writing {
    struct world *world;
    uint32_t seed;
};

static void write_some(void *context)
{
    struct writing *writing = context;

    submit_random(writing->world, &writing->seed, 40);
}

/* What is posted while the tables are built and compared makes no difference. */
static void tables_that_are_posted_to_meanwhile_are_equal(void **state)
{
    struct world *world = *state;
    struct writing writing = {world, 7};
    struct watched watched = {.meanwhile = write_some, .context = &writing};
    struct dbk_compare_result result;
    struct dbk_error err;
    struct told told;

    post_random(world, 6, 200);
    world_start(world);
    for (int i = 0; i < 5; i++) {
        if (try_compare(world, &watched, 20, &told, &result, &err) != DBK_OK)
            fail_msg("%s", err.text);
        assert_string_equal(told.lines, "");
    }
    world_catch_up(world);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void stopped_anywhere_it_leaves_nothing_behind(void **state)
{
    struct world *world = *state;
    struct dbk_compare_result result;
    struct dbk_error err;
    struct told told;
    int stops = 1;

    post_random(world, 8, 200);
    for (;; stops++) {
        struct watched watched = {.stop_after = stops};
        enum dbk_code code = try_compare(world, &watched, 20, &told, &result, &err);

        assert_int_equal(scratch_number(world->pg,
                                        "select count(*) from pg_namespace"
                                        " where nspname = 'compare_test_shadow'"),
                         0);
        if (code == DBK_OK)
            break;
        assert_int_equal(code, DBK_INTERRUPTED);
    }
    assert_true(stops > 4);
    assert_tables_equal_the_log(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(tables_that_lag_are_compared_where_they_are),
        IN_A_WORLD(anonymous_ids_in_quarantine_are_left_out),
        IN_A_WORLD(columns_that_no_migration_made_are_told),
        IN_A_WORLD(persons_in_quarantine_are_left_out),
        IN_A_WORLD(without_tables_of_this_log_there_is_nothing_to_compare),
        IN_A_WORLD(tables_that_are_posted_to_meanwhile_are_equal),
        IN_A_WORLD(stopped_anywhere_it_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
