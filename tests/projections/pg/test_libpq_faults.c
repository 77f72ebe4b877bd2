/* libpq failing at each place where it is called: libpq itself, the connection, or the
 * server that refuses; and memory, where there is none. What is done then fails with a code and a text that say so, or
 * succeeds all the same; and once libpq is whole again all works, and the tables are what
 * the log says.
 *
 * A dozen places of each scenario fail, in one of the ways each; DAYBOOK_SWEEP is another
 * number, or "all": all places in all ways, which takes half an hour. */
#include "broken_libpq.h"
#include "naive_fold.h"
#include "projections/compare.h"
#include "projections/migrate.h"
#include "projections/read_model.h"
#include "projections/rebuild.h"
#include "random_commands.h"

enum { REPLAYED_TO = 40, SOME_PLACES = 12 };

/* What is swept: run it once. The code with err, DBK_OK where all was right. */
typedef enum dbk_code scenario(struct world *world, struct dbk_error *err);

static void unseen(struct world *world, const char *sql)
{
    not_watched = true;
    scratch_script(world->pg, sql);
    not_watched = false;
}

static void assert_posted(const struct world *world)
{
    not_watched = true;
    assert_tables_equal_the_log(world);
    not_watched = false;
}

/* How many places of a scenario fail; 0: each of them, in each of the ways. */
static size_t most_places(void)
{
    const char *wanted = getenv("DAYBOOK_SWEEP");

    if (!wanted)
        return SOME_PLACES;
    return strtoul(wanted, NULL, 10);
}

/* Memory and libpq fail in ways of their own; what is not a statement is not refused. */
static bool can_be(enum breakage how, enum call kind)
{
    if (kind == CALL_MEMORY)
        return how == BREAK_CALL;
    return how != BREAK_SERVER || kind == CALL_SEND;
}

/* One way for each place, another for the next. */
static bool is_turn(enum breakage how, size_t place)
{
    enum breakage turn = BREAK_CALL + place % 3;

    return how == (can_be(turn, libpq.kinds[place]) ? turn : BREAK_CALL);
}

static __attribute__((noinline)) enum dbk_code
run_once(struct world *world, scenario *run, struct dbk_error *err)
{
    libpq_below(__builtin_return_address(0));
    return run(world, err);
}

/* Fail once, as told. */
static bool fail_once(struct world *world, scenario *run, size_t place,
                      enum breakage how)
{
    struct dbk_error err = {0};
    enum dbk_code code;

    libpq_break(place, how);
    code = run_once(world, run, &err);
    if (!libpq_mend())
        return false;
    if (code == DBK_OK)
        return true;
    if ((code != DBK_UNAVAILABLE && code != DBK_NO_MEMORY) || err.code != code)
        fail_msg("place %zu, way %d: code %d (%d), %s", place, how, code, err.code,
                 err.text);
    assert_true(strlen(err.text) > 10);
    return true;
}

static void assert_works(struct world *world, scenario *run)
{
    struct dbk_error err = {0};

    if (run_once(world, run, &err) != DBK_OK)
        fail_msg("with libpq whole: %s", err.text);
}

static void sweep(struct world *world, scenario *run, size_t least)
{
    size_t most = most_places(), met = 0, tried = 0;

    place_here(); /* the first one needs memory */
    libpq_watch();
    assert_works(world, run);
    libpq_mend();
    for (size_t i = 0; i < libpq.count; i += most ? 1 + libpq.count / most : 1)
        for (enum breakage how = BREAK_CALL; how <= BREAK_SERVER; how++)
            if (most ? is_turn(how, i) : can_be(how, libpq.kinds[i])) {
                tried++;
                met += fail_once(world, run, i, how);
                assert_works(world, run);
            }
    printf("%zu places, %zu failures, %zu met\n", libpq.count, tried, met);
    assert_in_range(libpq.count, least, PLACES_MAX - 1);
    assert_true(met > 0 && met >= tried - tried / 4); /* timing may leave some out */
}

static void count_state(void *context, const struct dbk_migration_state *state)
{
    size_t *applied = context;

    *applied += state->applied;
}

static enum dbk_code migrate(struct world *world, struct dbk_error *err)
{
    const struct dbk_database *database = &world->database;
    size_t applied = 0;
    enum dbk_code code = dbk_migrate_up(database, NULL, NULL, err);

