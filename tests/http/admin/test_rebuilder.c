/* The rebuild of a server, where what rebuilds is scripted here: so that it takes as long as
 * a test likes, tells what it likes, and ends as it likes. */
#include "check.h"
#include "scratch_dir.h"

#include "rebuilder.h"
#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define PATIENCE_MS 20000

enum dbk_code __wrap_dbk_rebuild(struct dbk_log *log,
                                 const struct dbk_database *database,
                                 const struct dbk_rebuild_options *options,
                                 struct dbk_rebuild_result *result,
                                 struct dbk_error *err);
enum dbk_code __wrap_dbk_tables_log(const struct dbk_database *database,
                                    struct dbk_uuid *store_id, uint64_t *sequence,
                                    struct dbk_error *err);

static struct {
    enum dbk_code code;  /* how it ends, */
    bool begins;         /* once it has told of a phase; */
    atomic_bool goes_on; /* and not before this is false, or it is to stop */
    const char *unit;
    uint64_t first, done, total;
    int took_ms;        /* between the two */
    bool waits_stopped; /* what its database said when it was to stop */
    bool full;
    uint64_t sequence; /* of the tables' checkpoint, */
    struct dbk_uuid tables_of;
    char notice[1200], trouble[1200]; /* under lines */
} script;
static pthread_mutex_t lines = PTHREAD_MUTEX_INITIALIZER;

static void wait_until_it_may_end(const struct dbk_rebuild_options *options,
                                  const struct dbk_database *database)
{
    const struct dbk_watch *watch = &options->watch;

    while (atomic_load(&script.goes_on) && !dbk_watch_stops(watch)) {
        watch->progress(watch->context, "loading rows", script.unit, script.done,
                        script.total);
        dbk_sleep_ms(5);
    }
    if (dbk_watch_stops(watch)) /* cmocka 2 has a macro of the name stop */
        script.waits_stopped = (database->stop)(database->stop_context);
}

enum dbk_code __wrap_dbk_rebuild(struct dbk_log *log,
                                 const struct dbk_database *database,
                                 const struct dbk_rebuild_options *options,
                                 struct dbk_rebuild_result *result,
                                 struct dbk_error *err)
{
    const struct dbk_watch *watch = &options->watch;

    (void)log;
    watch->progress(watch->context, "waiting for others", "", 0, 0);
    if (script.begins) {
        watch->progress(watch->context, "loading rows", script.unit, script.first,
                        script.total);
        if (script.took_ms)
            dbk_sleep_ms(script.took_ms);
        wait_until_it_may_end(options, database);
    }
    if (dbk_watch_stops(watch))
        return dbk_fail(err, DBK_INTERRUPTED, "interrupted while loading rows");
    if (script.code != DBK_OK)
        return dbk_fail(err, script.code, "scripted");
    *result = (struct dbk_rebuild_result){.sequence = 7, .loaded = 6};
    return DBK_OK;
}

enum dbk_code __wrap_dbk_tables_log(const struct dbk_database *database,
                                    struct dbk_uuid *store_id, uint64_t *sequence,
                                    struct dbk_error *err)
{
    (void)database, (void)err;
    *store_id = script.tables_of;
    *sequence = script.sequence;
    return DBK_OK;
}

static void note(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&lines);
    snprintf(script.notice, sizeof script.notice, "%s", line);
    pthread_mutex_unlock(&lines);
}

static void trouble(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&lines);
    snprintf(script.trouble, sizeof script.trouble, "%s", line);
    pthread_mutex_unlock(&lines);
}

static bool full(void *context, char *why, size_t size)
{
    (void)context;
    if (script.full)
        snprintf(why, size, "the rest of the disk is the log's");
    return script.full;
}

