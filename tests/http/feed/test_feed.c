/* The feed over a real log, with sockets that nobody serves. */
#include "feed_private.h"

#include "check.h"
#include "scratch_dir.h"

#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_comes_when_it_has_stopped_is_closed,
                                        open_place, close_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
