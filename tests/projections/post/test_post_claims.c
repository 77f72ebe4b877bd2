/* Anonymous ids, and persons who have them, in quarantine: nobody else is set aside, and
 * once they are tried again the tables are what the log says, whoever has had them. */
#include "post_claims.h"

#include "naive_fold.h"
#include "random_commands.h"

static void poison(struct world *world, const char *table, const char *check)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "alter table %s add constraint poison check (%s) not valid", table, check);
    scratch_script(world->pg, sql);
}

static void cure(struct world *world)
{
    /* Each by itself: the projector, which is at work, locks the two in its own order. */
    scratch_script(world->pg, "alter table person drop constraint if exists poison");
    scratch_script(world->pg, "alter table event drop constraint if exists poison");
    scratch_script(world->pg, "drop trigger if exists poison on event");
}

static void retry_all(struct world *world)
{
    uint64_t count;

    assert_int_equal(dbk_quarantine_retry(&world->database, &count, NULL), DBK_OK);
}

static void post(struct world *world, struct dbk_command *command)
{
    submit(world, command);
    world_catch_up(world);
}

static void heal(struct world *world)
{
    cure(world);
    retry_all(world);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void see(void *context, const struct dbk_quarantined *one)
{
    char *told = context;

    snprintf(told + strlen(told), 256 - strlen(told), "%s%s ",
             one->has_person ? "person" : "", one->anonymous_id);
}

static void assert_aside(struct world *world, const char *expected)
{
    char told[256] = "";

    assert_int_equal(dbk_quarantine_list(&world->database, 0, 10, see, told, NULL),
                     DBK_OK);
    assert_string_equal(told, expected);
}

static void start(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    world_start(world);
    world_catch_up(world);
}

static void a_refused_event_sets_its_anonymous_id_aside_and_no_other(void **state)
{
    struct world *world = *state;

    start(world);
    post(world, draft_anonymous(1, "x", ""));
    poison(world, "event", "properties is null or not properties @> '{\"n\": 1}'");
    post(world, draft_anonymous(2, "x", "{\"n\": 1}"));
    post(world, draft_anonymous(3, "x", ""));
    post(world, draft_anonymous(4, "y", ""));
    post(world, draft_record(5, 1, ""));
    assert_aside(world, "x ");
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 3);
    heal(world);
}

static void whose_it_is_is_told_of_as_well(void **state)
{
    struct world *world = *state;
    struct dbk_uuid one = person_id(1), two = person_id(2);
    struct dbk_set_aside aside;

    start(world);
    poison(world, "event", "properties is null or not properties @> '{\"n\": 1}'");
    post(world, draft_anonymous(1, "x", "{\"n\": 1}"));
    assert_false(dbk_projector_set_aside(world->projector, &one, &aside));
    post(world, draft_alias(1, "x"));
    post(world, draft_anonymous(2, "x", ""));
    assert_true(dbk_projector_set_aside(world->projector, &one, &aside));
    assert_string_equal(aside.anonymous_id, "x");
    assert_false(dbk_projector_set_aside(world->projector, &two, &aside));
    assert_true(dbk_projector_aside_between(world->projector, DBK_SET_ASIDE_EVENTS, 0,
                                            UINT64_MAX, &aside));
    assert_aside(world, "x ");
    world_stop(world); /* and whoever comes next knows it, too */
    world_start(world);
    world_catch_up(world);
    assert_true(dbk_projector_set_aside(world->projector, &one, &aside));
    heal(world);
    assert_false(dbk_projector_set_aside(world->projector, &one, &aside));
}

/* What is recorded, moved and deleted meanwhile is others' matter, and must not be refused
 * for what is missing. */
