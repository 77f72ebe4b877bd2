/* Tables while the ring of keys is away: nothing is passed over that could not be read then. */
#include "post_retry.h"
#include "posting.h"
#include "store/clock.h"

/* Seen a moment later. */
static void move_ring(struct world *world, bool away)
{
    char ring[100], aside[110];
    int64_t until = dbk_clock_ms() + PATIENCE_MS;

    snprintf(ring, sizeof ring, "%s.keys/ring", world->dir);
    snprintf(aside, sizeof aside, "%s.aside", ring);
    assert_int_equal(away ? rename(ring, aside) : rename(aside, ring), 0);
    while ((dbk_keys_work(world->keys, NULL) == DBK_OK) == away) {
        assert_true(dbk_clock_ms() < until);
        pause_10ms();
    }
}

static uint64_t count(struct world *world, const char *table)
{
    char text[64];

    snprintf(text, sizeof text, "select count(*) from %s", table);
    return scratch_number(world->pg, text);
}

static void a_batch_waits(void **state)
{
    struct world *world = *state;
    struct poster poster;
    struct dbk_error err;

    posting_open(&poster, world, NULL);
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_record(1, 1, ""));
    move_ring(world, true);
    assert_int_equal(poster_step(&poster, UINT64_MAX, &err), DBK_KEYS_AWAY);
    assert_int_equal(poster.projected, 0);
    move_ring(world, false);
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(count(world, "event"), 1);
    assert_int_equal(count(world, "quarantine"), 0);
    poster_finish(&poster);
}

/* Person 2 is in quarantine, and tried again; the ring goes when it is known who is. */
static void who_is_tried_again_stays_in_quarantine(void **state)
{
    struct world *world = *state;
    struct post_retry retry;
    struct poster poster;
    struct dbk_error err;

    posting_open(&poster, world, NULL);
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "poison@x.org"));
    submit(world, draft_record(1, 2, ""));
    scratch_script(world->pg, "alter table person add constraint poison"
                              " check (email <> 'poison@x.org')");
    posting_step(&poster, UINT64_MAX);
    assert_int_equal(poster.quarantined, 1);
    scratch_script(world->pg, "alter table person drop constraint poison");
    for (int away = 1; away >= 0; away--) {
        post_retry_init(&retry, &poster);
        assert_int_equal(post_retry_begin(&retry, true, &err), DBK_OK);
        if (away)
            move_ring(world, true);
        while (post_retry_pending(&retry) && post_retry_step(&retry, &err) == DBK_OK)
            ;
        assert_int_equal(post_retry_pending(&retry), away);
        assert_int_equal(count(world, "quarantine"), away);
        assert_int_equal(count(world, "event"), 1 - away);
        post_retry_finish(&retry);
        if (away)
            move_ring(world, false);
    }
    assert_int_equal(count(world, "person"), 2);
    poster_finish(&poster);
}

static int make_world(void **state)
{
    *state = world_make_sealed("ring_away_test");
    return 0;
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, world_teardown)
    const struct CMUnitTest tests[] = {
        ONE(a_batch_waits),
        ONE(who_is_tried_again_stays_in_quarantine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
