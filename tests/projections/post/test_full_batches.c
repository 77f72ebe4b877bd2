/* A log of several batches as large as a batch may be. */
#include "naive_fold.h"

enum { BATCH = 4096, TOGETHER = 64, PERSONS = 20, LATER = 3000 };

static void submit_some(struct world *world, struct dbk_command **commands,
                        size_t *count)
{
    submit_all(world, commands, *count);
    *count = 0;
}

static void create_persons(struct world *world)
{
    char email[32];

    for (uint32_t i = 0; i < PERSONS; i++) {
        snprintf(email, sizeof email, "p%u@x.org", i);
        submit(world, draft_create(i, email));
    }
}

/* Each is accepted. What an event's record is about, another one may end a batch later. */
static struct dbk_command *mixed(uint32_t i)
{
    char email[32];

    if (i % 10 == 0) {
        snprintf(email, sizeof email, "e%u@x.org", i);
        return draft_email(i / 10 % PERSONS, email);
    }
    if (i % 10 == 1 && i > LATER)
        return draft_erase(i - LATER + 5);
    return draft_record(i, i % PERSONS, i % 2 ? "{\"n\": 12.50}" : "");
}

static void submit_mixed(struct world *world, uint32_t count)
{
    struct dbk_command *commands[TOGETHER];
    size_t some = 0;

    for (uint32_t i = 0; i < count; i++) {
        commands[some++] = mixed(i);
        if (some == TOGETHER)
            submit_some(world, commands, &some);
    }
    submit_some(world, commands, &some);
}

/* Events of the person, numbered from first on. */
static void submit_events(struct world *world, uint32_t person, uint32_t first,
                          uint32_t count, const char *properties)
{
    struct dbk_command *commands[TOGETHER];
    size_t some = 0;

    for (uint32_t i = 0; i < count; i++) {
        commands[some++] = draft_record(first + i, person, properties);
        if (some == TOGETHER)
            submit_some(world, commands, &some);
    }
    submit_some(world, commands, &some);
}

static void post_from_nothing(struct world *world)
{
    world_start(world);
    world_catch_up(world);
}

static void several_full_batches_end_as_the_log_says(void **state)
{
    struct world *world = *state;

    create_persons(world);
    submit_mixed(world, 3 * BATCH + 500);
    assert_true(world_head(world) > 3 * BATCH);
    post_from_nothing(world);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

/* Batches that end by their bytes, long before they have their number of records. */
static void batches_of_large_records_are_all_posted(void **state)
{
    static char large[60000];
    struct world *world = *state;

    memset(large, 'x', sizeof large - 1);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + sizeof large - 3, "\"}", 2);
    submit(world, draft_create(1, "a@x.org"));
    submit_events(world, 1, 0, 250, large);
    post_from_nothing(world);
    wait_quarantined(world->projector, 0);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 250);
    assert_int_equal(scratch_number(world->pg,
                                    "select count(*) from event"
                                    " where length(properties->>'a') <> 59991"),
                     0);
}

/* Empty tables that refuse one email, and no projector. */
static void poison(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    post_from_nothing(world);
    world_stop(world);
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org')");
}

static void assert_only_person_2_is_set_aside(struct world *world, uint64_t sequence,
                                              uint64_t events)
{
    wait_quarantined(world->projector, 1);
    assert_int_equal(scratch_number(world->pg, "select sequence from quarantine"),
                     sequence);
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from person"
                                  " where id = 'a0000000-0000-0000-0000-000000000002'"),
        0);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), events);
}

static void a_refusal_in_a_later_full_batch_sets_its_person_aside(void **state)
{
    struct world *world = *state;
    uint64_t refused;

    poison(world);
    submit_events(world, 1, 0, BATCH + 1000, "");
    refused = submit(world, draft_create(2, "poison@x.org"));
    submit_events(world, 2, 10000, 100, "");
    submit_events(world, 1, 20000, 2 * BATCH, "");
    submit_events(world, 2, 30000, 100, "");
    post_from_nothing(world);
    assert_only_person_2_is_set_aside(world, refused, 3 * BATCH + 1000);
}

static void whom_one_full_batch_sets_aside_the_next_leaves_out(void **state)
{
    struct world *world = *state;
    uint64_t refused;

    poison(world);
    submit_events(world, 1, 0, 100, "");
    refused = submit(world, draft_create(2, "poison@x.org"));
    submit_events(world, 1, 1000, BATCH - 100, "");
    submit_events(world, 2, 10000, 100, "");
    submit_events(world, 1, 20000, 2 * BATCH, "");
    post_from_nothing(world);
    assert_only_person_2_is_set_aside(world, refused, 3 * BATCH);
    scratch_script(world->pg, "alter table person drop constraint poison");
    assert_int_equal(dbk_quarantine_retry(&world->database, &(uint64_t){0}, NULL),
                     DBK_OK);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static int make_world(void **state)
{
    *state = world_make("full_batches_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(several_full_batches_end_as_the_log_says),
        IN_A_WORLD(batches_of_large_records_are_all_posted),
        IN_A_WORLD(a_refusal_in_a_later_full_batch_sets_its_person_aside),
        IN_A_WORLD(whom_one_full_batch_sets_aside_the_next_leaves_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
