/* The tables as they were at any point, beside the live ones and without touching them. */
#include "naive_fold.h"
#include "projections/rebuild.h"
#include "random_commands.h"
#include "watched.h"

static enum dbk_code try_replay(struct world *world, struct watched *watched,
                                const char *into, uint64_t from, uint64_t to,
                                bool follow, struct dbk_rebuild_result *result,
                                struct dbk_error *err)
{
    const struct dbk_replay_options options = {.into = into,
                                               .from = from,
                                               .to = to,
                                               .follow = follow,
                                               .watch = watch_with(watched)};

    return dbk_replay(world->log, &world->database, &options, result, err);
}

static struct dbk_rebuild_result replay(struct world *world, uint64_t from, uint64_t to)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (try_replay(world, &watched, "replay_into", from, to, false, &result, &err) !=
        DBK_OK)
        fail_msg("%s", err.text);
    return result;
}

/* Lines of the tables in that schema, with the same look as world->pg. */
static char *lines_in(struct world *world, const char *schema)
{
    char sql[64], *lines;

    snprintf(sql, sizeof sql, "set search_path = %s", schema);
    scratch_script(world->pg, sql);
    lines = actual_lines(world);
    scratch_script(world->pg, "set search_path = replay_test");
    return lines;
}

static uint64_t number_in(struct world *world, const char *sql)
{
    uint64_t number;

    scratch_script(world->pg, "set search_path = replay_into");
    number = scratch_number(world->pg, sql);
    scratch_script(world->pg, "set search_path = replay_test");
    return number;
}

/* Remember what the live tables hold as the log grows; each replay is as it was then. */
static void a_replay_is_what_the_tables_were_then(void **state)
{
    enum { MOMENTS = 6 };
    struct world *world = *state;
    uint64_t at[MOMENTS];
    char *then[MOMENTS];
    uint32_t seed = 1;

    world_start(world);
    for (size_t i = 0; i < MOMENTS; i++) {
        submit_random(world, &seed, 80);
        world_catch_up(world);
        at[i] = world_head(world);
        then[i] = actual_lines(world);
    }
    for (size_t i = 0; i < MOMENTS; i++) {
        char *replayed;

        assert_int_equal(replay(world, 0, at[i]).sequence, at[i]);
        replayed = lines_in(world, "replay_into");
        assert_string_equal(replayed, then[i]);
        assert_int_equal(number_in(world, "select sequence from checkpoint"), at[i]);
        free(replayed);
        free(then[i]);
    }
    assert_tables_equal_the_log(world);
}

static void without_an_end_it_goes_to_the_head(void **state)
{
    struct world *world = *state;
    uint32_t seed = 2;
    char *replayed, *live;

    submit_random(world, &seed, 200);
    world_start(world);
    world_catch_up(world);
    replay(world, 0, DBK_REPLAY_HEAD);
    replayed = lines_in(world, "replay_into");
    live = actual_lines(world);
    assert_string_equal(replayed, live);
    free(replayed);
    free(live);
}

static void before_the_first_record_there_is_nothing(void **state)
{
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    replay(world, 0, 0);
    assert_int_equal(number_in(world, "select count(*) from person"), 0);
    assert_int_equal(number_in(world, "select sequence from checkpoint"), 0);
}

static void past_the_last_record_is_refused(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err;

    submit(world, draft_create(1, "a@x.org"));
    assert_int_equal(
        try_replay(world, &watched, "replay_into", 0, 2, false, &result, &err),
        DBK_INVALID);
    assert_non_null(strstr(err.text, "ends at record 1"));
}

static void with_a_beginning_earlier_events_are_left_out(void **state)
{
    struct world *world = *state;
    uint64_t from;

    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_record(2, 1, ""));
    from = submit(world, draft_record(3, 1, ""));
    submit(world, draft_record(4, 1, ""));
    submit(world, draft_erase(2));
    submit(world, draft_erase(4));
    replay(world, from, DBK_REPLAY_HEAD);
    assert_int_equal(number_in(world, "select count(*) from person"), 1);
    assert_int_equal(number_in(world, "select count(*) from event"), 1);
    assert_int_equal(number_in(world, "select sequence from event"), from);
}

struct following {
    struct world *world;
    struct watched watched;
    uint32_t seed;
    int rounds;
};

/* While it follows: delete an event of before, and one of those it has; the same of an
 * anonymous id whose events go with somebody before they are posted. */
