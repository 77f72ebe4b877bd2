/* The ring over a real log. */
#include "ring.h"

#include "check.h"
#include "scratch_dir.h"
#include "store/command.h"
#include "submit_draft.h"

#include <unistd.h>

#define SOURCE "urn:uuid:00000000-0000-0000-0000-000000000001"
#define RECORD RING_HAS_FORM(FORM_RECORD)
#define CLOUD RING_HAS_FORM(FORM_CLOUD)

struct place {
    char dir[SCRATCH_DIR_MAX];
    struct dbk_log *log;
    struct ring *ring;
};

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    scratch_dir_make(place->dir);
    assert_int_equal(dbk_log_open(place->dir, NULL, &place->log, NULL), DBK_OK);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;

    ring_destroy(place->ring);
    dbk_log_close(place->log);
    scratch_dir_remove(place->dir);
    free(place);
    return 0;
}

/* An event of somebody unknown. */
static void append(struct place *place, const char *anonymous_id)
{
    const struct dbk_record event = {.type = DBK_EVENT_RECORDED,
                                     .subject = dbk_uuid_new(),
                                     .anonymous_id = dbk_slice(anonymous_id),
                                     .event_type = dbk_slice("click")};

    submit_draft(place->log, &event);
}

static size_t fill(struct place *place, unsigned has)
{
    struct dbk_error err;
    size_t added;

    if (ring_fill(place->ring, place->log, has, SOURCE, &added, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return added;
}

static void records_come_once_and_in_order(void **state)
{
    struct place *place = *state;

    place->ring = ring_create(1 << 20);
    for (int i = 0; i < 5; i++)
        append(place, "a");
    assert_int_equal(fill(place, RECORD), 5);
    assert_int_equal(fill(place, RECORD), 0);
    append(place, "a");
    assert_int_equal(fill(place, RECORD), 1);
    assert_int_equal(ring_next(place->ring), 7);
    assert_int_equal(ring_first(place->ring, RECORD), 1);
    for (uint64_t sequence = 1; sequence <= 6; sequence++) {
        const struct ring_entry *entry = ring_entry(place->ring, sequence);
        char id[32];
        snprintf(id, sizeof id, "id: %u\n", (unsigned)sequence);
        assert_int_equal(entry->sequence, sequence);
        assert_memory_equal(entry->frames[FORM_RECORD].data, id, strlen(id));
        assert_int_equal(sse_block_rest(entry->frames[FORM_RECORD].data,
                                        entry->frames[FORM_RECORD].length),
                         entry->frames[FORM_RECORD].length);
        assert_true(dbk_slice_equal(entry->seen.event_type, dbk_slice("click")));
    }
}

static void the_oldest_give_way(void **state)
{
    struct place *place = *state;

    place->ring = ring_create(4096);
    for (int i = 0; i < 50; i++)
        append(place, "a");
    assert_int_equal(fill(place, RECORD), 50);
    assert_true(ring_bytes(place->ring) <= 4096);
    assert_in_range(ring_first(place->ring, RECORD), 40, 50);
    assert_int_equal(ring_entry(place->ring, 50)->sequence, 50);
    ring_clear(place->ring, 20);
    assert_int_equal(ring_bytes(place->ring), 0);
    assert_int_equal(ring_next(place->ring), 20);
    assert_int_equal(fill(place, RECORD), 31);
}

static void one_record_is_kept_however_large_it_is(void **state)
{
    struct place *place = *state;

    place->ring = ring_create(1);
    append(place, "a");
    append(place, "a");
    assert_int_equal(fill(place, RECORD), 2);
    assert_int_equal(ring_first(place->ring, RECORD), 2);
}

static void what_was_not_wanted_is_not_there(void **state)
{
    struct place *place = *state;

    place->ring = ring_create(1 << 20);
    append(place, "a");
    fill(place, RECORD);
    assert_int_equal(ring_entry(place->ring, 1)->frames[FORM_CLOUD].length, 0);
    append(place, "a");
    fill(place, RECORD | CLOUD);
    append(place, "a");
    fill(place, RECORD | CLOUD);
    assert_int_equal(ring_first(place->ring, RECORD), 1);
    assert_int_equal(ring_first(place->ring, CLOUD), 2);
    assert_int_equal(ring_first(place->ring, RECORD | CLOUD), 2);
    assert_true(ring_entry(place->ring, 2)->frames[FORM_CLOUD].length > 0);
    append(place, "a");
    fill(place, RECORD);
    assert_int_equal(ring_first(place->ring, CLOUD), 5);
}

static void whose_an_event_is_now_is_known_where_that_is_wanted(void **state)
{
    struct place *place = *state;
    const struct dbk_record person = {
        .type = DBK_PERSON_CREATED,
        .subject = dbk_uuid_new(),
        .person = {.has = DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID,
                   .role = DBK_ROLE_USER,
                   .external_id = dbk_slice("kate")}};
    const struct dbk_record alias = {.type = DBK_PERSON_ALIASED,
                                     .subject = person.subject,
                                     .anonymous_id = dbk_slice("a")};

    place->ring = ring_create(1 << 20);
    append(place, "a");
    append(place, "b");
    submit_draft(place->log, &person);
    submit_draft(place->log, &alias);
    fill(place, RECORD);
    assert_true(dbk_uuid_is_nil(&ring_entry(place->ring, 1)->seen.owner));
    ring_clear(place->ring, 1);
    fill(place, RECORD | RING_HAS_OWNER);
    assert_true(
        dbk_uuid_equal(&ring_entry(place->ring, 1)->seen.owner, &person.subject));
    assert_true(dbk_uuid_is_nil(&ring_entry(place->ring, 1)->seen.person));
    assert_true(dbk_uuid_is_nil(&ring_entry(place->ring, 2)->seen.owner));
    assert_true(
        dbk_uuid_equal(&ring_entry(place->ring, 4)->seen.person, &person.subject));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(records_come_once_and_in_order),
        IN_PLACE(the_oldest_give_way),
        IN_PLACE(one_record_is_kept_however_large_it_is),
        IN_PLACE(what_was_not_wanted_is_not_there),
        IN_PLACE(whose_an_event_is_now_is_known_where_that_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
