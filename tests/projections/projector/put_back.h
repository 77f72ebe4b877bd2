/* put_back.h - a log that is put back to where it was, under tables that have gone on. */
#ifndef TEST_PUT_BACK_H
#define TEST_PUT_BACK_H

#include "naive_fold.h"
#include "projections/rebuild.h"
#include "watched.h"

static void copy_dir(const char *from, const char *to)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", to, from, to);
    assert_int_equal(system(command), 0);
}

static void saved_name(const struct world *world, char out[80])
{
    snprintf(out, 80, "%s.saved", world->dir);
}

static void save_log(struct world *world)
{
    char saved[80];

    saved_name(world, saved);
    dbk_log_close(world->log);
    copy_dir(world->dir, saved);
    world_open_log(world);
}

static void put_log_back(struct world *world)
{
    char saved[80];

    saved_name(world, saved);
    dbk_log_close(world->log);
    copy_dir(saved, world->dir);
    world_open_log(world);
}

static void add_persons(struct world *world, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char email[32];

        snprintf(email, sizeof email, "p%u@x.org", i);
        submit(world, draft_create(i, email));
    }
}

static void post_all(struct world *world)
{
    world_start(world);
    world_catch_up(world);
    world_stop(world);
}

static void assert_refused(struct world *world, const char *text)
{
    struct dbk_projector_status status;

    wait_state(world->projector, false, text);
    dbk_projector_status(world->projector, &status);
    assert_int_equal(status.refusal, DBK_REFUSAL_HISTORY);
    assert_int_equal(dbk_projector_wait(world->projector, 1, 0, NULL), DBK_UNAVAILABLE);
    assert_non_null(strstr(status.state, "daybook rebuild"));
}

/* Six persons are posted, and the log is the one of the first three again. */
static void post_and_put_back(struct world *world)
{
    add_persons(world, 1, 3);
    save_log(world);
    add_persons(world, 4, 3);
    post_all(world);
    put_log_back(world);
}

static void rebuild(struct world *world)
{
    struct watched watched = {0};
    const struct dbk_rebuild_options options = {false, watch_with(&watched)};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (dbk_rebuild(world->log, &world->database, &options, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void assert_rebuild_mends(struct world *world)
{
    rebuild(world);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
    add_persons(world, 5000, 1);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static int end_world(void **state)
{
    struct world *world = *state;
    char saved[80];

    saved_name(world, saved);
    remove_dir(saved);
    world_end(world);
    return 0;
}

#endif