    if (code == DBK_OK)
        code = dbk_migrate_status(database, count_state, &applied, err);
    if (code == DBK_OK)
        assert_true(applied > 0);
    if (code == DBK_OK)
        code = dbk_migrate_down(database, applied, NULL, NULL, err);
    return code == DBK_OK ? dbk_migrate_up(database, NULL, NULL, err) : code;
}

static void migrations_go_up_and_down(void **state)
{
    struct world *world = *state;

    sweep(world, migrate, 20);
    world_start(world);
    world_catch_up(world);
    assert_posted(world);
}

/* Post all, which leaves so many set aside. Only starting it can fail. */
static enum dbk_code post_all(struct world *world, uint64_t aside,
                              struct dbk_error *err)
{
    enum dbk_code code =
        dbk_projector_start(world->log, &world->database, NULL, &world->projector, err);

    if (code != DBK_OK)
        return code;
    world_catch_up(world);
    wait_quarantined(world->projector, aside);
    world_stop(world);
    return DBK_OK;
}

/* It reconnects, and so never fails for good: all is posted, nobody is set aside but the
 * one whom the tables do refuse, and who is healed. */
static enum dbk_code project(struct world *world, struct dbk_error *err)
{
    enum dbk_code code;

    unseen(world, "truncate person, event, quarantine, checkpoint;"
                  "alter table person add constraint poison"
                  " check (email <> 'poison@x.org')");
    code = post_all(world, 1, err);
    unseen(world, "alter table person drop constraint poison");
    if (code != DBK_OK)
        return code;
    code = post_all(world, 0, err); /* starting, it tries again */
    if (code == DBK_OK)
        assert_posted(world);
    return code;
}

static void the_projector_posts_all_the_same(void **state)
{
    sweep(*state, project, 60);
}

static void wanted(enum dbk_code *code, enum dbk_code got, const struct dbk_rows *rows,
                   size_t least)
{
    *code = got;
    if (got == DBK_OK && rows->count < least)
        fail_msg("%zu rows, and it is called a success", rows->count);
}

static enum dbk_code read_all(struct world *world, struct dbk_error *err)
{
    const struct dbk_event_filter click = {.event_types_count = 1,
                                           .event_types = {dbk_slice("page_view")}},
                                  having = {.properties = dbk_slice("{\"n\": 12.50}")};
    const struct dbk_page page = {.limit = 10, .max_bytes = 1 << 20},
                          long_page = {.limit = 1000, .max_bytes = 1 << 20};
    const struct dbk_person_filter everybody = {0};
    struct dbk_uuid person = person_id(1000);
    struct dbk_read_model *model;
    struct dbk_count count = {0};
    struct dbk_rows rows = {0};
    enum dbk_code code = dbk_read_model_open(&world->database, 2, 20000, &model, err);

    if (code == DBK_OK)
        dbk_read_model_claim(model, 1);
    if (code == DBK_OK)
        wanted(&code, dbk_read_person(model, &person, 5, &rows, err), &rows, 1);
    if (code == DBK_OK)
        wanted(&code, dbk_read_persons(model, &page, &everybody, 5, &rows, err), &rows,
               3);
    if (code == DBK_OK)
        wanted(&code, dbk_read_persons(model, &long_page, &everybody, 5, &rows, err),
               &rows, 3);
    if (code == DBK_OK)
        wanted(&code, dbk_read_events(model, &page, &click, &rows, err), &rows, 10);
    if (code == DBK_OK)
        wanted(&code, dbk_read_events(model, &page, &having, &rows, err), &rows, 5);
    if (code == DBK_OK)
        wanted(&code, dbk_read_events(model, &long_page, &click, &rows, err), &rows,
               20);
    if (code == DBK_OK)
        code = dbk_count_events(model, &click, true, &count, err);
    if (code == DBK_OK && (!count.exact || count.rows < 20))
        fail_msg("%llu events, and it is called a success",
                 (unsigned long long)count.rows);
    if (code == DBK_OK)
        code = dbk_count_persons(model, &everybody, false, &count, err);
    dbk_rows_finish(&rows);
    dbk_read_model_close(model);
    return code;
}

static void post_everything(struct world *world)
{
    world_start(world);
    world_catch_up(world);
    world_stop(world);
}

static void reads_of_every_kind_are_whole_or_fail(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, read_all, 30);
}

