/* Records that cannot be loaded, and a PostgreSQL that goes away in the middle. */
#include "naive_fold.h"
#include "projections/rebuild.h"
#include "random_commands.h"
#include "watched.h"

/* A record that decoding is to fail for; 0: none. */
static uint64_t unreadable;

enum dbk_code __real_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);
enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);

enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err)
{
    enum dbk_code code = __real_dbk_record_decode(bytes, length, out, err);

    if (code == DBK_OK && unreadable && out->sequence == unreadable)
        return dbk_fail(err, DBK_DAMAGED, "this one was damaged");
    return code;
}

static struct dbk_rebuild_result rebuild(struct world *world, struct watched *watched)
{
    const struct dbk_rebuild_options options = {.watch = watch_with(watched)};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (dbk_rebuild(world->log, &world->database, &options, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return result;
}

/* As the projector alone has them: posted from the first record, never rebuilt. */
static char *posted_lines(struct world *world)
{
    char *lines;

    scratch_script(world->pg, "drop schema if exists rebuild_faults_test cascade");
    world_start(world);
    world_catch_up(world);
    world_stop(world);
    lines = actual_lines(world);
    return lines;
}

static char *quarantine_lines(struct world *world)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    lines_of(world->pg,
             "select concat_ws('|', sequence, person_id, reason) from quarantine"
             " order by sequence",
             out);
    fclose(out);
    return text;
}

/* Rebuilt, the tables and who is in quarantine are as the projector alone has them. */
static void assert_as_posted(struct world *world, const char *says,
                             uint64_t quarantined)
{
    char *posted = posted_lines(world), *aside = quarantine_lines(world);
    struct watched watched = {0};
    struct dbk_rebuild_result result = rebuild(world, &watched);
    char *rebuilt = actual_lines(world), *rebuilt_aside = quarantine_lines(world);

    assert_true(result.slow);
    assert_int_equal(result.quarantined, quarantined);
    assert_non_null(strstr(watched.lines, "cannot be loaded at once"));
    if (!strstr(watched.lines, says))
        fail_msg("it says: %s", watched.lines);
    assert_string_equal(rebuilt, posted);
    assert_string_equal(rebuilt_aside, aside);
    free(posted);
    free(aside);
    free(rebuilt);
    free(rebuilt_aside);
}

static void what_postgres_refuses_sets_its_person_aside(void **state)
{
    struct world *world = *state;
    uint32_t seed = 1;

    submit_random(world, &seed, 300);
    submit(world, draft_create(1001, "one@x.org"));
    submit(world, draft_create(1002, "two@x.org"));
    submit(world, draft_record(2001, 1001, "{\"a\": 1e999999}"));
    submit(world, draft_record(2002, 1001, "{\"a\": 1}"));
    submit(world, draft_record(2003, 1002, "{\"a\": 1}"));
    submit(world, draft_record(2004, 1002, "{\"a\": \"\\u0000\"}"));
    submit_random(world, &seed, 300);
    assert_as_posted(world, "PostgreSQL", 2);
}

static void an_unreadable_record_sets_itself_aside(void **state)
{
    struct world *world = *state;
    uint32_t seed = 2;

    submit(world, draft_create(1001, "one@x.org"));
    unreadable = submit(world, draft_record(2001, 1001, ""));
    submit(world, draft_record(2002, 1001, ""));
    submit_random(world, &seed, 300);
    assert_as_posted(world, "this one was damaged", 1);
}

/* Whose person.created cannot be read: all that comes after contradicts. */
static void a_person_without_a_beginning_is_set_aside(void **state)
{
    struct world *world = *state;
    uint32_t seed = 3;

    unreadable = submit(world, draft_create(1001, "one@x.org"));
    submit(world, draft_record(2001, 1001, ""));
    submit(world, draft_email(1001, "two@x.org"));
    submit(world, draft_record(2002, 1001, ""));
    submit_random(world, &seed, 300);
    assert_as_posted(world, "this one was damaged", 2);
}

static void whoever_is_healed_by_it_is_out_of_quarantine(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};

    submit(world, draft_create(1, "one@x.org"));
    world_start(world);
    world_catch_up(world);
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org') not valid");
    submit(world, draft_email(1, "poison@x.org"));
    world_catch_up(world);
    wait_quarantined(world->projector, 1);
    assert_false(rebuild(world, &watched).slow);
    wait_quarantined(world->projector, 0);
    submit(world, draft_email(1, "two@x.org"));
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

struct killing {
    struct world *world;
    struct watched watched;
    const char *phase;
    uint32_t seed;
};

/* Once the phase has come, all connections of the rebuild are cut. */
static void kill_in_phase(void *context)
{
    struct killing *killing = context;

    if (!strcmp(killing->watched.phase,
                "analyzing")) /* there is something to catch up */
        submit_random(killing->world, &killing->seed, 60);
    if (!strcmp(killing->watched.phase, killing->phase))
        scratch_number(killing->world->pg,
                       "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                       " where application_name = 'daybook rebuild'"
                       " and datname = current_database()");
}

static void cut_off_in_any_phase_it_fails_and_can_be_run_again(void **state)
{
    static const char *const phases[] = {"reading the log",     "loading the tables",
                                         "counting the events", "making indexes",
                                         "analyzing",           "catching up"};
    struct world *world = *state;
    struct dbk_rebuild_result result;
    uint32_t seed = 4;

    submit_random(world, &seed, 600);
    rebuild(world, &(struct watched){0});
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        struct killing killing = {.world = world, .phase = phases[i]};
        struct dbk_rebuild_options options;
        struct dbk_error err = {0};

        killing.watched.meanwhile = kill_in_phase;
        killing.watched.context = &killing;
        options = (struct dbk_rebuild_options){.watch = watch_with(&killing.watched)};
        assert_int_equal(
            dbk_rebuild(world->log, &world->database, &options, &result, &err),
            DBK_UNAVAILABLE);
        rebuild(world, &(struct watched){0});
        assert_tables_equal_the_log(world);
    }
}

static int make_world(void **state)
{
    unreadable = 0;
    *state = world_make("rebuild_faults_test");
    return 0;
}

static int end_world(void **state)
{
    unreadable = 0;
    world_end(*state);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_postgres_refuses_sets_its_person_aside),
        IN_A_WORLD(an_unreadable_record_sets_itself_aside),
        IN_A_WORLD(a_person_without_a_beginning_is_set_aside),
        IN_A_WORLD(whoever_is_healed_by_it_is_out_of_quarantine),
        IN_A_WORLD(cut_off_in_any_phase_it_fails_and_can_be_run_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
