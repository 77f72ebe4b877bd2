/* What PostgreSQL refuses, with whatever SQLSTATE, and what takes it too long: told to be
 * the record's, or not. */
#include "post_retry.h"

#include "naive_fold.h"
#include "posting.h"

enum { STEPS_MAX = 200 };

static char said[1024];

static void on_report(void *context, const char *line)
{
    (void)context;
    snprintf(said, sizeof said, "%s", line);
}

static void open_poster(struct poster *poster, struct world *world)
{
    const struct poster_calls calls = {.report = on_report};

    *said = '\0';
    posting_open(poster, world, &calls);
}

/* Until all is posted, or so many steps have failed: the last failure is in err. */
static bool follow(struct poster *poster, struct world *world, int failures,
                   struct dbk_error *err)
{
    for (int i = 0; i < STEPS_MAX && poster->projected < world_head(world); i++) {
        if (poster_step(poster, UINT64_MAX, err) == DBK_OK)
            continue;
        if (failures-- == 0)
            return false;
        pg_close(poster->pg);
        poster->pg = NULL;
        posting_begin(poster, world);
    }
    return poster->projected == world_head(world);
}

/* Raise the SQLSTATE at each change of these rows, or where they are committed. */
static void refuse_when(struct world *world, const char *sqlstate, const char *email,
                        const char *when)
{
    char sql[1024];

    snprintf(
        sql, sizeof sql,
        "create or replace function refuse() returns trigger language plpgsql as $$"
        "begin if new.email like '%s' then raise sqlstate '%s'"
        " using message = 'not this one'; end if; return new; end $$;"
        "create %s for each row execute function refuse()",
        email, sqlstate, when);
    scratch_script(world->pg, sql);
}

static void refuse(struct world *world, const char *sqlstate, const char *email)
{
    refuse_when(world, sqlstate, email,
                "or replace trigger refuse before insert or update on person");
}

static void submit_some(struct world *world)
{
    char email[64];

    for (unsigned i = 1; i <= 12; i++) {
        snprintf(email, sizeof email, i == 7 ? "that@x.org" : "a%u@x.org", i);
        submit(world, draft_create(i, email));
        submit(world, draft_record(i, i, "{\"n\": 1}"));
    }
}

static void a_refusal_of_one_record_sets_its_person_aside(void **state)
{
    /* Of the data, of what is not there, of rights, of locks and room, of the session, of
     * nothing that anybody knows. */
    static const char *const states[] = {"22P05", "0A000", "42P01", "42501", "25006",
                                         "XX000", "F0000", "HV000", "ZZ999", "38001",
                                         "53100", "40001", "55P03", "57014", "3D000",
                                         "08006", "57P01", "57P03", "26000"};

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct world *world = world_make("post_trouble");
        struct dbk_error err = {0};
        struct poster poster;

        open_poster(&poster, world);
        submit_some(world);
        refuse(world, states[i], "that%");
        if (!follow(&poster, world, 60, &err))
            fail_msg("%s: %s", states[i], err.text);
        assert_int_equal(poster.quarantined, 1);
        assert_non_null(strstr(said, states[i]));
        assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 11);
        assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 11);
        poster_finish(&poster);
        world_end(world);
    }
    (void)state;
}

static void what_is_refused_of_everybody_sets_nobody_aside(void **state)
{
    static const char *const states[] = {"P0001", "22023", "42501", "XX000", "53100"};

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct world *world = world_make("post_trouble");
        struct dbk_error err = {0};
        struct poster poster;

        open_poster(&poster, world);
        submit_some(world);
        refuse(world, states[i], "%");
        assert_false(follow(&poster, world, 15, &err));
        assert_non_null(strstr(err.text, "nobody is set aside"));
        assert_non_null(strstr(err.text, states[i]));
        assert_int_equal(poster.quarantined, 0);
        assert_int_equal(scratch_number(world->pg, "select count(*) from quarantine"),
                         0);
        scratch_script(world->pg, "drop function refuse cascade");
        assert_true(follow(&poster, world, 0, &err));
        assert_tables_equal_the_log(world);
        poster_finish(&poster);
        world_end(world);
    }
    (void)state;
}

static void what_is_refused_at_the_commit_is_told_apart_as_well(void **state)
{
    static const char at_the_commit[] =
        "constraint trigger refuse after insert or update"
        " on person deferrable initially deferred";
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;

    open_poster(&poster, world);
    submit_some(world);
    refuse_when(world, "P0001", "%", at_the_commit);
    assert_false(follow(&poster, world, 15, &err));
    assert_non_null(strstr(err.text, "nobody is set aside"));
    assert_int_equal(poster.quarantined, 0);
    scratch_script(world->pg, "drop function refuse cascade");
    refuse_when(world, "P0001", "that%", at_the_commit);
    assert_true(follow(&poster, world, 0, &err));
    assert_int_equal(poster.quarantined, 1);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 11);
    poster_finish(&poster);
}