static void see_aside(void *context, const struct dbk_quarantined *one)
{
    (void)one;
    ++*(unsigned *)context;
}

static void see_schema(void *context, const struct dbk_side_schema *one)
{
    (void)one;
    ++*(unsigned *)context;
}

static enum dbk_code look(struct world *world, struct dbk_error *err)
{
    const struct dbk_database *database = &world->database;
    struct dbk_tables_state checkpoint;
    unsigned seen = 0;
    uint64_t count;
    enum dbk_code code = dbk_tables_read(database, &checkpoint, err);

    if (code == DBK_OK)
        assert_int_equal(checkpoint.projected, world_head(world));
    if (code == DBK_OK)
        code = dbk_quarantine_list(database, 0, 10, see_aside, &seen, err);
    if (code == DBK_OK)
        code = dbk_quarantine_retry(database, &count, err);
    return code == DBK_OK ? dbk_side_schemas(database, see_schema, &seen, err) : code;
}

static void what_status_asks_is_told_or_fails(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, look, 20);
}

static enum dbk_code rebuild(struct world *world, struct dbk_error *err)
{
    const struct dbk_rebuild_options options = {.keep_old = true};
    struct dbk_rebuild_result result;
    enum dbk_code code =
        dbk_rebuild(world->log, &world->database, &options, &result, err);

    assert_posted(world); /* the new ones, or still the old ones */
    return code;
}

static void rebuilt_tables_are_the_old_ones_or_the_new_ones(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, rebuild, 60);
}

/* And back, and then what is kept is dropped. */
static enum dbk_code undo(struct world *world, struct dbk_error *err)
{
    const struct dbk_rebuild_options options = {.keep_old = true};
    const struct dbk_watch watch = {0};
    struct dbk_rebuild_result result;
    enum dbk_code code;

    not_watched = true;
    assert_int_equal(dbk_rebuild(world->log, &world->database, &options, &result, err),
                     DBK_OK);
    not_watched = false;
    code = dbk_rebuild_undo(world->log, &world->database, &watch, &result, err);
    assert_posted(world);
    return code == DBK_OK ? dbk_rebuild_drop_old(&world->database, &watch, err) : code;
}

static void a_rebuild_is_undone_or_not(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, undo, 30);
}

static enum dbk_code replay(struct world *world, struct dbk_error *err)
{
    const struct dbk_replay_options options = {
        .into = "libpq_faults_replay", .from = 20, .to = REPLAYED_TO};
    struct dbk_rebuild_result result;
    enum dbk_code code =
        dbk_replay(world->log, &world->database, &options, &result, err);

    if (code == DBK_OK)
        assert_int_equal(result.sequence, REPLAYED_TO);
    return code;
}

static void a_replay_is_made_or_fails(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, replay, 60);
}

static enum dbk_code compare(struct world *world, struct dbk_error *err)
{
    const struct dbk_compare_options options = {.most = 10};
    struct dbk_compare_result result;
    enum dbk_code code =
        dbk_compare(world->log, &world->database, &options, &result, err);

    if (code == DBK_OK)
        assert_int_equal(
            result.missing + result.extra + result.changed + result.columns, 0);
    return code;
}

static void a_comparison_is_right_or_fails(void **state)
{
    struct world *world = *state;

    post_everything(world);
    sweep(world, compare, 60);
}

static int make_world(void **state)
{
    struct world *world = world_make("libpq_faults_test");
    struct dbk_error err = {0};
    uint32_t seed = 7;

    *state = world;
    submit(world, draft_create(1000, "one@x.org"));
    submit(world, draft_record(1000, 1000, "{\"n\": 12.50}"));
    submit(world, draft_create(1001, "poison@x.org"));
    submit(world, draft_record(1001, 1001, ""));
    submit_random(world, &seed, 300);
    if (dbk_migrate_up(&world->database, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(migrations_go_up_and_down),
        IN_A_WORLD(the_projector_posts_all_the_same),
        IN_A_WORLD(reads_of_every_kind_are_whole_or_fail),
        IN_A_WORLD(what_status_asks_is_told_or_fails),
        IN_A_WORLD(rebuilt_tables_are_the_old_ones_or_the_new_ones),
        IN_A_WORLD(a_rebuild_is_undone_or_not),
        IN_A_WORLD(a_replay_is_made_or_fails),
        IN_A_WORLD(a_comparison_is_right_or_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
