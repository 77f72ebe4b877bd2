/* The tables that a rebuild has replaced: kept, put back, dropped; and the names of their
 * schemas. */
#define SCHEMA "rebuild_kept_test"
#include "rebuild_world.h"

static struct dbk_rebuild_result undo(struct world *world)
{
    struct watched watched = {0};
    struct dbk_watch watch = watch_with(&watched);
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (dbk_rebuild_undo(world->log, &world->database, &watch, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.sequence, world_head(world));
    return result;
}

static uint64_t which_tables(struct world *world)
{
    return scratch_number(world->pg, "select tableoid::bigint from checkpoint");
}

static void kept_tables_can_be_swapped_back_and_forth(void **state)
{
    struct world *world = *state;
    uint64_t first, second;
    uint32_t seed = 5;

    world_start(world);
    submit_random(world, &seed, 100);
    world_catch_up(world);
    first = which_tables(world);
    assert_string_equal(rebuild(world, true).kept, "rebuild_kept_test_old");
    second = which_tables(world);
    assert_int_not_equal(first, second);
    submit_random(world, &seed, 100);
    assert_string_equal(undo(world).kept, "rebuild_kept_test_old");
    assert_int_equal(which_tables(world), first);
    submit_random(world, &seed, 100);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    undo(world); /* of the undo */
    assert_int_equal(which_tables(world), second);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void after_an_undo_a_rebuild_and_another_undo_work(void **state)
{
    struct world *world = *state;
    uint32_t seed = 6;

    submit_random(world, &seed, 100);
    for (int i = 0; i < 3; i++) {
        rebuild(world, true);
        submit_random(world, &seed, 50);
        rebuild(world, true);
        submit_random(world, &seed, 50);
        undo(world);
        assert_tables_equal_the_log(world);
    }
    assert_nothing_left(world);
}

static void kept_tables_stay_until_they_are_dropped(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_watch watch = watch_with(&watched);
    struct dbk_rebuild_result result;
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    assert_int_equal(
        dbk_rebuild_undo(world->log, &world->database, &watch, &result, &err),
        DBK_NOT_FOUND);
    rebuild(world, true);
    assert_false(
        has_schema(world, "rebuild_kept_test_old")); /* there were no tables before */
    rebuild(world, true);
    assert_true(has_schema(world, "rebuild_kept_test_old"));
    assert_string_equal(rebuild(world, false).kept, "");
    assert_true(has_schema(world, "rebuild_kept_test_old"));
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err), DBK_OK);
    assert_false(has_schema(world, "rebuild_kept_test_old"));
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err),
                     DBK_NOT_FOUND);
    assert_tables_equal_the_log(world);
}

static void a_long_name_leaves_room_for_its_kin(void **state)
{
    struct world *world = *state;
    struct dbk_database database = world->database;
    static const char name[] =
        "a_schema_whose_name_is_as_long_as_postgresql_takes_it_0123456\xc3\xa9";

    submit(world, draft_create(1, "a@x.org"));
    assert_int_equal(strlen(name), 63);
    world->database.schema = name;
    scratch_drop(&world->database);
    rebuild(world, true);
    assert_string_equal(
        rebuild(world, true).kept,
        "a_schema_whose_name_is_as_long_as_postgresql_takes_it_01234_old");
    undo(world);
    scratch_drop(&world->database);
    world->database = database;
    scratch_script(world->pg,
                   "drop schema"
                   " a_schema_whose_name_is_as_long_as_postgresql_takes_it_01234_old"
                   " cascade");
}

/* Cut for its suffix, the name of the shadow is the live one's. */
static void a_name_that_its_shadow_would_have_is_refused(void **state)
{
    struct world *world = *state;
    char name[64];

    memset(name, 'n', sizeof name);
    strcpy(name + sizeof name - sizeof "_shadow", "_shadow");
    world->database.schema = name;
    assert_refused(world, DBK_INVALID, name);
    assert_false(has_schema(world, name));
    world->database.schema = "rebuild_kept_test";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(kept_tables_can_be_swapped_back_and_forth),
        IN_A_WORLD(after_an_undo_a_rebuild_and_another_undo_work),
        IN_A_WORLD(kept_tables_stay_until_they_are_dropped),
        IN_A_WORLD(a_long_name_leaves_room_for_its_kin),
        IN_A_WORLD(a_name_that_its_shadow_would_have_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