static void events_move_on_while_a_person_waits(void **state)
{
    struct world *world = *state;

    start(world);
    post(world, draft_anonymous(1, "x", ""));
    poison(world, "person", "last_name <> 'Bad'");
    post(world,
         draft_update(1, (struct dbk_person_fields){.has = DBK_HAS_LAST_NAME,
                                                    .last_name = dbk_slice("Bad")}));
    assert_aside(world, "person ");
    post(world, draft_alias(1, "x"));
    post(world, draft_anonymous(2, "x", ""));
    post(world, draft_anonymous(3, "x", ""));
    post(world, draft_record(4, 1, ""));
    post(world, draft_erase(3));
    post(world, draft_unalias(1, "x"));
    post(world, draft_anonymous(5, "x", ""));
    post(world, draft_alias(2, "x"));
    post(world, draft_erase(2));
    post(world, draft_erase(4));
    assert_aside(world, "person ");
    heal(world);
}

static void events_that_went_with_another_stay_gone(void **state)
{
    struct world *world = *state;

    start(world);
    poison(world, "person", "last_name <> 'Bad'");
    post(world, draft_anonymous(1, "x", ""));
    post(world,
         draft_update(1, (struct dbk_person_fields){.has = DBK_HAS_LAST_NAME,
                                                    .last_name = dbk_slice("Bad")}));
    post(world, draft_alias(1, "x"));
    post(world, draft_anonymous(2, "x", ""));
    post(world, draft_unalias(1, "x"));
    post(world, draft_alias(2, "x"));
    post(world, draft_delete(2));
    post(world, draft_anonymous(3, "x", ""));
    assert_aside(world, "person ");
    heal(world);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 1);
}

static void a_deleted_person_takes_them_along_after_all(void **state)
{
    struct world *world = *state;

    start(world);
    poison(world, "person", "last_name <> 'Bad'");
    post(world, draft_alias(1, "x"));
    post(world, draft_anonymous(1, "x", ""));
    post(world,
         draft_update(1, (struct dbk_person_fields){.has = DBK_HAS_LAST_NAME,
                                                    .last_name = dbk_slice("Bad")}));
    post(world, draft_anonymous(2, "x", ""));
    post(world, draft_delete(1));
    post(world, draft_anonymous(3, "x", ""));
    post(world, draft_alias(2, "x"));
    heal(world);
}

static void where_no_row_can_move_nobody_is_set_aside(void **state)
{
    struct world *world = *state;

    start(world);
    post(world, draft_anonymous(1, "x", ""));
    scratch_script(
        world->pg,
        "create or replace function refuse() returns trigger language plpgsql"
        " as $$ begin raise 'no'; end $$; create trigger poison before update"
        " on event for each row execute function refuse()");
    submit(world, draft_alias(1, "x"));
    wait_state(world->projector, false, "nobody is set aside");
    assert_aside(world, "");
    cure(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

/* Whatever PostgreSQL refuses for a while, of persons, of events, and of events that move. */
static void whatever_was_refused_ends_as_the_log_says(void **state)
{
    struct world *world = *state;

    world_start(world);
    for (uint32_t seed = 1; seed <= 8; seed++) {
        uint32_t drawn = seed;

        submit_random(world, &drawn, 80);
        world_catch_up(world);
        if (seed % 3 != 0)
            poison(world, "person", "first_name <> 'Grace'");
        if (seed % 3 != 1)
            poison(world, "event", "anonymous_id <> 'a3' or sequence % 3 <> 0");
        if (seed % 4 == 0)
            scratch_script(
                world->pg,
                "create or replace function refuse() returns trigger language plpgsql "
                "as"
                " $$ begin if new.anonymous_id = 'a5' then raise 'no'; end if; return "
                "new;"
                " end $$; create trigger poison before update on event for each row"
                " execute function refuse()");
        for (int i = 0; i < 4; i++) {
            submit_random(world, &drawn, 50);
            world_catch_up(world);
        }
        heal(world);
    }
}

static int make_world(void **state)
{
    *state = world_make("claims");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_refused_event_sets_its_anonymous_id_aside_and_no_other),
        IN_A_WORLD(whose_it_is_is_told_of_as_well),
        IN_A_WORLD(events_move_on_while_a_person_waits),
        IN_A_WORLD(events_that_went_with_another_stay_gone),
        IN_A_WORLD(a_deleted_person_takes_them_along_after_all),
        IN_A_WORLD(where_no_row_can_move_nobody_is_set_aside),
        IN_A_WORLD(whatever_was_refused_ends_as_the_log_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
