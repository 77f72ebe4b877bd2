/* Tables that are made again from the log are what the log says, in whatever state the
 * old ones are, and are put in place whole or not at all. */
#define SCHEMA "rebuild_test"
#include "rebuild_world.h"

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
        IN_A_WORLD(what_is_written_meanwhile_is_there),
        IN_A_WORLD(stopped_anywhere_nothing_has_changed),
        IN_A_WORLD(of_two_at_once_the_second_is_refused),
        IN_A_WORLD(postgres_away_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
