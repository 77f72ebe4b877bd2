/* Tables that are made again from the log are what the log says, in whatever state the
 * old ones are, and are put in place whole or not at all. */
#include "naive_fold.h"
#include "projections/rebuild.h"
#include "random_commands.h"
#include "watched.h"

static enum dbk_code try_rebuild(struct world *world, struct watched *watched,
                                 bool keep_old, struct dbk_rebuild_result *result,
                                 struct dbk_error *err)
{
    const struct dbk_rebuild_options options = {keep_old, watch_with(watched)};

    return dbk_rebuild(world->log, &world->database, &options, result, err);
}

static struct dbk_rebuild_result rebuild(struct world *world, bool keep_old)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (try_rebuild(world, &watched, keep_old, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.sequence, world_head(world));
    return result;
}

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

static void assert_refused(struct world *world, enum dbk_code code, const char *text)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    assert_int_equal(try_rebuild(world, &watched, false, &result, &err), code);
    if (!strstr(err.text, text))
        fail_msg("it says: %s", err.text);
}

static bool has_schema(struct world *world, const char *name)
{
    char sql[128];

    snprintf(sql, sizeof sql, "select count(*) from pg_namespace where nspname = '%s'",
             name);
    return scratch_number(world->pg, sql) == 1;
}

static void assert_nothing_left(struct world *world)
{
    assert_false(has_schema(world, "rebuild_test_shadow"));
    assert_false(has_schema(world, "rebuild_test_swap"));
}

static void rebuilt_tables_are_what_the_log_says(void **state)
{
    struct world *world = *state;

    for (uint32_t seed = 1; seed <= 8; seed++) {
        uint32_t drawn = seed;
        struct dbk_rebuild_result result;

        submit_random(world, &drawn, 200);
        result = rebuild(world, false);
        assert_tables_equal_the_log(world);
        assert_false(result.slow);
        assert_int_equal(result.quarantined, 0);
        assert_int_equal(result.persons,
                         scratch_number(world->pg, "select count(*) from person"));
        assert_int_equal(result.events,
                         scratch_number(world->pg, "select count(*) from event"));
    }
    assert_nothing_left(world);
}

static void an_empty_log_gives_empty_tables(void **state)
{
    struct world *world = *state;

    rebuild(world, false);
    assert_int_equal(scratch_number(world->pg, "select sequence from checkpoint"), 0);
    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

/* Everything the catalog says of indexes, constraints and triggers, as lines. */
static char *describe(struct world *world)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    lines_of(
        world->pg,
        "select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c"
        " on c.oid = i.indrelid where c.relnamespace = 'rebuild_test'::regnamespace"
        " order by 1",
        out);
    lines_of(world->pg,
             "select concat_ws(' ', conrelid::regclass, conname, convalidated,"
             " pg_get_constraintdef(oid)) from pg_constraint"
             " where connamespace = 'rebuild_test'::regnamespace order by 1",
             out);
    lines_of(
        world->pg,
        "select pg_get_triggerdef(t.oid) || ' ' || tgenabled::text from pg_trigger t"
        " join pg_class c on c.oid = t.tgrelid"
        " where c.relnamespace = 'rebuild_test'::regnamespace order by 1",
        out);
    lines_of(world->pg,
             "select concat_ws(' ', attrelid::regclass, attname, attnotnull, atttypid)"
             " from pg_attribute a join pg_class c on c.oid = attrelid where attnum > 0"
             " and relnamespace = 'rebuild_test'::regnamespace order by 1",
             out);
    fclose(out);
    return text;
}

static void indexes_and_constraints_are_as_the_migrations_made_them(void **state)
{
    struct world *world = *state;
    char *before, *after;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    before = describe(world);
    rebuild(world, false);
    after = describe(world);
    assert_string_equal(after, before);
    assert_non_null(strstr(after, "event_properties"));
    assert_non_null(strstr(after, "PRIMARY KEY"));
    assert_non_null(strstr(after, "TRIGGER event_counts_came"));
    free(before);
    free(after);
}

/* Whoever changes the events afterwards, and from wherever: a schema that was renamed has
 * them counted in its own tables. */
static void changes_by_hand_are_counted_where_they_are_made(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_record(2, 1, ""));
    rebuild(world, true);
    rebuild(world, true);
    scratch_script(world->pg, "set search_path = public;"
                              "delete from rebuild_test.event where sequence = 2;"
                              "update rebuild_test_old.event set person_id = null;"
                              "set search_path = rebuild_test_old");
    assert_statistics_equal_a_recount(world);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_hour"),
                     2);
    scratch_script(world->pg, "set search_path = rebuild_test");
    assert_statistics_equal_a_recount(world);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_hour"),
                     1);
    scratch_script(world->pg, "truncate event");
    assert_statistics_equal_a_recount(world);
}