static void what_passes_by_itself_sets_nobody_aside(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;

    open_poster(&poster, world);
    submit_some(world);
    refuse(world, "40001", "that%");
    assert_false(follow(&poster, world, 4, &err));
    scratch_script(world->pg, "drop function refuse cascade");
    assert_true(follow(&poster, world, 0, &err));
    assert_int_equal(poster.quarantined, 0);
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
}

static void who_is_aside_stays_so_whatever_a_retry_meets(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;
    struct post_retry retry;
    int failed = 0;

    open_poster(&poster, world);
    submit_some(world);
    refuse(world, "22023", "that%");
    assert_true(follow(&poster, world, 0, &err));
    assert_int_equal(poster.quarantined, 1);
    refuse(world, "53100", "that%");
    post_retry_init(&retry, &poster);
    assert_int_equal(post_retry_begin(&retry, true, &err), DBK_OK);
    for (int i = 0; i < STEPS_MAX && post_retry_pending(&retry); i++)
        failed += post_retry_step(&retry, &err) != DBK_OK; /* it may yet pass */
    assert_int_equal(failed, POST_PATIENT_TRIES - 1);
    assert_false(post_retry_pending(&retry));
    assert_int_equal(scratch_number(world->pg, "select count(*) from quarantine"
                                               " where reason like '%53100%'"),
                     1);
    scratch_script(world->pg, "drop function refuse cascade");
    assert_int_equal(post_retry_begin(&retry, true, &err), DBK_OK);
    while (post_retry_pending(&retry))
        assert_int_equal(post_retry_step(&retry, &err), DBK_OK);
    assert_tables_equal_the_log(world);
    post_retry_finish(&retry);
    poster_finish(&poster);
}

/* Each row of events that is deleted takes its time. */
static void make_slow(struct world *world)
{
    scratch_script(world->pg,
                   "create function slow() returns trigger language plpgsql as"
                   " $$begin perform pg_sleep(0.04); return old; end $$;"
                   "create trigger slow before delete on event for each row"
                   " execute function slow()");
}

static void submit_a_person_with_many_events(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    for (unsigned i = 0; i < 20; i++)
        submit(world, draft_record(i, 1, ""));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_delete(1));
    submit(world, draft_create(3, "c@x.org"));
}

static void what_takes_long_is_given_longer_and_named(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;

    open_poster(&poster, world);
    submit_a_person_with_many_events(world);
    while (poster.projected < 22)
        assert_int_equal(poster_step(&poster, 22, &err), DBK_OK);
    make_slow(world);
    poster.trouble.usual_ms = poster.trouble.patience_ms = 100;
    assert_false(
        follow(&poster, world, 1, &err)); /* half, and twice the time: too slow */
    assert_non_null(strstr(err.text, "record 23 (person.deleted of person "));
    /* How often depends on the machine: each time it gets twice as long. */
    assert_true(follow(&poster, world, 15, &err));
    assert_int_equal(poster.quarantined, 0);
    assert_int_equal(poster.trouble.patience_ms, 100); /* what follows is as ever */
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
}

static void a_retry_that_takes_long_is_given_longer(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;
    struct post_retry retry;

    open_poster(&poster, world);
    submit_a_person_with_many_events(world);
    while (poster.projected < 22)
        assert_int_equal(poster_step(&poster, 22, &err), DBK_OK);
    scratch_script(world->pg, "insert into quarantine (sequence, person_id, reason)"
                              " select sequence, id, 'by hand' from person limit 1");
    make_slow(world);
    poster.trouble.usual_ms = poster.trouble.patience_ms = 100;
    assert_int_equal(poster_load(&poster, &err), DBK_OK);
    post_retry_init(&retry, &poster);
    assert_int_equal(post_retry_begin(&retry, true, &err), DBK_OK);
    for (int i = 0; i < STEPS_MAX && post_retry_pending(&retry); i++)
        assert_int_equal(post_retry_step(&retry, &err), DBK_OK);
    assert_int_equal(poster.quarantined, 0);
    post_retry_finish(&retry);
    poster_finish(&poster);
}

static int make(void **state)
{
    *state = world_make("post_trouble");
    return 0;
}

static int destroy(void **state)
{
    world_end(*state);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_of_one_record_sets_its_person_aside),
        cmocka_unit_test(what_is_refused_of_everybody_sets_nobody_aside),
        IN_A_WORLD(what_is_refused_at_the_commit_is_told_apart_as_well),
        IN_A_WORLD(what_passes_by_itself_sets_nobody_aside),
        IN_A_WORLD(who_is_aside_stays_so_whatever_a_retry_meets),
        IN_A_WORLD(what_takes_long_is_given_longer_and_named),
        IN_A_WORLD(a_retry_that_takes_long_is_given_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
