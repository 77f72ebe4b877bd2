#include "check.h"
#include "quota.h"
#include "untold.h"

#define NOON INT64_C(1700049600) /* 12:00 UTC of a day */

struct world {
    struct quota *quota;
    const char *why;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    world->quota = quota_create();
    assert_non_null(world->quota);
    *state = world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;

    quota_destroy(world->quota);
    free(world);
    return 0;
}

static struct quota_use request(uint8_t token, uint32_t address,
                                struct dbk_token_bounds bounds)
{
    unsigned char hash[DBK_TOKEN_HASH] = {token, 1};
    struct quota_use use;

    quota_begin(&use, hash, address, &bounds);
    return use;
}

/* A request of so many events, as it comes: one at the door, then the others. */
static unsigned take(struct world *world, uint8_t token, uint32_t rate, uint64_t events,
                     int64_t now)
{
    struct quota_use use = request(token, 1, (struct dbk_token_bounds){.rate = rate});
    unsigned wait = quota_take(world->quota, &use, 1, 0, now, NOON, &world->why);

    if (wait == 0 && events > 1)
        wait = quota_take(world->quota, &use, events - 1, 0, now, NOON, &world->why);
    return wait;
}

static void a_second_of_events_is_taken_at_once_and_the_rest_at_the_rate(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(take(world, 1, 5, 1, 1000), 0);
    assert_int_equal(take(world, 1, 5, 1, 1000), 1);
    assert_string_equal(world->why, "events a second");
    assert_int_equal(take(world, 1, 5, 1, 1199), 1);
    assert_int_equal(take(world, 1, 5, 1, 1200), 0);
    assert_int_equal(take(world, 1, 5, 1, 1200), 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(world, 1, 5, 1, 100000), 0);
    assert_int_equal(take(world, 1, 5, 1, 100000), 1);
}

static void a_batch_counts_as_its_events(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, 1, 500, 100, 1000), 0);
    assert_int_equal(take(world, 1, 500, 400, 1000), 0);
    assert_int_equal(take(world, 1, 500, 100, 1000), 1);
    assert_int_equal(take(world, 1, 500, 100, 1199), 1);
    assert_int_equal(take(world, 1, 500, 100, 1200), 0);
}

/* Else it would be refused for ever. */
static void one_that_is_larger_than_the_rate_is_taken_and_owed(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, 1, 10, 1, 1000), 0);
    assert_int_equal(take(world, 1, 10, 100, 1000), 1); /* until the bucket is full */
    assert_int_equal(take(world, 1, 10, 100, 1100), 0);
    assert_int_equal(take(world, 1, 10, 1, 1100), 10); /* 90 are owed, and one asked */
    assert_int_equal(take(world, 1, 10, 1, 10100), 1);
    assert_int_equal(take(world, 1, 10, 1, 10200), 0);
    assert_int_equal(take(world, 2, 1, 10000, 1000), 0);
    assert_int_equal(take(world, 2, 1, 10000, 1000), 10000);
}

static void what_is_refused_takes_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, 1, 10, 5, 1000), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(take(world, 1, 10, 6, 1000), 1);
    assert_int_equal(take(world, 1, 10, 5, 1000), 0);
}

static void a_token_has_a_bucket_of_its_own(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, 1, 1, 1, 1000), 0);
    assert_int_equal(take(world, 1, 1, 1, 1000), 1);
    assert_int_equal(take(world, 2, 1, 1, 1000), 0);
    assert_int_equal(take(world, 2, 1, 1, 1000), 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(take(world, 3, 0, 100, 1000), 0); /* no bound */
}

static void an_address_has_one_beside_that_of_the_token(void **state)
{
    static const struct dbk_token_bounds bounds = {.rate = 10, .address_rate = 2};
    struct world *world = *state;
    unsigned taken = 0;

    for (uint32_t address = 1; address <= 10; address++) {
        for (int i = 0; i < 3; i++) {
            struct quota_use use = request(1, address, bounds);
            taken += quota_take(world->quota, &use, 1, 0, 1000, NOON, &world->why) == 0;
            if (i == 2 && address == 1) {
                assert_string_equal(world->why, "events a second of one address");
                assert_int_equal(use.address_events.units, 0);
                assert_int_equal(use.events.units, 8);
            }
        }
    }
    assert_int_equal(taken, 10); /* of five addresses */
}

static void many_addresses_need_no_more_room(void **state)
{
    static const struct dbk_token_bounds bounds = {.address_rate = 1};
    struct world *world = *state;

    for (uint32_t address = 1; address <= 100000; address++) {
        struct quota_use use = request(1, address, bounds);
        assert_int_equal(quota_take(world->quota, &use, 1, 0, 1000, NOON, &world->why),
                         0);
        use.events_taken = 0; /* another request */
        assert_int_equal(quota_take(world->quota, &use, 1, 0, 1000, NOON, &world->why),
                         1);
    }
}