static void a_projector_goes_on_with_the_new_tables(void **state)
{
    struct world *world = *state;
    uint32_t seed = 3;

    world_start(world);
    for (int i = 0; i < 6; i++) {
        submit_random(world, &seed, 60);
        if (i % 2 == 0)
            world_catch_up(world);
        rebuild(world, i % 3 == 0);
        submit_random(world, &seed, 30);
        world_catch_up(world);
        assert_tables_equal_the_log(world);
    }
    wait_quarantined(world->projector, 0);
}

/* Wrong rows, no rows, rows of another log: nothing of the old tables is used. */
static void what_is_wrong_is_right_again(void **state)
{
    static const char *const damages[] = {
        "update person set first_name = 'X', sequence = 1000000 + sequence",
        "delete from event",
        "truncate person, event, checkpoint, quarantine",
        "update checkpoint set store_id = gen_random_uuid(), sequence = 1000000",
        "drop index event_person; alter table event drop constraint event_sequence",
        "alter table person add column extra text",
        "drop table event cascade", /* and the view of it */
        "update event_hour set events = events + 1",
        "update event_day set first = first - interval '1 second'",
        "drop function event_counts cascade",
        "drop table event_hour",
        "drop table event_day",
        "drop schema rebuild_test cascade",
    };
    struct world *world = *state;
    uint32_t seed = 4;

    submit_random(world, &seed, 200);
    rebuild(world, false);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        scratch_script(world->pg, damages[i]);
        rebuild(world, false);
        assert_tables_equal_the_log(world);
    }
    world_start(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void tables_of_another_log_become_this_ones(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg, "update checkpoint set store_id = gen_random_uuid()");
    world_start(world);
    wait_state(world->projector, false, "another log");
    rebuild(world, false);
    submit(world, draft_create(2, "b@x.org"));
    world_catch_up(world);
    assert_tables_equal_the_log(world);
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
    assert_string_equal(rebuild(world, true).kept, "rebuild_test_old");
    second = which_tables(world);
    assert_int_not_equal(first, second);
    submit_random(world, &seed, 100);
    assert_string_equal(undo(world).kept, "rebuild_test_old");
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
        has_schema(world, "rebuild_test_old")); /* there were no tables before */
    rebuild(world, true);
    assert_true(has_schema(world, "rebuild_test_old"));
    assert_string_equal(rebuild(world, false).kept, "");
    assert_true(has_schema(world, "rebuild_test_old"));
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err), DBK_OK);
    assert_false(has_schema(world, "rebuild_test_old"));
    assert_int_equal(dbk_rebuild_drop_old(&world->database, &watch, &err),
                     DBK_NOT_FOUND);
    assert_tables_equal_the_log(world);
}

struct writing {
    struct world *world;
    uint32_t seed;
};

/* Each call of the watch is a moment of the rebuild: something is written at each. */
static void write_some(void *context)
{
    struct writing *writing = context;

    submit_random(writing->world, &writing->seed, 30);
}

static void what_is_written_meanwhile_is_there(void **state)
{
    struct world *world = *state;
    struct writing writing = {world, 11};
    struct watched watched = {.meanwhile = write_some, .context = &writing};
    struct dbk_rebuild_result result;
    struct dbk_error err;

    submit_random(world, &writing.seed, 100);
    world_start(world);
    for (int i = 0; i < 5; i++) {
        if (try_rebuild(world, &watched, false, &result, &err) != DBK_OK)
            fail_msg("%s", err.text);
        assert_true(result.sequence > result.loaded);
        world_catch_up(world);
        assert_tables_equal_the_log(world);
    }
    wait_quarantined(world->projector, 0);
}

/* Stopped at each call of the watch, one after the other, until it is not. */
static void stopped_anywhere_nothing_has_changed(void **state)
{
    struct world *world = *state;
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};
    enum dbk_code code = DBK_INTERRUPTED;
    uint32_t seed = 7;
    int stops = 0;

    submit_random(world, &seed, 100);
    rebuild(world, false);
    scratch_script(world->pg, "update person set last_name = 'as before'");
    while (code == DBK_INTERRUPTED) {
        struct watched watched = {.stop_after = ++stops};

        assert_true(stops < 1000);
        code = try_rebuild(world, &watched, true, &result, &err);
        assert_nothing_left(world);
        if (code == DBK_INTERRUPTED)
            assert_int_equal(scratch_number(world->pg,
                                            "select count(*) from person"
                                            " where last_name <> 'as before'"),
                             0);
    }
    assert_int_equal(code, DBK_OK);
    assert_true(stops > 4);
    assert_tables_equal_the_log(world);
}

