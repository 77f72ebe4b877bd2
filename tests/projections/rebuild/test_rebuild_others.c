/* What a rebuild finds beside its tables: what killed ones have left is dropped; what is
 * somebody else's is not touched, is told, or is carried over. */
#define SCHEMA "rebuild_others_test"
#include "rebuild_world.h"

static uint64_t which_tables(struct world *world)
{
    return scratch_number(world->pg, "select tableoid::bigint from checkpoint");
}

static void what_a_killed_one_left_is_dropped(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_rebuild_result result;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(
        world->pg,
        "create schema rebuild_others_test_shadow; comment on schema"
        " rebuild_others_test_shadow is 'daybook: being built, or replaced, for"
        " rebuild_others_test; daybook rebuild drops it';"
        " create table rebuild_others_test_shadow.person ()");
    assert_int_equal(try_rebuild(world, &watched, false, &result, NULL), DBK_OK);
    assert_non_null(strstr(watched.lines, "left by an earlier run"));
    assert_nothing_left(world);
}

/* Who works on it holds the lock, here the test's own connection. */
static void what_one_for_another_schema_left_is_dropped_unless_it_is_held(void **state)
{
    static const char make[] =
        "create schema left_by_another; comment on schema left_by_another is"
        " 'daybook: being built, or replaced, for another; daybook rebuild drops it';"
        " select pg_advisory_lock(hashtextextended('daybook rebuild another', 0))";
    static const char count[] =
        "select count(*) from pg_namespace where nspname = 'left_by_another'";
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_watch watch = watch_with(&watched);
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    scratch_script(world->pg, make);
    rebuild(world, false);
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err),
                     DBK_NOT_FOUND);
    assert_int_equal(scratch_number(world->pg, count), 1);
    scratch_script(world->pg, "select pg_advisory_unlock_all()");
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err), DBK_OK);
    assert_int_equal(scratch_number(world->pg, count), 0);
    assert_non_null(strstr(watched.lines, "left_by_another, left by an earlier run"));
}

static void a_schema_of_somebody_elses_is_not_touched(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg, "create schema rebuild_others_test_shadow");
    assert_refused(world, DBK_CONFLICT,
                   "rebuild_others_test_shadow that is not daybook's");
    assert_true(has_schema(world, "rebuild_others_test_shadow"));
    scratch_script(world->pg, "drop schema rebuild_others_test_shadow");
    scratch_script(world->pg, "create schema rebuild_others_test_old");
    rebuild(world, false); /* which has no use for it */
    assert_true(has_schema(world, "rebuild_others_test_old"));
    scratch_script(world->pg, "drop schema rebuild_others_test_old");
}

static void what_no_migration_made_is_not_taken_away(void **state)
{
    struct world *world = *state;
    uint64_t tables;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    tables = which_tables(world);
    scratch_script(world->pg, "create view report as select 1 as one");
    assert_refused(world, DBK_CONFLICT, "view report");
    scratch_script(world->pg, "drop view report; create table \"my Own\" (a int)");
    assert_refused(world, DBK_CONFLICT, "table \"my Own\"");
    scratch_script(world->pg,
                   "drop table \"my Own\"; create function mine() returns int"
                   " language sql as 'select 1'");
    assert_refused(world, DBK_CONFLICT, "function mine");
    scratch_script(world->pg, "drop function mine; create schema rebuild_elsewhere;"
                              " create view rebuild_elsewhere.report as"
                              " select * from person");
    assert_refused(world, DBK_CONFLICT, "view rebuild_elsewhere.report");
    scratch_script(world->pg, "drop schema rebuild_elsewhere cascade");
    assert_int_equal(which_tables(world), tables);
    assert_nothing_left(world);
}

static void tables_of_a_newer_program_are_not_replaced(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg, "insert into schema_migration values (9999, 'later', '',"
                              " now())");
    assert_refused(world, DBK_UNSUPPORTED, "migration 9999");
    assert_nothing_left(world);
}

static void an_index_made_by_hand_is_missed(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_rebuild_result result;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg, "create index by_hand on event (datetime_created)");
    assert_int_equal(try_rebuild(world, &watched, false, &result, NULL), DBK_OK);
    assert_non_null(strstr(watched.lines, "index by_hand"));
}

static void rights_of_others_are_carried_over(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg,
                   "set client_min_messages = warning;"
                   " drop role if exists \"a Reader\"; create role \"a Reader\";"
                   " grant usage on schema rebuild_others_test to \"a Reader\";"
                   " grant select on person to \"a Reader\";"
                   " alter default privileges in schema rebuild_others_test"
                   " grant select on tables to \"a Reader\";"
                   " comment on schema rebuild_others_test is 'it''s mine'");
    rebuild(world, false);
    assert_int_equal(
        scratch_number(world->pg,
                       "select (has_table_privilege('a Reader',"
                       " 'person', 'select')"
                       " and has_schema_privilege('a Reader',"
                       " 'rebuild_others_test', 'usage')"
                       " and not has_table_privilege('a Reader',"
                       " 'event', 'select')"
                       " and exists (select from pg_default_acl"
                       " where defaclnamespace ="
                       " 'rebuild_others_test'::regnamespace"
                       " and defaclacl::text like '%a Reader%=r/%')"
                       " and obj_description('rebuild_others_test'::regnamespace,"
                       " 'pg_namespace') = 'it''s mine')::int"),
        1);
    scratch_script(world->pg, "drop owned by \"a Reader\"; drop role \"a Reader\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_a_killed_one_left_is_dropped),
        IN_A_WORLD(what_one_for_another_schema_left_is_dropped_unless_it_is_held),
        IN_A_WORLD(a_schema_of_somebody_elses_is_not_touched),
        IN_A_WORLD(what_no_migration_made_is_not_taken_away),
        IN_A_WORLD(tables_of_a_newer_program_are_not_replaced),
        IN_A_WORLD(an_index_made_by_hand_is_missed),
        IN_A_WORLD(rights_of_others_are_carried_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
