/* The feed over a real log, with sockets that nobody serves. */
#include "feed_private.h"

#include "check.h"
#include "scratch_dir.h"

#include <sys/socket.h>
#include <unistd.h>

#define MANY 200000

struct place {
    char dir[SCRATCH_DIR_MAX];
    struct dbk_log *log;
    struct parked *parked;
    struct feed *feed;
};

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct feed_options options = {.streams_max = 2};
    struct dbk_error err;

    assert_non_null(place);
    scratch_dir_make(place->dir);
    assert_int_equal(dbk_log_open(place->dir, NULL, &place->log, NULL), DBK_OK);
    place->parked = parked_create();
    assert_non_null(place->parked);
    options.log = place->log;
    options.parked = place->parked;
    assert_int_equal(feed_create(&options, &place->feed, &err), DBK_OK);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;

    feed_destroy(place->feed);
    parked_destroy(place->parked);
    dbk_log_close(place->log);
    scratch_dir_remove(place->dir);
    free(place);
    return 0;
}

/* As a worker does that took a place before the feed was stopped. */
static void hand_over_late(struct place *place, int fd)
{
    struct stream *stream = stream_create();

    assert_non_null(stream);
    stream->fd = fd;
    assert_true(parked_add(place->parked, fd));
    stream->link_of_all = &place->feed->all;
    place->feed->all = place->feed->come = stream;
    place->feed->count = 1;
}

static void one_that_comes_when_it_has_stopped_is_closed(void **state)
{
    struct place *place = *state;
    int ends[2];
    char byte;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    feed_stop(place->feed);
    hand_over_late(place, ends[0]);
    feed_destroy(place->feed);
    place->feed = NULL;
    assert_false(parked_has(place->parked, ends[0]));
    assert_int_equal(recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
    close(ends[1]);
}

/* One after the other, as if each had come from this address. */
static struct stream *come(struct place *place, struct stream *list, size_t *count,
                           uint32_t address)
{
    struct stream *one = &list[(*count)++];

    one->address = address;
    one->next_of_all = place->feed->all;
    place->feed->all = one;
    return one;
}

static void the_newest_of_a_crowded_address_must_leave(void **state)
{
    struct place *place = *state;
    struct feed *feed = place->feed;
    struct stream list[8] = {0}, *third, *second;
    size_t count = 0;

    feed->options.address_max = 1;
    assert_null(feed_find_crowded(feed, 9));
    come(place, list, &count, 7);
    assert_null(feed_find_crowded(feed, 9)); /* that is its own */
    second = come(place, list, &count, 7);
    come(place, list, &count, 8);
    assert_ptr_equal(feed_find_crowded(feed, 9), second);
    assert_null(feed_find_crowded(feed, 7)); /* who wants one has the most */
    third = come(place, list, &count, 7);
    assert_ptr_equal(feed_find_crowded(feed, 9), third);
    atomic_store(&third->crowded, true);
    assert_ptr_equal(feed_find_crowded(feed, 9), second);
    atomic_store(&second->crowded, true);
    assert_null(feed_find_crowded(feed, 9));
    feed->options.address_max = 0; /* any number is fine */
    come(place, list, &count, 8);
    assert_null(feed_find_crowded(feed, 9));
    feed->all = NULL;
}

/* Held against the patience of whoever runs the tests: to count again for each would take
 * 40,000,000,000 steps. */
static void many_are_counted_once(void **state)
{
    struct place *place = *state;
    struct stream *list = calloc(MANY, sizeof *list);
    size_t count = 0;

    assert_non_null(list);
    place->feed->options.streams_max = MANY;
    place->feed->options.address_max = MANY / 2;
    while (count < MANY)
        come(place, list, &count, count % 2 == 0 ? 7 : (uint32_t)(8 + count % 1000));
    assert_null(feed_find_crowded(place->feed, 9));
    place->feed->options.address_max = MANY / 2 - 1;
    assert_ptr_equal(feed_find_crowded(place->feed, 9), &list[MANY - 2]);
    place->feed->all = NULL;
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_comes_when_it_has_stopped_is_closed,
                                        open_place, close_place),
        cmocka_unit_test_setup_teardown(the_newest_of_a_crowded_address_must_leave,
                                        open_place, close_place),
        cmocka_unit_test_setup_teardown(many_are_counted_once, open_place, close_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
