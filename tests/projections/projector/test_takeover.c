/* Tables are posted by one server at a time; who comes second is told, and takes over when
 * the first has gone. */
#include "put_back.h"

/* A copy of the world's log, open, with a projector on the same tables. */
struct clone {
    char dir[80];
    struct dbk_log *log;
    struct dbk_projector *projector;
};

static void open_clone(struct clone *clone, struct world *world)
{
    struct dbk_error err = {0};

    snprintf(clone->dir, sizeof clone->dir, "%s.clone", world->dir);
    dbk_log_close(world->log);
    copy_dir(world->dir, clone->dir);
    world_open_log(world);
    if (dbk_log_open(clone->dir, NULL, &clone->log, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void start_clone(struct clone *clone, struct world *world)
{
    struct dbk_error err = {0};

    if (dbk_projector_start(clone->log, &world->database, NULL, &clone->projector,
                            &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void close_clone(struct clone *clone)
{
    dbk_projector_stop(clone->projector);
    dbk_log_close(clone->log);
    remove_dir(clone->dir);
}

static void write_to_clone(struct clone *clone, uint32_t person, const char *email)
{
    struct world world = {.log = clone->log};

    submit(&world, draft_create(person, email));
}

static void the_second_of_two_clones_is_told_who_has_the_tables(void **state)
{
    struct world *world = *state;
    struct dbk_projector_status status;
    struct dbk_tables_state checkpoint;
    struct dbk_error err = {0};
    struct clone clone;

    add_persons(world, 1, 3);
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    open_clone(&clone, world);
    world_start(world);
    world_catch_up(world);
    start_clone(&clone, world);
    wait_state(clone.projector, false, world->dir);
    wait_state(clone.projector, false, "held by another server");
    dbk_projector_status(clone.projector, &status);
    assert_int_equal(status.refusal, DBK_REFUSAL_HELD);
    assert_int_equal(dbk_projector_wait(clone.projector, 1, 0, &err), DBK_UNAVAILABLE);
    assert_int_equal(dbk_tables_read(&world->database, &checkpoint, &err), DBK_OK);
    assert_true(checkpoint.held);
    assert_non_null(strstr(checkpoint.holder, world->dir));
    assert_int_equal(dbk_tables_check(world->log, &checkpoint, &err), DBK_OK);
    assert_int_equal(dbk_tables_check(clone.log, &checkpoint, &err), DBK_BUSY);
    add_persons(world, 4, 3);
    world_catch_up(world);
    wait_state(clone.projector, false, "held by another server");
    close_clone(&clone);
}

static void it_takes_over_when_the_first_has_gone(void **state)
{
    struct world *world = *state;
    struct clone clone;

    add_persons(world, 1, 3);
    open_clone(&clone, world);
    world_start(world);
    world_catch_up(world);
    start_clone(&clone, world);
    wait_state(clone.projector, false, "held by another server");
    world_stop(world);
    wait_posted(clone.projector, 3);
    write_to_clone(&clone, 50, "clone@x.org");
    wait_posted(clone.projector, 4);
    add_persons(world, 4, 3);
    world_start(world);
    wait_state(world->projector, false, "held by another server");
    close_clone(&clone);
    assert_refused(world, "record 4 differs");
    assert_rebuild_mends(world);
}

static void a_rebuild_does_not_take_the_tables_from_another_server(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    const struct dbk_rebuild_options options = {false, watch_with(&watched)};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};
    struct clone clone = {.projector = NULL};

    add_persons(world, 1, 3);
    open_clone(&clone, world);
    world_start(world);
    world_catch_up(world);
    assert_int_equal(dbk_rebuild(clone.log, &world->database, &options, &result, &err),
                     DBK_CONFLICT);
    assert_non_null(strstr(err.text, world->dir));
    rebuild(world); /* beside its own server */
    world_catch_up(world);
    world_stop(world);
    assert_int_equal(dbk_rebuild(clone.log, &world->database, &options, &result, &err),
                     DBK_OK);
    close_clone(&clone);
}

/* Killed, it has left its name; and the one that has the lock now cannot post. */
static void a_rebuild_is_not_refused_for_a_server_that_is_gone(void **state)
{
    struct world *world = *state;

    post_and_put_back(world);
    scratch_script(world->pg,
                   "update checkpoint set holder = 'gone', held_by = 'gone'");
    world_start(world);
    assert_refused(world, "the log ends at 3");
    for (int i = 0; i < 3; i++) {
        rebuild(world);
        pause_10ms();
    }
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

/* As if its lock had gone, by a pooler or on a connection that only seems to live. */
static void who_has_been_taken_over_from_moves_nothing(void **state)
{
    struct world *world = *state;

    add_persons(world, 1, 3);
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "update checkpoint set epoch = epoch + 1");
    add_persons(world, 4, 3);
    world_catch_up(world); /* by taking them over again */
    assert_tables_equal_the_log(world);
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from checkpoint where epoch > 2"),
        1);
}

static void a_projector_that_ends_leaves_no_name(void **state)
{
    struct world *world = *state;

    add_persons(world, 1, 1);
    world_start(world);
    world_catch_up(world);
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from checkpoint where holder is not"
                                  " null and held_by like '%process%'"),
        1);
    world_stop(world);
    assert_int_equal(
        scratch_number(world->pg,
                       "select count(*) from checkpoint where holder is null"),
        1);
}

static int make_world(void **state)
{
    *state = world_make("takeover_test");
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_second_of_two_clones_is_told_who_has_the_tables),
        IN_A_WORLD(it_takes_over_when_the_first_has_gone),
        IN_A_WORLD(a_rebuild_does_not_take_the_tables_from_another_server),
        IN_A_WORLD(a_rebuild_is_not_refused_for_a_server_that_is_gone),
        IN_A_WORLD(who_has_been_taken_over_from_moves_nothing),
        IN_A_WORLD(a_projector_that_ends_leaves_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