static void what_a_killed_one_left_is_dropped(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_rebuild_result result;

    submit(world, draft_create(1, "a@x.org"));
    rebuild(world, false);
    scratch_script(world->pg,
                   "create schema rebuild_test_shadow; comment on schema"
                   " rebuild_test_shadow is 'daybook: being built, or replaced, for"
                   " rebuild_test; daybook rebuild drops it';"
                   " create table rebuild_test_shadow.person ()");
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
    scratch_script(world->pg, "create schema rebuild_test_shadow");
    assert_refused(world, DBK_CONFLICT, "rebuild_test_shadow that is not daybook's");
    assert_true(has_schema(world, "rebuild_test_shadow"));
    scratch_script(world->pg, "drop schema rebuild_test_shadow");
    scratch_script(world->pg, "create schema rebuild_test_old");
    rebuild(world, false); /* which has no use for it */
    assert_true(has_schema(world, "rebuild_test_old"));
    scratch_script(world->pg, "drop schema rebuild_test_old");
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
                   " grant usage on schema rebuild_test to \"a Reader\";"
                   " grant select on person to \"a Reader\";"
                   " alter default privileges in schema rebuild_test"
                   " grant select on tables to \"a Reader\";"
                   " comment on schema rebuild_test is 'it''s mine'");
    rebuild(world, false);
    assert_int_equal(scratch_number(world->pg,
                                    "select (has_table_privilege('a Reader',"
                                    " 'person', 'select')"
                                    " and has_schema_privilege('a Reader',"
                                    " 'rebuild_test', 'usage')"
                                    " and not has_table_privilege('a Reader',"
                                    " 'event', 'select')"
                                    " and exists (select from pg_default_acl"
                                    " where defaclnamespace ="
                                    " 'rebuild_test'::regnamespace"
                                    " and defaclacl::text like '%a Reader%=r/%')"
                                    " and obj_description('rebuild_test'::regnamespace,"
                                    " 'pg_namespace') = 'it''s mine')::int"),
                     1);
    scratch_script(world->pg, "drop owned by \"a Reader\"; drop role \"a Reader\"");
}

static void of_two_at_once_the_second_is_refused(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    scratch_script(world->pg, "select pg_advisory_lock(hashtextextended("
                              "'daybook rebuild rebuild_test', 0))");
    assert_refused(world, DBK_BUSY, "another rebuild");
    scratch_script(world->pg, "select pg_advisory_unlock_all()");
    rebuild(world, false);
}

static void postgres_away_is_told(void **state)
{
    struct world *world = *state;

    world->database.host = "/nonexistent";
    assert_refused(world, DBK_UNAVAILABLE, "cannot be reached");
    world->database.host = getenv("DAYBOOK_TEST_PG");
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
    world->database.schema = "rebuild_test";
}

static int make_world(void **state)
{
    struct dbk_database old = scratch_database("rebuild_test_old");
    struct dbk_database shadow = scratch_database("rebuild_test_shadow");

    scratch_drop(&old);
    scratch_drop(&shadow);
    *state = world_make("rebuild_test");
    return 0;
}

static int end_world(void **state)
{
    struct dbk_database old = scratch_database("rebuild_test_old");

    scratch_drop(&old);
    world_end(*state);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(rebuilt_tables_are_what_the_log_says),
        IN_A_WORLD(an_empty_log_gives_empty_tables),
        IN_A_WORLD(indexes_and_constraints_are_as_the_migrations_made_them),
        IN_A_WORLD(changes_by_hand_are_counted_where_they_are_made),
        IN_A_WORLD(a_projector_goes_on_with_the_new_tables),
        IN_A_WORLD(what_is_wrong_is_right_again),
        IN_A_WORLD(tables_of_another_log_become_this_ones),
        IN_A_WORLD(kept_tables_can_be_swapped_back_and_forth),
        IN_A_WORLD(after_an_undo_a_rebuild_and_another_undo_work),
        IN_A_WORLD(kept_tables_stay_until_they_are_dropped),
        IN_A_WORLD(what_is_written_meanwhile_is_there),
        IN_A_WORLD(stopped_anywhere_nothing_has_changed),
        IN_A_WORLD(what_a_killed_one_left_is_dropped),
        IN_A_WORLD(what_one_for_another_schema_left_is_dropped_unless_it_is_held),
        IN_A_WORLD(a_schema_of_somebody_elses_is_not_touched),
        IN_A_WORLD(what_no_migration_made_is_not_taken_away),
        IN_A_WORLD(tables_of_a_newer_program_are_not_replaced),
        IN_A_WORLD(an_index_made_by_hand_is_missed),
        IN_A_WORLD(rights_of_others_are_carried_over),
        IN_A_WORLD(of_two_at_once_the_second_is_refused),
        IN_A_WORLD(postgres_away_is_told),
        IN_A_WORLD(a_long_name_leaves_room_for_its_kin),
        IN_A_WORLD(a_name_that_its_shadow_would_have_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
