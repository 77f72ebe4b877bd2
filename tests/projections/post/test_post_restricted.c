/* Who is restricted, in the table that SQL asks: as the log says it now, whatever the tables are
 * at, and by whoever has them. */
#include "post_restricted.h"

#include "posting.h"

static struct poster poster;

static int begin(void **state)
{
    static const char *const emails[] = {"", "a@x.org", "b@x.org", "c@x.org"};
    const struct pg_options options = {.application = "test",
                                       .connect_timeout_ms = 10000};
    struct world *world = world_make("test_post_restricted");
    struct dbk_error err = {0};

    *state = world;
    poster_init(&poster, world->log, &world->database, NULL);
    if (dbk_migrate_up(&world->database, NULL, NULL, &err) != DBK_OK ||
        pg_open(&world->database, &options, &poster.pg, &err) != DBK_OK)
        fail_msg("%s", err.text);
    for (uint32_t i = 1; i <= 3; i++) {
        submit(world, draft_create(i, emails[i]));
        submit(world, draft_record(i, i, "{\"n\": 1}"));
    }
    return 0;
}

static int end(void **state)
{
    poster_finish(&poster);
    return world_teardown(state);
}

static void load(void)
{
    struct dbk_error err = {0};

    if (poster_begin(&poster, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void say(struct world *world, enum dbk_type type, uint32_t person)
{
    submit(world,
           draft(&(struct dbk_record){.type = type, .subject = person_id(person)}));
}

static void assert_shown(const struct world *world, int persons, int events,
                         int restricted)
{
    assert_int_equal(scratch_number(world->pg, "select count(*) from person_shown"),
                     persons);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event_shown"),
                     events);
    assert_int_equal(scratch_number(world->pg, "select count(*) from restricted"),
                     restricted);
}

static void it_follows_what_the_log_says(void **state)
{
    struct world *world = *state;

    load();
    posting_step(&poster, UINT64_MAX);
    assert_shown(world, 3, 3, 0);
    say(world, DBK_PERSON_RESTRICTED, 1);
    say(world, DBK_PERSON_RESTRICTED, 2);
    posting_step(&poster, UINT64_MAX);
    assert_shown(world, 1, 1, 2);
    assert_int_equal(scratch_number(world->pg, "select max(sequence) from restricted"),
                     (long long)world_head(world));
    say(world, DBK_PERSON_UNRESTRICTED, 1);
    submit(world, draft_delete(2));
    posting_step(&poster, UINT64_MAX);
    assert_shown(world, 2, 2, 1); /* who was deleted stays restricted */
}

static void tables_that_did_not_know_it_are_told_at_the_start(void **state)
{
    struct world *world = *state;

    say(world, DBK_PERSON_RESTRICTED, 1);
    load();
    posting_step(&poster, UINT64_MAX);
    scratch_script(world->pg, "delete from restricted;"
                              "insert into restricted values (gen_random_uuid(), 7)");
    load(); /* as after the migration that makes the table */
    assert_shown(world, 2, 2, 1);
}

static void tables_that_are_behind_show_nobody_for_longer(void **state)
{
    struct world *world = *state;
    uint64_t before = world_head(world);
    struct dbk_error err = {0};

    say(world, DBK_PERSON_RESTRICTED, 1);
    load();
    assert_int_equal(poster_step(&poster, before, &err), DBK_OK);
    assert_shown(world, 2, 2, 1);
}

static void tables_that_another_took_over_are_left_alone(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};

    load();
    posting_step(&poster, UINT64_MAX);
    say(world, DBK_PERSON_RESTRICTED, 1);
    assert_int_equal(post_restricted(world->log, poster.pg, poster.epoch + 1, &err),
                     DBK_OK);
    assert_shown(world, 3, 3, 0);
    assert_int_equal(post_restricted(world->log, poster.pg, poster.epoch, &err),
                     DBK_OK);
    assert_shown(world, 2, 2, 1);
    say(world, DBK_PERSON_UNRESTRICTED, 1);
    assert_int_equal(post_restricted(world->log, poster.pg, poster.epoch + 1, &err),
                     DBK_OK);
    assert_shown(world, 2, 2, 1);
    assert_int_equal(post_restricted(world->log, poster.pg, 0, &err), DBK_OK);
    assert_shown(world, 3, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_follows_what_the_log_says, begin, end),
        cmocka_unit_test_setup_teardown(
            tables_that_did_not_know_it_are_told_at_the_start, begin, end),
        cmocka_unit_test_setup_teardown(tables_that_are_behind_show_nobody_for_longer,
                                        begin, end),
        cmocka_unit_test_setup_teardown(tables_that_another_took_over_are_left_alone,
                                        begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