static void write_while_following(void *context)
{
    struct following *following = context;
    struct world *world = following->world;

    if (strcmp(following->watched.phase, "following") != 0)
        return;
    if (following->rounds == 0) {
        submit(world, draft_erase(1));
        submit(world, draft_erase(2));
        submit(world, draft_record(3, 1, ""));
        submit(world, draft_erase(10));
        submit(world, draft_erase(12));
        submit(world, draft_alias(2, "x"));
        submit(world, draft_delete(2));
        submit(world, draft_anonymous(14, "x", ""));
    }
    if (++following->rounds == 4)
        following->watched.stop_after = 1;
}

static void following_keeps_it_current_until_it_is_stopped(void **state)
{
    struct world *world = *state;
    struct following following = {.world = world};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};
    uint64_t from;

    following.watched.meanwhile = write_while_following;
    following.watched.context = &following;
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_anonymous(10, "x", ""));
    submit(world, draft_anonymous(11, "x", ""));
    from = submit(world, draft_record(2, 1, ""));
    submit(world, draft_anonymous(12, "x", ""));
    submit(world, draft_anonymous(13, "x", ""));
    if (try_replay(world, &following.watched, "replay_into", from, DBK_REPLAY_HEAD,
                   true, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.sequence, world_head(world));
    assert_int_equal(result.quarantined, 0);
    assert_int_equal(number_in(world, "select count(*) from event"), 2);
    assert_int_equal(number_in(world,
                               "select count(*) from event where person_id is null"
                               " and anonymous_id = 'x'"),
                     1);
    assert_int_equal(number_in(world, "select max(sequence) from event"),
                     world_head(world));
    assert_int_equal(number_in(world, "select sequence from checkpoint"),
                     world_head(world));
}

static void assert_refused(struct world *world, const char *into, enum dbk_code code)
{
    struct watched watched = {0};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (try_replay(world, &watched, into, 0, DBK_REPLAY_HEAD, false, &result, &err) !=
        code)
        fail_msg("%s: %s", into, err.text);
}

static void only_a_replay_is_replaced(void **state)
{
    static const char *const names[] = {
        "",          "Upper",          "1st",
        "a b",       "a\"b",           "pg_toast",
        "a;drop",    "replay_test",    "replay_test_shadow",
        "\xc3\xa9t", "replay_test_old"};
    struct world *world = *state;

    submit(world, draft_create(1, "a@x.org"));
    world_start(world);
    world_catch_up(world);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_refused(world, names[i], DBK_INVALID);
    assert_refused(world, "public", DBK_CONFLICT);
    assert_refused(world, "information_schema", DBK_CONFLICT);
    scratch_script(world->pg, "create schema replay_into");
    assert_refused(world, "replay_into", DBK_CONFLICT);
    scratch_script(world->pg, "drop schema replay_into");
    replay(world, 0, DBK_REPLAY_HEAD);
    replay(world, 0, DBK_REPLAY_HEAD);
    scratch_script(world->pg, "create table replay_into.mine ()");
    assert_refused(world, "replay_into", DBK_CONFLICT);
    assert_tables_equal_the_log(world);
}

static void stopped_anywhere_the_earlier_replay_is_still_there(void **state)
{
    struct world *world = *state;
    struct dbk_rebuild_result result;
    struct dbk_error err;
    uint32_t seed = 3;
    int stops = 1;

    submit_random(world, &seed, 100);
    replay(world, 0, 5);
    for (;; stops++) {
        struct watched watched = {.stop_after = stops};
        enum dbk_code code =
            try_replay(world, &watched, "replay_into", 0, 20, false, &result, &err);

        assert_int_equal(scratch_number(world->pg,
                                        "select count(*) from pg_namespace"
                                        " where nspname = 'replay_into_shadow'"),
                         0);
        if (code == DBK_OK)
            break;
        assert_int_equal(code, DBK_INTERRUPTED);
        assert_int_equal(number_in(world, "select sequence from checkpoint"), 5);
    }
    assert_true(stops > 3);
    assert_int_equal(number_in(world, "select sequence from checkpoint"), 20);
}

static void drop_into(void)
{
    struct dbk_database into = scratch_database("replay_into");

    scratch_drop(&into);
}

static int make_world(void **state)
{
    drop_into();
    *state = world_make("replay_test");
    return 0;
}

static int end_world(void **state)
{
    drop_into();
    world_end(*state);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_replay_is_what_the_tables_were_then),
        IN_A_WORLD(without_an_end_it_goes_to_the_head),
        IN_A_WORLD(before_the_first_record_there_is_nothing),
        IN_A_WORLD(past_the_last_record_is_refused),
        IN_A_WORLD(with_a_beginning_earlier_events_are_left_out),
        IN_A_WORLD(following_keeps_it_current_until_it_is_stopped),
        IN_A_WORLD(only_a_replay_is_replaced),
        IN_A_WORLD(stopped_anywhere_the_earlier_replay_is_still_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