static void many_tokens_one_after_the_other_take_a_place_each(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3 * DBK_TOKENS_MAX; i++) {
        unsigned char hash[DBK_TOKEN_HASH] = {(unsigned char)(i >> 8),
                                              (unsigned char)i};
        struct quota_use use;
        quota_begin(&use, hash, 1, &(struct dbk_token_bounds){.rate = 1});
        assert_int_equal(
            quota_take(world->quota, &use, 1, 0, 1000 + i, NOON, &world->why), 0);
        use.events_taken = 0; /* another request */
        assert_int_equal(
            quota_take(world->quota, &use, 1, 0, 1000 + i, NOON, &world->why), 1);
    }
}

static void bytes_are_counted_for_a_day(void **state)
{
    static const struct dbk_token_bounds bounds = {.bytes_a_day = 1000};
    struct world *world = *state;
    struct quota_use use = request(1, 1, bounds);

    assert_int_equal(quota_take(world->quota, &use, 0, 999, 1, NOON, &world->why), 0);
    assert_int_equal(use.bytes.units, 1);
    assert_int_equal(use.bytes.seconds, 43200);
    assert_int_equal(quota_take(world->quota, &use, 0, 5000, 1, NOON, &world->why), 0);
    assert_int_equal(use.bytes.units, 0);
    assert_int_equal(quota_take(world->quota, &use, 0, 1, 1, NOON + 3600, &world->why),
                     39600);
    assert_string_equal(world->why, "bytes a day");
    assert_int_equal(
        quota_take(world->quota, &use, 0, 1000, 1, NOON + 43200, &world->why), 0);
    assert_int_equal(quota_take(world->quota, &use, 0, 1, 1, NOON + 43200, &world->why),
                     86400);
}

static void the_fields_are_the_drafts(void **state)
{
    struct world *world = *state;
    struct dbk_token_bounds bounds = {
        .rate = 500, .address_rate = 5, .bytes_a_day = 1000};
    struct quota_use use = request(1, 1, bounds);
    struct dbk_render out;

    dbk_render_init(&out, 4096);
    assert_int_equal(quota_take(world->quota, &use, 2, 1, 1, NOON, &world->why), 0);
    quota_render(&use, &out);
    dbk_render_raw(&out, "", 1);
    assert_string_equal(
        out.text,
        "RateLimit-Policy: \"events\";q=500;w=1, \"address\";q=5;w=1, "
        "\"bytes\";q=1000;qu=\"content-bytes\";w=86400\r\n"
        "RateLimit: \"events\";r=498;t=1, \"address\";r=3;t=1, \"bytes\";r=999;t=43200"
        "\r\n");
    dbk_render_clear(&out);
    use = request(2, 1, (struct dbk_token_bounds){0});
    quota_render(&use, &out);
    assert_int_equal(out.length, 0);
    dbk_render_finish(&out);
}

static char told[8][256];
static int told_count;

static void note(void *context, const char *line)
{
    (void)context;
    snprintf(told[told_count++ % 8], sizeof told[0], "%.255s", line);
}

static void what_is_not_told_is_told_the_operator_once_a_minute(void **state)
{
    struct untold untold;

    (void)state;
    told_count = 0;
    untold_init(&untold, note, NULL);
    for (int i = 0; i < 1000; i++)
        untold_add(&untold, "web", "id1", "There is no person", 1000 + i);
    assert_int_equal(told_count, 1);
    assert_non_null(strstr(told[0], "1 events or aliases"));
    untold_add(&untold, "web2", "id2", "It was deleted", 1000 + UNTOLD_EVERY_MS);
    assert_int_equal(told_count, 2);
    assert_non_null(strstr(told[1], "1000 events or aliases"));
    assert_non_null(strstr(told[1], "of web2 in request id2: It was deleted"));
    untold_add(&untold, "web", "id3", "x", 2000 + UNTOLD_EVERY_MS);
    untold_finish(&untold);
    assert_int_equal(told_count, 3);
    assert_non_null(strstr(told[2], "1 more"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)
    const struct CMUnitTest tests[] = {
        TEST(a_second_of_events_is_taken_at_once_and_the_rest_at_the_rate),
        TEST(a_batch_counts_as_its_events),
        TEST(one_that_is_larger_than_the_rate_is_taken_and_owed),
        TEST(what_is_refused_takes_nothing),
        TEST(a_token_has_a_bucket_of_its_own),
        TEST(an_address_has_one_beside_that_of_the_token),
        TEST(many_addresses_need_no_more_room),
        TEST(many_tokens_one_after_the_other_take_a_place_each),
        TEST(bytes_are_counted_for_a_day),
        TEST(the_fields_are_the_drafts),
        cmocka_unit_test(what_is_not_told_is_told_the_operator_once_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
