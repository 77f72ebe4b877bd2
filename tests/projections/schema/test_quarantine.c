/* What cannot be applied sets one person aside, and heals from the log. */
#include "faults/wrapped_log_read.h"
#include "naive_fold.h"

#include <stdatomic.h>

/* A record that decoding is to fail for; 0: none. */
static _Atomic uint64_t unreadable;

enum dbk_code __real_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);
enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);

enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err)
{
    enum dbk_code code = __real_dbk_record_decode(bytes, length, out, err);

    if (code == DBK_OK && unreadable && out->sequence == unreadable)
        return dbk_fail(err, DBK_UNSUPPORTED, "a record of format 2");
    return code;
}

/* How many records a read of the log may give; 0: as many as are wanted. */
static _Atomic size_t records_at_once;

/* Reads of what is old in the log: one in the midst of them is held up. */
static struct {
    struct dbk_projector *_Atomic projector;
    _Atomic uint64_t old; /* this sequence and those before it */
    _Atomic uint64_t wanted;
    _Atomic unsigned reads;
    atomic_bool held, posted; /* wanted was posted before one of these reads */
} watched;

static void watch_read(void)
{
    struct dbk_projector_status status;

    dbk_projector_status(watched.projector, &status);
    if (watched.wanted && status.projected >= watched.wanted)
        watched.posted = true;
    if (++watched.reads != 20)
        return;
    watched.held = true;
    while (watched.held)
        pause_10ms();
}

enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    size_t most = records_at_once;

    if (watched.projector && after < watched.old)
        watch_read();
    return __real_dbk_log_read(log, after,
                               most && most < max_records ? most : max_records,
                               max_bytes, batch, err);
}

struct seen {
    unsigned count;
    struct dbk_quarantined last;
    char reason[512];
};

static void see(void *context, const struct dbk_quarantined *one)
{
    struct seen *seen = context;

    seen->count++;
    seen->last = *one;
    snprintf(seen->reason, sizeof seen->reason, "%s", one->reason);
}

static struct seen list(const struct world *world)
{
    struct seen seen = {0};

    assert_int_equal(dbk_quarantine_list(&world->database, 0, 100, see, &seen, NULL),
                     DBK_OK);
    return seen;
}

static void retry_all(const struct world *world, uint64_t expected)
{
    uint64_t count;

    assert_int_equal(dbk_quarantine_retry(&world->database, &count, NULL), DBK_OK);
    assert_int_equal(count, expected);
}

static void wait_none(struct world *world, const char *count)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        if (scratch_number(world->pg, count) == 0)
            return;
        pause_10ms();
    }
    fail_msg("not zero: %s", count);
}

/* Wait until no retry is under way. */
static void wait_retried(struct world *world)
{
    wait_none(world, "select count(*) from quarantine where retry");
}

/* PostgreSQL refuses persons with this email from now on. */
static void poison(struct world *world)
{
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org') not valid");
}

static void cure(struct world *world)
{
    scratch_script(world->pg, "alter table person drop constraint poison");
}

static void start_empty(struct world *world)
{
    submit(world, draft_create(1, "first@x.org"));
    world_start(world);
    world_catch_up(world);
}

static void a_refused_record_sets_only_its_person_aside(void **state)
{
    struct world *world = *state;
    struct dbk_command *commands[300];
    struct dbk_uuid poisoned = person_id(150);
    struct seen seen;
    char email[32];

    start_empty(world);
    poison(world);
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(email, sizeof email, "p%u@x.org", i);
        commands[i] = draft_create(100 + i, i == 50 ? "poison@x.org" : email);
    }
    submit_all(world, commands, 300);
    submit(world, draft_record(1, 150, ""));
    submit(world, draft_record(2, 151, ""));
    world_catch_up(world);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 300);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 1);
    seen = list(world);
    assert_int_equal(seen.count, 1);
    assert_true(seen.last.has_person);
    assert_true(dbk_uuid_equal(&seen.last.person_id, &poisoned));
    assert_int_equal(seen.last.sequence, 52);
    assert_non_null(strstr(seen.reason, "poison"));
    wait_quarantined(world->projector, 1);
}

