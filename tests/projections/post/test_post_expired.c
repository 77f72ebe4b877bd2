/* Rows of events that are forgotten by age go, some at a time, and no others; tables that are
 * made anew have none. */
#include "post_expired.h"

#include "naive_fold.h"
#include "posting.h"
#include "projections/compare.h"
#include "projections/rebuild.h"

enum { IN_JANUARY = 4480 }; /* more than go at once */

/* What the system clock says. */
static dbk_timestamp now;
dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return now;
}

static dbk_timestamp at(const char *text)
{
    dbk_timestamp time;

    assert_true(dbk_timestamp_parse(text, strlen(text), &time));
    return time;
}

static void catch_up(struct poster *poster, const struct world *world)
{
    while (poster->projected < world_head(world))
        posting_step(poster, UINT64_MAX);
}

static void take_out(struct poster *poster)
{
    struct dbk_error err = {0};

    if (post_expired_step(poster, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void submit_events(struct world *world, uint32_t first, uint32_t count)
{
    struct dbk_command *commands[64];

    for (uint32_t i = 0; i < count; i += 64) {
        for (uint32_t k = 0; k < 64; k++)
            commands[k] = k % 2 ? draft_record(first + i + k, 1, "{\"n\": 1}")
                                : draft_anonymous(first + i + k, "kate", "");
        submit_all(world, commands, 64);
    }
}

/* Of two months; the third is now. */
static void live_two_months(struct world *world)
{
    now = at("2026-01-31T23:00:00");
    submit(world, draft_create(1, "a@x.org"));
    submit_events(world, 1, IN_JANUARY);
    now = at("2026-02-01T00:00:00");
    submit_events(world, IN_JANUARY + 1, 64);
    submit(world, draft_alias(1, "kate"));
    now = at("2026-03-02T00:00:00");
}

static void expire_january(struct world *world)
{
    struct dbk_log_expiry expiry;
    struct dbk_error err = {0};

    if (dbk_log_expire(world->log, at("2026-02-10T00:00:00"), "test", &expiry, &err) !=
        DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(expiry.through, IN_JANUARY + 1);
}

static uint64_t rows_of_events(struct world *world)
{
    return scratch_number(world->pg, "select count(*) from event");
}

static enum dbk_code compare(struct world *world, struct dbk_error *err)
{
    const struct dbk_compare_options options = {.most = 1};
    struct dbk_compare_result result;
    enum dbk_code code =
        dbk_compare(world->log, &world->database, &options, &result, err);

    if (code == DBK_OK)
        assert_int_equal(
            result.missing + result.extra + result.changed + result.statistics, 0);
    return code;
}

static void assert_only_february(struct world *world)
{
    struct dbk_error err = {0};

    assert_int_equal(rows_of_events(world), 64);
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from event where person_id is null"),
        0);
    assert_statistics_equal_a_recount(world);
    if (compare(world, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void their_rows_go_some_at_a_time(void **state)
{
    struct world *world = *state;
    struct poster poster;
    struct dbk_error err = {0};
    int steps = 0;

    live_two_months(world);
    posting_open(&poster, world, NULL);
    catch_up(&poster, world);
    assert_int_equal(rows_of_events(world), IN_JANUARY + 64);
    assert_false(poster.expiring);
    expire_january(world);
    catch_up(&poster, world);
    assert_true(poster.expiring);
    assert_int_equal(compare(world, &err), DBK_BUSY);
    assert_non_null(strstr(err.text, "expired"));
    for (uint64_t before = rows_of_events(world), after; poster.expiring;
         before = after, steps++) {
        take_out(&poster);
        after = rows_of_events(world);
        assert_true(before - after <= 2000);
    }
    assert_int_equal(steps, 4); /* the last of them finds none */
    assert_only_february(world);
    poster_finish(&poster);
}

static void a_log_that_is_posted_later_leaves_them_out(void **state)
{
    struct world *world = *state;
    struct poster poster;

    live_two_months(world);
    submit(world, draft_erase(2));
    submit(world, draft_erase(IN_JANUARY + 1));
    expire_january(world);
    posting_open(&poster, world, NULL);
    catch_up(&poster, world);
    assert_int_equal(poster.quarantined, 0);
    assert_int_equal(rows_of_events(world), 63);
    take_out(&poster);
    assert_false(poster.expiring);
    assert_int_equal(rows_of_events(world), 63);
    poster_finish(&poster);
}

static void tables_made_anew_have_none_and_say_how_many_are_left_out(void **state)
{
    struct world *world = *state;
    const struct dbk_rebuild_options options = {.keep_old = false};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    live_two_months(world);
    submit(world, draft_erase(2));
    expire_january(world);
    if (dbk_rebuild(world->log, &world->database, &options, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_false(result.slow);
    assert_int_equal(result.events, 64);
    assert_int_equal(result.expired_events, IN_JANUARY - 1);
    assert_int_equal(result.erased_events, 0);
    assert_only_february(world);
}

static void a_projector_takes_them_out_by_itself(void **state)
{
    struct world *world = *state;

    live_two_months(world);
    world_start(world);
    world_catch_up(world);
    expire_january(world);
    world_catch_up(world);
    for (int waited = 0; rows_of_events(world) > 64; waited += 10) {
        assert_true(waited < PATIENCE_MS);
        pause_10ms();
    }
    assert_only_february(world);
}

static _Atomic bool told;

static void note_told(void *context, const char *line)
{
    (void)context;
    if (strstr(line, "cannot be taken out of the read tables") && strstr(line, "kept"))
        told = true;
}

static void rows_that_are_refused_to_go_keep_nothing_from_being_posted(void **state)
{
    static const struct dbk_projector_options options = {.report = note_told};
    struct world *world = *state;

    live_two_months(world);
    world->projector = start_projector_with(world, &options);
    world_catch_up(world);
    scratch_script(world->pg,
                   "create function kept() returns trigger language plpgsql as "
                   "$$ begin raise check_violation using message = 'kept'; end $$;"
                   "create trigger kept before delete on event for each row "
                   "execute function kept()");
    expire_january(world);
    for (int waited = 0; !told; waited += 10) {
        assert_true(waited < PATIENCE_MS);
        pause_10ms();
    }
    submit(world, draft_create(2, "b@x.org"));
    world_catch_up(world);
    wait_state(world->projector, true, "following");
    scratch_script(world->pg, "drop function kept cascade");
    world_stop(world);
    world_start(world);
    for (int waited = 0; rows_of_events(world) > 64; waited += 10) {
        assert_true(waited < PATIENCE_MS);
        pause_10ms();
    }
}

/* It says nothing of these that a person's erasure would have to look for. */
static void an_erasure_goes_its_way_beside_it(void **state)
{
    struct world *world = *state;
    struct poster poster;

    live_two_months(world);
    posting_open(&poster, world, NULL);
    catch_up(&poster, world);
    expire_january(world);
    submit(world, draft_unalias(1, "kate"));
    submit(world, draft_forget(1));
    catch_up(&poster, world);
    while (poster.expiring)
        take_out(&poster);
    assert_int_equal(rows_of_events(world), 32);
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from event where person_id is null"),
        32);
    poster_finish(&poster);
}

static int make_world(void **state)
{
    struct world *world;

    now = at("2026-01-01T00:00:00");
    world = world_make_sealed("post_expired_test");
    dbk_log_close(world->log);
    world->by_month = true;
    world_open_log(world);
    *state = world;
    return 0;
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, world_teardown)
    const struct CMUnitTest tests[] = {
        ONE(their_rows_go_some_at_a_time),
        ONE(a_log_that_is_posted_later_leaves_them_out),
        ONE(tables_made_anew_have_none_and_say_how_many_are_left_out),
        ONE(a_projector_takes_them_out_by_itself),
        ONE(rows_that_are_refused_to_go_keep_nothing_from_being_posted),
        ONE(an_erasure_goes_its_way_beside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
