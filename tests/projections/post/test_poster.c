/* The engine that posts, without a thread around it. */
#include "post_retry.h"

#include "naive_fold.h"
#include "posting.h"

/* What a poster has told, and what it is told. */
struct heard {
    int moved;
    uint64_t at; /* where it was when it told so last */
    const struct poster *poster;
    char line[512];
    bool stop;
};

static void on_report(void *context, const char *line)
{
    struct heard *heard = context;

    snprintf(heard->line, sizeof heard->line, "%s", line);
}

static void on_moved(void *context)
{
    struct heard *heard = context;

    heard->moved++;
    heard->at = heard->poster->projected;
}

static bool is_to_stop(void *context)
{
    const struct heard *heard = context;

    return heard->stop;
}

static void open_heard(struct poster *poster, struct world *world, struct heard *heard)
{
    const struct poster_calls calls = {on_report, on_moved, is_to_stop, heard};

    *heard = (struct heard){.poster = poster};
    posting_open(poster, world, &calls);
    heard->moved = 0; /* it has told where the tables are */
}

static void submit_some(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_record(1, 1, "{\"n\": 1}"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_email(1, "c@x.org"));
    submit(world, draft_delete(2));
}

static void it_follows_a_log_step_by_step(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    submit_some(world);
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(poster.projected, world_head(world));
    assert_tables_equal_the_log(world);
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(poster.batch.count, 0);
    submit(world, draft_erase(1));
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(poster.batch.count, 1);
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
}

/* As behind a pooler that has given the connection somebody else's session, with tables of
 * our names in it. */
static void in_a_session_that_is_not_its_own_it_does_nothing(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    struct poster poster;

    posting_open(&poster, world, NULL);
    submit_some(world);
    posting_step(&poster, UINT64_MAX);
    scratch_script(world->pg,
                   "drop schema if exists poster_other cascade;"
                   "create schema poster_other;"
                   "create table poster_other.person as table person;"
                   "create table poster_other.event as table event;"
                   "create table poster_other.quarantine as table quarantine;"
                   "create table poster_other.checkpoint as table checkpoint");
    scratch_script(poster.pg, "set search_path = poster_other");
    submit(world, draft_create(3, "d@x.org"));
    submit(world, draft_delete(1));
    assert_int_equal(poster_step(&poster, UINT64_MAX, &err), DBK_UNAVAILABLE);
    assert_non_null(strstr(err.text, "another session"));
    assert_int_equal(
        scratch_number(world->pg, "select count(*) from poster_other.person"), 1);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 1);
    scratch_script(world->pg, "drop schema poster_other cascade");
    poster_finish(&poster);
    posting_open(&poster, world, NULL);
    posting_step(&poster, UINT64_MAX);
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
}

static void a_step_goes_no_further_than_it_is_told(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    submit_some(world);
    posting_step(&poster, 2);
    assert_int_equal(poster.projected, 2);
    assert_int_equal(scratch_number(world->pg, "select sequence from checkpoint"), 2);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 1);
    poster_finish(&poster);
}

static void it_tells_where_it_has_moved(void **state)
{
    struct world *world = *state;
    struct poster poster;
    struct heard heard;

    open_heard(&poster, world, &heard);
    submit_some(world);
    posting_step(&poster, 3);
    assert_int_equal(heard.moved, 1);
    assert_int_equal(heard.at, 3);
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(heard.moved, 2);
    assert_int_equal(heard.at, world_head(world));
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(heard.moved, 2);
    poster_finish(&poster);
}

static void what_another_has_posted_it_does_not_post_again(void **state)
{
    struct world *world = *state;
    struct poster poster, other;

    posting_open(&poster, world, NULL);
    posting_open(&other, world, NULL);
    submit_some(world);
    posting_step(&other, 3);
    assert_int_equal(poster_step(&poster, UINT64_MAX, NULL), DBK_MOVED);
    assert_int_equal(poster.projected, 0);
    assert_int_equal(poster_load(&poster, NULL), DBK_OK);
    assert_int_equal(poster.projected, 3);
    posting_step(&poster, UINT64_MAX);
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
    poster_finish(&other);
}

/* Person 2 is refused, and set aside at record 2. */
static void poison(struct poster *poster, struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "poison@x.org"));
    submit(world, draft_record(1, 2, ""));
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org')");
    posting_step(poster, UINT64_MAX);
    assert_int_equal(poster->quarantined, 1);
    assert_int_equal(poster->projected, 3);
}

static void it_tells_who_is_set_aside(void **state)
{
    struct world *world = *state;
    struct poster poster;
    struct heard heard;

    open_heard(&poster, world, &heard);
    poison(&poster, world);
    assert_non_null(strstr(heard.line, "record 2 cannot be applied"));
    assert_int_equal(heard.at, 3);
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 1);
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 0);
    poster_finish(&poster);
}

static enum dbk_code retry_all(struct poster *poster)
{
    struct post_retry retry;
    enum dbk_code code;

    post_retry_init(&retry, poster);
    code = post_retry_begin(&retry, true, NULL);
    while (code == DBK_OK && post_retry_pending(&retry))
        code = post_retry_step(&retry, NULL);
    post_retry_finish(&retry);
    return code;
}

static void where_it_is_to_stop_a_retry_changes_nothing(void **state)
{
    struct world *world = *state;
    struct poster poster;
    struct heard heard;

    open_heard(&poster, world, &heard);
    poison(&poster, world);
    scratch_script(world->pg, "alter table person drop constraint poison");
    heard.stop = true;
    assert_int_equal(retry_all(&poster), DBK_UNAVAILABLE);
    assert_int_equal(scratch_number(world->pg, "select count(*) from quarantine"), 1);
    assert_int_equal(poster.quarantined, 1);
    heard.stop = false;
    assert_int_equal(retry_all(&poster), DBK_OK);
    assert_int_equal(poster.quarantined, 0);
    assert_non_null(strstr(heard.line, "is out of quarantine"));
    assert_tables_equal_the_log(world);
    poster_finish(&poster);
}

static int make_world(void **state)
{
    *state = world_make("poster_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(it_follows_a_log_step_by_step),
        IN_A_WORLD(in_a_session_that_is_not_its_own_it_does_nothing),
        IN_A_WORLD(a_step_goes_no_further_than_it_is_told),
        IN_A_WORLD(it_tells_where_it_has_moved),
        IN_A_WORLD(what_another_has_posted_it_does_not_post_again),
        IN_A_WORLD(it_tells_who_is_set_aside),
        IN_A_WORLD(where_it_is_to_stop_a_retry_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
