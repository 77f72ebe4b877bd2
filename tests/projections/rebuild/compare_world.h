/* compare_world.h - tables of a log, compared with it. */
#ifndef TEST_COMPARE_WORLD_H
#define TEST_COMPARE_WORLD_H

#include "naive_fold.h"
#include "projections/compare.h"
#include "random_commands.h"
#include "watched.h"

/* What was told, in lines: of rows, and of statistics, which follow them. */
struct told {
    char lines[8192], statistics[8192];
};

static inline void on_difference(void *context, const struct dbk_difference *one)
{
    struct told *told = context;
    size_t used = strlen(told->lines);

    if (one->how) {
        used = strlen(told->statistics);
        snprintf(told->statistics + used, sizeof told->statistics - used,
                 "%s %s: %s %s\n", one->kind, one->table, one->id, one->how);
        return;
    }
    snprintf(told->lines + used, sizeof told->lines - used, "%s %s %s %llu %s\n",
             one->kind, one->table, one->id, (unsigned long long)one->sequence,
             one->columns);
}

static inline enum dbk_code try_compare(struct world *world, struct watched *watched,
                                        unsigned most, struct told *told,
                                        struct dbk_compare_result *result,
                                        struct dbk_error *err)
{
    const struct dbk_compare_options options = {.most = most,
                                                .difference = on_difference,
                                                .context = told,
                                                .watch = watch_with(watched)};

    told->lines[0] = told->statistics[0] = '\0';
    return dbk_compare(world->log, &world->database, &options, result, err);
}

static inline struct dbk_compare_result compare(struct world *world, struct told *told)
{
    struct watched watched = {0};
    struct dbk_compare_result result;
    struct dbk_error err = {0};

    if (try_compare(world, &watched, 20, told, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return result;
}

static inline void assert_equal_to_log(struct world *world)
{
    struct told told;
    struct dbk_compare_result result = compare(world, &told);

    assert_string_equal(told.lines, "");
    assert_string_equal(told.statistics, "");
    assert_int_equal(result.missing + result.extra + result.changed + result.columns +
                         result.statistics,
                     0);
    assert_int_equal(result.persons,
                     scratch_number(world->pg, "select count(*) from person"));
    assert_int_equal(result.events,
                     scratch_number(world->pg, "select count(*) from event"));
    assert_int_equal(scratch_number(world->pg,
                                    "select count(*) from pg_namespace"
                                    " where nspname = 'compare_test_shadow'"),
                     0);
}

static inline void post_random(struct world *world, uint32_t seed, size_t count)
{
    submit_random(world, &seed, count);
    world_start(world);
    world_catch_up(world);
    world_stop(world);
}

static inline void submit_anonymous(struct world *world)
{
    submit(world, draft(&(struct dbk_record){
                      .type = DBK_PERSON_CREATED,
                      .subject = person_id(1),
                      .person = {.has = DBK_HAS_PERSON,
                                 .role = DBK_ROLE_USER,
                                 .external_id = dbk_slice("x-1"),
                                 .properties = dbk_slice("{\"plan\": 1.0}")}}));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_anonymous(1, "x", ""));
    submit(world, draft_alias(1, "x"));
    submit(world, draft_anonymous(2, "y", ""));
    submit(world, draft_anonymous(3, "y", ""));
}

static inline int make_world(void **state)
{
    struct dbk_database shadow = scratch_database("compare_test_shadow");

    scratch_drop(&shadow);
    *state = world_make("compare_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

#endif
