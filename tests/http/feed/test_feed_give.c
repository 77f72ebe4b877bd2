/* What streams are given, in turns that the test takes itself: over a real log that is sealed,
 * with sockets that are read here. */
#include "feed_private.h"

#include "check.h"
#include "faults/wrapped_log_read.h"
#include "scratch_dir.h"
#include "store/clock.h"
#include "store/command.h"
#include "store/keys.h"
#include "submit_draft.h"

#include <sys/socket.h>
#include <unistd.h>

#define MARK "zanzibar"
#define HEARD_MAX (64u << 10)
#define STREAMS 4

struct place {
    char dir[SCRATCH_DIR_MAX], ring[SCRATCH_DIR_MAX + 8];
    struct dbk_keys *keys;
    struct dbk_log *log;
    struct parked *parked;
    struct feed *feed;
    int ends[STREAMS]; /* of each that came, the client's */
    unsigned count;
    struct dbk_uuid kate;
};

/* What the log does at the next read, or look, of the feed. */
static struct {
    bool restricted_fails;
    struct place *restrict_at_read;
} script;

enum dbk_code __real_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err);
enum dbk_code __wrap_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err);
enum dbk_code __wrap_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err)
{
    if (script.restricted_fails)
        return dbk_fail(err, DBK_IO, "scripted");
    return __real_dbk_log_restricted_all(log, out, err);
}

static void about(struct place *place, enum dbk_type type, const struct dbk_uuid *who)
{
    const struct dbk_record draft = {.type = type, .subject = *who};

    submit_draft(place->log, &draft);
}

enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    enum dbk_code code =
        __real_dbk_log_read(log, after, max_records, max_bytes, batch, err);
    struct place *place = script.restrict_at_read;

    script.restrict_at_read = NULL;
    if (place)
        about(place, DBK_PERSON_RESTRICTED, &place->kate);
    return code;
}

static struct dbk_uuid add_person(struct place *place, const char *external_id)
{
    const struct dbk_record person = {
        .type = DBK_PERSON_CREATED,
        .subject = dbk_uuid_new(),
        .person = {.has = DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID,
                   .role = DBK_ROLE_USER,
                   .external_id = dbk_slice(external_id)}};

    submit_draft(place->log, &person);
    return person.subject;
}

static void add_event(struct place *place, const char *anonymous_id)
{
    const struct dbk_record event = {.type = DBK_EVENT_RECORDED,
                                     .subject = dbk_uuid_new(),
                                     .anonymous_id = dbk_slice(anonymous_id),
                                     .event_type = dbk_slice("seen " MARK)};

    submit_draft(place->log, &event);
}

static void alias(struct place *place, const struct dbk_uuid *who,
                  const char *anonymous_id)
{
    const struct dbk_record draft = {.type = DBK_PERSON_ALIASED,
                                     .subject = *who,
                                     .anonymous_id = dbk_slice(anonymous_id)};

    submit_draft(place->log, &draft);
}

/* A feed whose thread has ended, so that its turns are the test's. */
static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct feed_options options = {.streams_max = STREAMS};
    struct dbk_log_options sealed = {0};
    struct dbk_error err;

    assert_non_null(place);
    memset(&script, 0, sizeof script);
    scratch_dir_make(place->dir);
    snprintf(place->ring, sizeof place->ring, "%s.keys", place->dir);
    assert_int_equal(dbk_keys_make(place->ring, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_keys_open(place->ring, NULL, &place->keys, NULL), DBK_OK);
    sealed.keys = place->keys;
    assert_int_equal(dbk_log_open(place->dir, &sealed, &place->log, NULL), DBK_OK);
    place->parked = parked_create();
    assert_non_null(place->parked);
    options.log = place->log;
    options.parked = place->parked;
    assert_int_equal(feed_create(&options, &place->feed, &err), DBK_OK);
    feed_stop(place->feed);
    place->feed->looked_at = dbk_clock_ms() + 3600 * 1000; /* there are no tokens */
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;

    for (unsigned i = 0; i < place->feed->list_count; i++)
        stream_destroy(place->feed->list[i]);
    place->feed->list_count = 0;
    feed_destroy(place->feed);
    for (unsigned i = 0; i < place->count; i++)
        close(place->ends[i]);
    parked_destroy(place->parked);
    dbk_log_close(place->log);
    dbk_keys_close(place->keys);
    scratch_dir_remove(place->ring);
    scratch_dir_remove(place->dir);
    free(place);
    return 0;
}

static struct stream *come(struct place *place, uint64_t after, bool shows_all)
{
    struct stream *stream = stream_create();
    int ends[2];

