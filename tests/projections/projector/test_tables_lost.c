/* Connections and tables that go away under the projector, or are another log's. */
#include "projector_world.h"

/* Those of this test's database only: other tests run beside it. */
static void kill_projectors(struct pg *pg, const char *database)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "select count(pg_terminate_backend(pid)) from pg_stat_activity"
             " where application_name = 'daybook projector' and datname = '%s'",
             database);
    scratch_number(pg, sql);
}

static void a_killed_connection_costs_nothing_but_time(void **state)
{
    struct world *world = *state;
    uint32_t seed = 7;

    world_start(world);
    for (int i = 0; i < 20; i++) {
        records_at_once = 1 + draw(&seed, 9);
        submit_random(world, &seed, 40);
        kill_projectors(world->pg, world->database.name);
    }
    records_at_once = 0;
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void let_in(struct world *world, const char *answer)
{
    char sql[128];

    snprintf(sql, sizeof sql, "alter database projector_away allow_connections %s",
             answer);
    scratch_script(world->pg, sql);
}

/* A database of its own, that can go away while the others' stays. */
static void a_database_that_goes_away_while_idle_is_missed(void **state)
{
    struct world *world = *state;
    const char *live;
    struct dbk_error err;

    scratch_script(world->pg, "drop database if exists projector_away");
    scratch_script(world->pg, "create database projector_away");
    live = world->database.name;
    world->database.name = "projector_away";
    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    let_in(world, "false");
    kill_projectors(world->pg, "projector_away");
    wait_state(world->projector, false, "projector_away");
    assert_int_equal(dbk_projector_wait(world->projector, 1, PATIENCE_MS, &err),
                     DBK_UNAVAILABLE);
    submit(world, draft_create(2, "b@x.org"));
    let_in(world, "true");
    world_catch_up(world);
    world_stop(world);
    world->database.name = live;
    scratch_script(world->pg, "drop database projector_away");
}

static void a_dropped_schema_is_made_again(void **state)
{
    struct world *world = *state;
    uint32_t seed = 8;

    submit_random(world, &seed, 200);
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "drop schema projector_test cascade");
    submit_random(world, &seed, 50);
    wait_state(world->projector, false, "");
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void dropped_tables_are_told_with_what_to_do(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "drop table person cascade");
    submit(world, draft_create(2, "b@x.org"));
    wait_state(world->projector, false, "run daybook rebuild");
    scratch_script(world->pg, "drop schema projector_test cascade");
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void look_for_advice(void *context, const char *line)
{
    if (strstr(line, "run daybook rebuild") || strstr(line, "was dropped"))
        *(_Atomic bool *)context = true;
}

/* They are made again by themselves, so nobody is told to do something. */
static void migrated_down_they_come_back_without_advice(void **state)
{
    struct world *world = *state;
    _Atomic bool advised = false;
    const struct dbk_projector_options options = {.report = look_for_advice,
                                                  .report_context = &advised};
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    assert_int_equal(dbk_projector_start(world->log, &world->database, &options,
                                         &world->projector, &err),
                     DBK_OK);
    world_catch_up(world);
    assert_int_equal(dbk_migrate_down(&world->database, 99, NULL, NULL, &err), DBK_OK);
    submit(world, draft_create(2, "b@x.org"));
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    world_stop(world);
    assert_false(advised);
}

static void tables_of_another_log_are_left_alone(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set store_id = gen_random_uuid()");
    submit(world, draft_create(2, "b@x.org"));
    world_start(world);
    wait_state(world->projector, false, "another log");
    assert_int_equal(dbk_projector_wait(world->projector, 1, 60000, NULL),
                     DBK_UNAVAILABLE);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 1);
}

static void a_checkpoint_past_the_end_stops_projection(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set sequence = 1000");
    world_start(world);
    wait_state(world->projector, false, "the log ends at 1");
}

static void rows_without_a_checkpoint_are_left_alone(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    scratch_script(world->pg, "delete from checkpoint");
    world_start(world);
    wait_state(world->projector, false, "no checkpoint");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_killed_connection_costs_nothing_but_time),
        IN_A_WORLD(a_database_that_goes_away_while_idle_is_missed),
        IN_A_WORLD(a_dropped_schema_is_made_again),
        IN_A_WORLD(dropped_tables_are_told_with_what_to_do),
        IN_A_WORLD(migrated_down_they_come_back_without_advice),
        IN_A_WORLD(tables_of_another_log_are_left_alone),
        IN_A_WORLD(a_checkpoint_past_the_end_stops_projection),
        IN_A_WORLD(rows_without_a_checkpoint_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
