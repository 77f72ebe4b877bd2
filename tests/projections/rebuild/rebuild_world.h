/* rebuild_world.h - rebuilds in a schema, SCHEMA, that is the including program's own: programs
 * run beside each other. */
#ifndef REBUILD_WORLD_H
#define REBUILD_WORLD_H

#include "naive_fold.h"
#include "projections/rebuild.h"
#include "random_commands.h"
#include "watched.h"

static inline enum dbk_code try_rebuild(struct world *world, struct watched *watched,
                                        bool keep_old,
                                        struct dbk_rebuild_result *result,
                                        struct dbk_error *err)
{
    const struct dbk_rebuild_options options = {keep_old, watch_with(watched)};

    return dbk_rebuild(world->log, &world->database, &options, result, err);
}

static inline struct dbk_rebuild_result rebuild(struct world *world, bool keep_old)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (try_rebuild(world, &watched, keep_old, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.sequence, world_head(world));
    return result;
}

static inline void assert_refused(struct world *world, enum dbk_code code,
                                  const char *text)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    assert_int_equal(try_rebuild(world, &watched, false, &result, &err), code);
    if (!strstr(err.text, text))
        fail_msg("it says: %s", err.text);
}

static inline bool has_schema(struct world *world, const char *name)
{
    char sql[128];

    snprintf(sql, sizeof sql, "select count(*) from pg_namespace where nspname = '%s'",
             name);
    return scratch_number(world->pg, sql) == 1;
}

static inline void assert_nothing_left(struct world *world)
{
    assert_false(has_schema(world, SCHEMA "_shadow"));
    assert_false(has_schema(world, SCHEMA "_swap"));
}

static inline int make_world(void **state)
{
    struct dbk_database old = scratch_database(SCHEMA "_old");
    struct dbk_database shadow = scratch_database(SCHEMA "_shadow");

    scratch_drop(&old);
    scratch_drop(&shadow);
    *state = world_make(SCHEMA);
    return 0;
}

static inline int end_world(void **state)
{
    struct dbk_database old = scratch_database(SCHEMA "_old");

    scratch_drop(&old);
    world_end(*state);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

#endif