struct world {
    char dir[SCRATCH_DIR_MAX];
    struct dbk_log *log;
    struct dbk_database database;
    struct dbk_server_options options;
    struct rebuilder *rebuilder;
    struct rebuilder_status status;
    struct dbk_error err;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    memset(&script, 0, sizeof script);
    script.begins = true;
    script.unit = "records";
    scratch_dir_make(world->dir);
    assert_int_equal(dbk_log_open(world->dir, NULL, &world->log, &world->err), DBK_OK);
    world->options = (struct dbk_server_options){.database = &world->database,
                                                 .notice = note,
                                                 .report = trouble,
                                                 .tables_full = full};
    world->rebuilder = rebuilder_create(world->log, &world->options);
    assert_non_null(world->rebuilder);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    rebuilder_destroy(world->rebuilder);
    dbk_log_close(world->log);
    scratch_dir_remove(world->dir);
    free(world);
    return 0;
}

static enum dbk_code begin(struct world *world)
{
    return rebuilder_start(world->rebuilder, false, "kate", &world->err);
}

static enum rebuilder_state state_of(struct world *world)
{
    rebuilder_status(world->rebuilder, &world->status);
    return world->status.state;
}

static void await_end(struct world *world)
{
    dbk_deadline patience = dbk_deadline_in(PATIENCE_MS);

    while (state_of(world) == REBUILDER_RUNNING && dbk_deadline_left(patience) > 0)
        dbk_sleep_ms(2);
    assert_int_not_equal(world->status.state, REBUILDER_RUNNING);
}

/* The end is told once it is there to be asked for, maybe a little later. */
static void await_line(const char *line, const char *words)
{
    dbk_deadline patience = dbk_deadline_in(PATIENCE_MS);
    bool there = false;

    while (!there && dbk_deadline_left(patience) > 0) {
        pthread_mutex_lock(&lines);
        there = strstr(line, words) != NULL;
        pthread_mutex_unlock(&lines);
        if (!there)
            dbk_sleep_ms(2);
    }
    if (!there)
        fail_msg("\"%s\" is not told", words);
}

static void one_that_ends_well_has_its_result(void **state)
{
    struct world *world = *state;

    assert_int_equal(state_of(world), REBUILDER_IDLE);
    assert_int_equal(begin(world), DBK_OK);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_DONE);
    assert_int_equal(world->status.result.sequence, 7);
    assert_true(world->status.ended_at >= world->status.started_at);
    assert_string_equal(world->status.reason, "");
    await_line(script.notice, "rebuild done: the tables are new, up to record 7");
}

static void one_runs_at_a_time(void **state)
{
    struct world *world = *state;

    atomic_store(&script.goes_on, true);
    assert_int_equal(begin(world), DBK_OK);
    assert_int_equal(state_of(world), REBUILDER_RUNNING);
    assert_int_equal(begin(world), DBK_CONFLICT);
    assert_non_null(strstr(world->err.text, "begun by kate"));
    atomic_store(&script.goes_on, false);
    await_end(world);
    assert_int_equal(begin(world), DBK_OK);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_DONE);
}

static void what_is_left_is_told_of_records_once_it_can_be(void **state)
{
    struct world *world = *state;
    dbk_deadline patience = dbk_deadline_in(PATIENCE_MS);

    script.first = 100;
    script.done = 600;
    script.total = 1600;
    script.took_ms = 1100;
    atomic_store(&script.goes_on, true);
    assert_int_equal(begin(world), DBK_OK);
    assert_int_equal(state_of(world), REBUILDER_RUNNING);
    assert_false(world->status.has_left); /* it has just begun */
    while (!(state_of(world), world->status.has_left) &&
           dbk_deadline_left(patience) > 0)
        dbk_sleep_ms(2);
    /* Half of them took 1.1 s at least: so does the rest, twice as many, at least 2. */
    assert_true(world->status.has_left);
    assert_in_range(world->status.seconds_left, 2, 3600);
    assert_int_equal(world->status.done, 600);
    atomic_store(&script.goes_on, false);
    await_end(world);
    assert_false(world->status.has_left);
}

