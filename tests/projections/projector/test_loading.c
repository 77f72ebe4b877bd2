/* New tables of a long log are loaded by COPY, not posted: told, and begun again where it
 * was stopped. */
#include "naive_fold.h"
#include "random_commands.h"

#include <stdatomic.h>

/* What a projector that loads has told; the test reads it once it follows, or has ended. */
static char told[4096];

static void note_told(void *context, const char *line)
{
    size_t used = strlen(told);

    (void)context;
    snprintf(told + used, sizeof told - used, "%s\n", line);
}

static void start_loading(struct world *world)
{
    static const struct dbk_projector_options options = {.report = note_told,
                                                         .load_from = 100};

    told[0] = '\0';
    world->projector = start_projector_with(world, &options);
}

static void new_tables_of_a_long_log_are_loaded(void **state)
{
    struct world *world = *state;
    uint32_t seed = 21;

    submit_random(world, &seed, 1000);
    start_loading(world);
    world_catch_up(world);
    submit_random(world, &seed, 100);
    world_catch_up(world);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
    world_stop(world);
    assert_non_null(strstr(told, "is loaded into new read tables"));
    assert_null(strstr(told, "cannot be loaded"));
    start_loading(world); /* they are not new any more */
    world_catch_up(world);
    world_stop(world);
    assert_null(strstr(told, "is loaded"));
}

static atomic_bool loads, looked;

/* Until somebody has looked at the state, it waits. */
static void wait_for_looks(void *context, const char *line)
{
    (void)context;
    if (!strstr(line, "is loaded into new read tables"))
        return;
    atomic_store(&loads, true);
    for (int waited = 0; !atomic_load(&looked) && waited < PATIENCE_MS; waited += 10)
        pause_10ms();
}

static void while_it_loads_it_says_so_to_who_reads(void **state)
{
    static const struct dbk_projector_options options = {.report = wait_for_looks,
                                                         .load_from = 100};
    struct world *world = *state;
    struct dbk_projector_status status;
    uint32_t seed = 24;

    submit_random(world, &seed, 500);
    world->projector = start_projector_with(world, &options);
    for (int waited = 0; !atomic_load(&loads) && waited < PATIENCE_MS; waited += 10)
        pause_10ms();
    dbk_projector_status(world->projector, &status);
    atomic_store(&looked, true);
    assert_false(status.running);
    assert_int_equal(status.refusal, DBK_REFUSAL_EMPTIED);
    assert_non_null(strstr(status.state, "is loaded into new read tables, up to"));
    world_catch_up(world);
    dbk_projector_status(world->projector, &status);
    assert_int_equal(status.refusal, DBK_REFUSAL_NONE);
}

static void what_cannot_be_loaded_is_posted(void **state)
{
    struct world *world = *state;
    uint32_t seed = 22;

    world_start(world);
    wait_state(world->projector, true, "following");
    world_stop(world);
    scratch_script(world->pg, "create view somebody_s as select 1 as one");
    submit_random(world, &seed, 500);
    start_loading(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    world_stop(world);
    assert_non_null(strstr(told, "view somebody_s"));
    assert_non_null(strstr(told, "it is posted"));
}

static void a_load_that_was_stopped_is_begun_again(void **state)
{
    struct world *world = *state;
    uint32_t seed = 23;

    submit_random(world, &seed, 500);
    for (int i = 0; i < 4; i++) { /* or was done by then */
        start_loading(world);
        for (int k = 0; k < 5 * i; k++)
            pause_10ms();
        world_stop(world);
    }
    start_loading(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static int make_world(void **state)
{
    *state = world_make("loading_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(new_tables_of_a_long_log_are_loaded),
        IN_A_WORLD(while_it_loads_it_says_so_to_who_reads),
        IN_A_WORLD(what_cannot_be_loaded_is_posted),
        IN_A_WORLD(a_load_that_was_stopped_is_begun_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
