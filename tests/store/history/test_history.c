/* The history index: whatever happens to it, who asks gets what a walk over the log gives. */
#include "history_world.h"

/* However they come, they are merged. */
static size_t count_runs(const struct world *world)
{
    DIR *stream = opendir(world->index);
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)))
        count += strstr(entry->d_name, ".run") != NULL;
    closedir(stream);
    return count;
}

static void it_answers_as_a_walk_does(void **state)
{
    struct world *world = *state;

    grow_whole(world);
    compare(world);
    assert_int_equal(told(world, "\n"), 0);
    assert_in_range(count_runs(world), 1, 8);
}

static void what_is_not_in_it_yet_is_walked(void **state)
{
    struct world *world = *state;
    struct dbk_uuid kate;

    grow_whole(world);
    dbk_history_close(world->history);
    kate = add_person(&world->s, "kate@x.mock");
    for (int i = 0; i < 3; i++) {
        struct dbk_record event = draft_event(&kate);
        assert_int_equal(submit(&world->s, &event).code, DBK_OK);
    }
    assert_int_equal(
        dbk_history_open(world->index, world->s.log, &world->history, NULL), DBK_OK);
    assert_int_equal(dbk_history_position(world->history), RECORDS);
    compare(world);
    compare_one(world, &kate, 2);
}

static void an_alias_brings_what_was_before_it(void **state)
{
    struct world *world = *state;
    struct dbk_record event = draft_event(&(struct dbk_uuid){{0}});
    struct dbk_uuid kate = add_person(&world->s, "kate@x.mock");
    struct dbk_record alias = draft_of(DBK_PERSON_ALIASED, &kate);
    uint64_t found[8];
    const struct dbk_history_page page = {.limit = 8};

    event.anonymous_id = alias.anonymous_id = dbk_slice("her phone");
    assert_int_equal(submit(&world->s, &event).code, DBK_OK);
    grow_whole(world);
    assert_int_equal(find_all(world, world->history, &kate, page, found), 1);
    assert_int_equal(submit(&world->s, &alias).code, DBK_OK);
    assert_int_equal(find_all(world, world->history, &kate, page, found), 3);
    assert_int_equal(found[1], RECORDS + 2);
    compare_one(world, &kate, 1);
}

static void a_page_ends_where_enough_was_looked_at(void **state)
{
    struct world *world = *state;
    static uint64_t found[MOST], walked[MOST];
    const struct dbk_history_page bounded = {.limit = 64, .look_max = 100},
                                  whole = {.limit = 64};
    size_t count = find_all(world, NULL, &world->persons[0], whole, walked);

    assert_int_equal(find_all(world, NULL, &world->persons[0], bounded, found), count);
    assert_memory_equal(found, walked, count * sizeof *found);
}

int main(void)
{
#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(it_answers_as_a_walk_does),
        IN_A_WORLD(what_is_not_in_it_yet_is_walked),
        IN_A_WORLD(an_alias_brings_what_was_before_it),
        IN_A_WORLD(a_page_ends_where_enough_was_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