    assert_non_null(stream);
    assert_true(place->count < STREAMS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    place->ends[place->count++] = ends[1];
    stream->fd = ends[0];
    stream->at = after;
    stream->shows_all = shows_all;
    stream->heartbeat_at = INT64_MAX;
    place->feed->list[place->feed->list_count++] = stream;
    return stream;
}

/* What the one that came as this has been sent since; in memory of this test's. */
static const char *hear(struct place *place, unsigned which)
{
    static char heard[HEARD_MAX];
    size_t length = 0;
    ssize_t got;

    while ((got = recv(place->ends[which], heard + length, sizeof heard - 1 - length,
                       MSG_DONTWAIT)) > 0)
        length += (size_t)got;
    heard[length] = '\0';
    return heard;
}

static bool says(const char *heard, const char *text)
{
    return strstr(heard, text) != NULL;
}

static void turns(struct place *place, int count)
{
    while (count-- > 0)
        feed_turn(place->feed);
}

static void nothing_rendered_before_an_erasure_is_served_after_it(void **state)
{
    struct place *place = *state;
    struct dbk_uuid kate = add_person(place, MARK);
    struct stream *first = come(place, 0, true);

    add_person(place, "erik");
    turns(place, 2);
    assert_true(says(hear(place, 0), MARK));
    first->blocked = true; /* so the ring does not move on */
    about(place, DBK_PERSON_ERASED, &kate);
    come(place, 0, true);
    turns(place, 3);
    assert_false(says(hear(place, 1), MARK));
    assert_int_equal(place->feed->list[1]->at, 3);
    first->blocked = false;
    turns(place, 2);
    assert_true(says(hear(place, 0), "person.erased"));
}

static void what_was_opened_is_wiped_when_it_was_rendered(void **state)
{
    struct place *place = *state;
    const struct dbk_batch *batch = &place->feed->batch;

    add_person(place, MARK);
    come(place, 1, true); /* so the ring begins behind it */
    come(place, 0, true);
    turns(place, 2);
    assert_true(says(hear(place, 1), MARK));
    assert_true(batch->bytes_size > 0);
    assert_int_equal(batch->bytes_used, 0);
    assert_int_equal(place->feed->list[1]->at, 1);
}

static void no_erasure_and_no_restriction_makes_a_stream_slow(void **state)
{
    struct place *place = *state;
    struct dbk_uuid kate = add_person(place, "kate"), erik = add_person(place, "erik");
    struct stream *blocked, *other;

    add_event(place, "a");
    blocked = come(place, 0, false);
    other = come(place, 0, false);
    turns(place, 2);
    assert_true(blocked->live && other->live);
    blocked->at = 1; /* as if its socket had taken no more */
    blocked->blocked = true;
    about(place, DBK_PERSON_RESTRICTED, &kate);
    turns(place, 3);
    assert_int_equal(blocked->state, STREAM_OPEN);
    about(place, DBK_PERSON_ERASED, &erik);
    turns(place, 3);
    assert_int_equal(blocked->state, STREAM_OPEN);
    assert_int_equal(other->at, 5);
    hear(place, 0);
    blocked->blocked = false;
    turns(place, 3);
    assert_int_equal(blocked->at, 5);
    assert_true(says(hear(place, 0), "person.erased"));
}

static void whose_an_event_is_since_it_was_rendered_counts(void **state)
{
    struct place *place = *state;
    struct dbk_uuid kate, other = add_person(place, "other");
    struct stream *first;

    about(place, DBK_PERSON_RESTRICTED, &other);
    add_event(place, "a");
    kate = add_person(place, "kate");
    first = come(place, 0, false);
    turns(place, 2);
    assert_true(says(hear(place, 0), MARK));
    first->blocked = true;
    alias(place, &kate, "a");
    about(place, DBK_PERSON_RESTRICTED, &kate);
    come(place, 0, false);
    turns(place, 1);
    assert_false(says(hear(place, 1), MARK));
    assert_true(ring_first(place->feed->ring, RING_HAS_FORM(FORM_RECORD)) == 1);
    about(place, DBK_PERSON_DELETED, &kate); /* it is nobody's, and was hers */
    come(place, 0, false);
    turns(place, 2);
    assert_false(says(hear(place, 2), MARK));
    come(place, 0, true);
    turns(place, 2);
    assert_true(says(hear(place, 3), MARK));
}

static void what_is_hidden_does_not_carry_a_stream_past_the_ring(void **state)
{
    struct place *place = *state;
    struct stream *first, *second;

    place->kate = add_person(place, MARK);
    for (int i = 0; i < 4; i++)
        add_person(place, (const char *[]){"a", "b", "c", "d"}[i]);
    first = come(place, 0, true);
    turns(place, 2);
    first->blocked = true;
    about(place, DBK_PERSON_RESTRICTED, &place->kate);
    second = come(place, 0, false);
    turns(place, 1);
    assert_int_equal(second->at, 5);
    turns(place, 2);
    assert_int_equal(second->at, 6);
    assert_int_equal(ring_first(place->feed->ring, RING_HAS_FORM(FORM_RECORD)), 1);
    assert_false(says(hear(place, 1), MARK));
}

static void a_restriction_counts_for_what_was_read_before_it(void **state)
{
    struct place *place = *state;

    place->kate = add_person(place, MARK);
    come(place, 1, true);
    come(place, 0, false);
    script.restrict_at_read =
        place; /* the ring is empty: the first read is of the log */
    turns(place, 1);
    assert_null(script.restrict_at_read);
    turns(place, 2);
    assert_int_equal(place->feed->list[1]->at, 2);
    assert_false(says(hear(place, 1), MARK));
}

static void where_the_log_does_not_tell_who_is_restricted_nothing_is_shown(void **state)
{
    struct place *place = *state;

    place->kate = add_person(place, MARK);
    come(place, 0, false);
    script.restricted_fails = true;
    turns(place, 2);
    assert_string_equal(hear(place, 0), "");
    about(place, DBK_PERSON_RESTRICTED, &place->kate);
    turns(place, 2);
    assert_string_equal(hear(place, 0), "");
    script.restricted_fails = false;
    turns(place, 3);
    assert_int_equal(place->feed->list[0]->at, 2);
    assert_false(says(hear(place, 0), MARK));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(nothing_rendered_before_an_erasure_is_served_after_it),
        IN_PLACE(what_was_opened_is_wiped_when_it_was_rendered),
        IN_PLACE(no_erasure_and_no_restriction_makes_a_stream_slow),
        IN_PLACE(whose_an_event_is_since_it_was_rendered_counts),
        IN_PLACE(what_is_hidden_does_not_carry_a_stream_past_the_ring),
        IN_PLACE(a_restriction_counts_for_what_was_read_before_it),
        IN_PLACE(where_the_log_does_not_tell_who_is_restricted_nothing_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