static void a_retry_heals_from_the_log(void **state)
{
    struct world *world = *state;

    start_empty(world);
    poison(world);
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_email(1, "poison@x.org"));
    world_catch_up(world); /* in one batch with the next email it would not be seen */
    submit(world, draft_record(2, 1, ""));
    submit(world, draft_erase(1));
    submit(world, draft_email(1, "late@x.org"));
    submit(world, draft_create(2, "poison@x.org"));
    submit(world, draft_record(3, 2, ""));
    world_catch_up(world);
    wait_quarantined(world->projector, 2);
    retry_all(world, 2);
    wait_retried(world);
    wait_quarantined(world->projector, 1); /* the first has another email by now */
    cure(world);
    retry_all(world, 1);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
    submit(world, draft_email(2, "after@x.org"));
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void one_by_one(struct world *world, struct dbk_command **commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        submit(world, commands[i]);
        world_catch_up(world);
    }
}

static void a_retry_takes_deleted_persons_out(void **state)
{
    struct world *world = *state;
    struct dbk_command *commands[] = {
        draft_create(2, "poison@x.org"), draft_record(1, 2, ""), draft_delete(2),
        draft_create(3, "poison@x.org"), draft_record(2, 3, ""), draft_delete(3),
    };

    start_empty(world);
    poison(world);
    one_by_one(world, commands, sizeof commands / sizeof commands[0]);
    wait_quarantined(world->projector, 2);
    retry_all(world, 2);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void some_heal_while_others_do_not(void **state)
{
    struct world *world = *state;
    struct dbk_command *commands[64];
    char email[32];

    start_empty(world);
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email !~ 'bad') not valid");
    for (uint32_t i = 0; i < 32; i++) {
        snprintf(email, sizeof email, "%s%u@x.org", i % 8 == 3 ? "bad" : "good-bad", i);
        commands[i] = draft_create(10 + i, email);
        commands[32 + i] = draft_record(i, 10 + i, "{\"a\": 1}");
    }
    one_by_one(world, commands, 32);
    submit_all(world, commands + 32, 32);
    world_catch_up(world);
    wait_quarantined(world->projector, 32);
    cure(world);
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email !~ '^bad') not valid");
    retry_all(world, 32);
    wait_retried(world);
    wait_quarantined(world->projector, 4);
    cure(world);
    retry_all(world, 4);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void everyone_is_tried_once_when_the_projector_starts(void **state)
{
    struct world *world = *state;

    start_empty(world);
    poison(world);
    submit(world, draft_create(2, "poison@x.org"));
    world_catch_up(world);
    world_stop(world);
    world_start(world);
    wait_quarantined(world->projector, 1);
    world_stop(world);
    cure(world);
    world_start(world);
    wait_none(world, "select count(*) from quarantine");
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void a_retry_goes_no_further_than_the_checkpoint(void **state)
{
    struct world *world = *state;

    start_empty(world);
    poison(world);
    submit(world, draft_create(2, "poison@x.org"));
    world_catch_up(world);
    wait_quarantined(world->projector, 1);
    world_stop(world);
    cure(world);
    for (uint32_t i = 0; i < 100; i++)
        submit(world, draft_record(i, 2, ""));
    records_at_once = 7;
    world_start(world);
    world_catch_up(world);
    wait_none(world, "select count(*) from quarantine");
    assert_tables_equal_the_log(world);
}

static void others_are_followed_while_somebody_is_looked_for(void **state)
{
    struct world *world = *state;

    start_empty(world);
    poison(world);
    submit(world, draft_create(2, "poison@x.org"));
    for (uint32_t i = 0; i < 100; i++)
        submit(world, draft_record(i, 1 + i % 50 / 49, ""));
    world_catch_up(world);
    wait_quarantined(world->projector, 1);
    cure(world);
    records_at_once = 1;
    watched.old = world_head(world);
    watched.projector = world->projector;
    retry_all(world, 1);
    for (int waited = 0; !watched.held && waited < PATIENCE_MS; waited += 10)
        pause_10ms();
    submit(world, draft_record(1000, 1, ""));
    watched.wanted = world_head(world);
    watched.held = false;
    wait_quarantined(world->projector, 0);
    watched.projector = NULL;
    assert_true(watched.posted);
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

static void a_missing_row_is_not_passed_over(void **state)
{
    struct world *world = *state;

    start_empty(world);
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_create(3, "c@x.org"));
    submit(world, draft_record(1, 3, ""));
    world_catch_up(world);
    scratch_script(world->pg, "delete from person where email <> 'c@x.org';"
                              "delete from event");
    submit(world, draft_email(1, "a2@x.org"));
    submit(world, draft_delete(2));
    submit(world, draft_erase(1));
    world_catch_up(world);
    wait_quarantined(world->projector, 3);
    assert_non_null(strstr(list(world).reason, "no row"));
    retry_all(world, 3);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void what_a_trigger_raises_is_the_data_s_fault(void **state)
{
    struct world *world = *state;

    start_empty(world);
    scratch_script(world->pg,
                   "create function refuse() returns trigger language plpgsql as"
                   " $$ begin raise exception 'refused by hand'; end $$;"
                   "create trigger refuse before insert on event for each row"
                   " when (new.event_type = 'page_view') execute function refuse()");
    submit(world, draft_record(1, 1, ""));
    world_catch_up(world);
    assert_non_null(strstr(list(world).reason, "refused by hand"));
}

static void an_unreadable_record_is_kept_for_later(void **state)
{
    struct world *world = *state;
    struct seen seen;

    start_empty(world);
    submit(world, draft_create(2, "b@x.org"));
    world_catch_up(world);
    unreadable = 3;
    submit(world, draft_email(2, "early@x.org"));
    submit(world, draft_record(1, 2, ""));
    submit(world, draft_email(2, "late@x.org"));
    submit(world, draft_record(2, 1, ""));
    world_catch_up(world);
    seen = list(world);
    assert_int_equal(seen.count, 1);
    assert_false(seen.last.has_person);
    assert_int_equal(seen.last.sequence, 3);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 2);
    retry_all(world, 1);
    wait_retried(world);
    wait_quarantined(world->projector, 1);
    unreadable = 0;
    retry_all(world, 1);
    wait_quarantined(world->projector, 0);
    assert_tables_equal_the_log(world);
}

static void whoever_takes_the_tables_over_knows_who_is_set_aside(void **state)
{
    struct world *world = *state;
    uint64_t asked;

    start_empty(world);
    poison(world);
    submit(world, draft_create(2, "poison@x.org"));
    world_catch_up(world);
    world->second = start_projector(world);
    wait_state(world->second, false, "held");
    world_stop(world);
    submit(world, draft_record(1000, 2, ""));
    wait_posted(world->second, world_head(world));
    wait_quarantined(world->second, 1);
    cure(world);
    /* Whoever takes over tries them once by itself, and may be doing so just now. */
    assert_int_equal(dbk_quarantine_retry(&world->database, &asked, NULL), DBK_OK);
    for (uint32_t i = 0; i < 300; i++)
        submit(world, draft_record(i, 2, ""));
    wait_quarantined(world->second, 0);
    wait_posted(world->second, world_head(world));
    assert_tables_equal_the_log(world);
}

static int make_world(void **state)
{
    unreadable = 0;
    records_at_once = 0;
    *state = world_make("quarantine_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_refused_record_sets_only_its_person_aside),
        IN_A_WORLD(a_retry_heals_from_the_log),
        IN_A_WORLD(a_retry_takes_deleted_persons_out),
        IN_A_WORLD(some_heal_while_others_do_not),
        IN_A_WORLD(everyone_is_tried_once_when_the_projector_starts),
        IN_A_WORLD(a_retry_goes_no_further_than_the_checkpoint),
        IN_A_WORLD(others_are_followed_while_somebody_is_looked_for),
        IN_A_WORLD(a_missing_row_is_not_passed_over),
        IN_A_WORLD(what_a_trigger_raises_is_the_data_s_fault),
        IN_A_WORLD(an_unreadable_record_is_kept_for_later),
        IN_A_WORLD(whoever_takes_the_tables_over_knows_who_is_set_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