static void of_indexes_nobody_knows_what_is_left(void **state)
{
    struct world *world = *state;

    script.unit = "indexes";
    script.done = 1;
    script.total = 5;
    script.took_ms = 1100;
    atomic_store(&script.goes_on, true);
    assert_int_equal(begin(world), DBK_OK);
    while (state_of(world), world->status.done != 1)
        dbk_sleep_ms(2);
    assert_string_equal(world->status.unit, "indexes");
    assert_false(world->status.has_left);
    rebuilder_ask_stop(world->rebuilder, "kurt");
    await_end(world);
}

static void one_that_is_stopped_says_by_whom(void **state)
{
    struct world *world = *state;

    assert_false(rebuilder_ask_stop(world->rebuilder, "kurt"));
    atomic_store(&script.goes_on, true);
    assert_int_equal(begin(world), DBK_OK);
    assert_true(rebuilder_ask_stop(world->rebuilder, "kurt"));
    assert_true(rebuilder_ask_stop(world->rebuilder, "another") ||
                state_of(world) == REBUILDER_STOPPED);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_STOPPED);
    assert_string_equal(world->status.reason, "stopped by kurt");
    assert_false(script.waits_stopped); /* what was begun can still be dropped */
    atomic_store(&script.goes_on, false);
    assert_int_equal(begin(world), DBK_OK); /* the stop was that one's */
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_DONE);
}

static void one_that_fails_says_why(void **state)
{
    struct world *world = *state;

    script.code = DBK_UNAVAILABLE;
    assert_int_equal(begin(world), DBK_OK);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_FAILED);
    assert_string_equal(world->status.reason, "scripted");
    await_line(script.trouble, "rebuild failed, and nothing was changed: scripted");
}

static void it_ends_before_it_takes_the_logs_part_of_the_disk(void **state)
{
    struct world *world = *state;

    atomic_store(&script.goes_on, true);
    script.full = true;
    assert_int_equal(begin(world), DBK_OK);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_FAILED);
    assert_string_equal(world->status.reason, "the rest of the disk is the log's");
}

static void what_keeps_it_from_beginning_is_told_at_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(begin(world), DBK_OK);
    await_end(world);
    script.begins = false;
    script.code = DBK_BUSY; /* another process's has the schema */
    assert_int_equal(begin(world), DBK_CONFLICT);
    assert_string_equal(world->err.text, "scripted");
    script.code = DBK_UNAVAILABLE;
    assert_int_equal(begin(world), DBK_UNAVAILABLE);
    pthread_mutex_lock(&lines);
    assert_string_equal(script.trouble, ""); /* who asked was told */
    pthread_mutex_unlock(&lines);
    assert_int_equal(state_of(world), REBUILDER_DONE); /* the one before */
}

static void what_may_be_all_that_is_left_is_not_replaced(void **state)
{
    struct world *world = *state;

    script.sequence = 9;
    script.tables_of = dbk_uuid_new();
    assert_int_equal(begin(world), DBK_CONFLICT); /* this log is empty */
    assert_non_null(strstr(world->err.text, "daybook rebuild --force"));
    script.tables_of = dbk_log_store_id(world->log);
    assert_int_equal(begin(world), DBK_CONFLICT);
    assert_int_equal(state_of(world), REBUILDER_IDLE);
}

static void none_begins_once_the_server_ends(void **state)
{
    struct world *world = *state;

    atomic_store(&script.goes_on, true);
    assert_int_equal(begin(world), DBK_OK);
    rebuilder_close(world->rebuilder);
    await_end(world);
    assert_int_equal(world->status.state, REBUILDER_STOPPED);
    assert_int_equal(begin(world), DBK_INTERRUPTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(one_that_ends_well_has_its_result),
        TEST(one_runs_at_a_time),
        TEST(what_is_left_is_told_of_records_once_it_can_be),
        TEST(of_indexes_nobody_knows_what_is_left),
        TEST(one_that_is_stopped_says_by_whom),
        TEST(one_that_fails_says_why),
        TEST(it_ends_before_it_takes_the_logs_part_of_the_disk),
        TEST(what_keeps_it_from_beginning_is_told_at_once),
        TEST(what_may_be_all_that_is_left_is_not_replaced),
        TEST(none_begins_once_the_server_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
