/* Under which ids a record is found: of a sealed one without opening it, once a record of its key
 * was. */
#include "about.h"
#include "history_private.h"
#include "log/kate_log.h"
#include "store/clock.h"

/* The record's bytes, and what they say. */
static struct dbk_record bytes_at(struct scratch *s, uint64_t sequence,
                                  struct dbk_batch *batch)
{
    struct dbk_record record;

    assert_int_equal(dbk_log_read(s->log, sequence - 1, 1, 1 << 20, batch, &s->err),
                     DBK_OK);
    assert_int_equal(
        dbk_record_decode(batch->bytes, batch->entries[0].length, &record, &s->err),
        DBK_OK);
    return record;
}

static struct about_ids ids_of(struct about *about, const struct dbk_batch *batch)
{
    struct about_ids ids;

    assert_true(about_record(about, batch->bytes, batch->entries[0].length, &ids));
    return ids;
}

/* So that it cannot be opened. */
static void spoil(struct dbk_batch *batch, const struct dbk_record *record)
{
    batch->bytes[record->sealed.data + record->sealed.length - 1 - batch->bytes] ^= 1;
}

static void assert_nobody(const struct about_ids *ids)
{
    assert_int_equal(ids->count, 1);
    assert_true(dbk_uuid_is_nil(&ids->list[0]));
}

static void a_persons_key_is_opened_once(void **state)
{
    struct scratch *s = *state;
    struct about about = {.log = s->log}, fresh = {.log = s->log};
    struct kate kate = add_kate(s);
    struct dbk_batch batch = {0};
    struct dbk_record record;
    struct about_ids ids;

    record = bytes_at(s, 3, &batch);
    ids = ids_of(&about, &batch);
    assert_int_equal(ids.count, 1);
    assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
    spoil(&batch, &record);
    ids = ids_of(&about, &batch);
    assert_int_equal(ids.count, 1);
    assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
    ids = ids_of(&fresh, &batch); /* whose its key is nobody knows */
    assert_int_equal(ids.count, 2);
    assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
    about_finish(&fresh);
    about_finish(&about);
    dbk_batch_finish(&batch);
}

/* Those of before they were a person's say nobody; those since are found under both. */
static void what_was_done_with_an_anonymous_id_is_found_by_its_key(void **state)
{
    struct scratch *s = *state;
    struct about about = {.log = s->log};
    struct kate kate = add_kate(s);
    struct dbk_record since = draft_anonymous("A-" MARKER), record;
    struct dbk_batch batch = {0};
    struct about_ids ids;
    struct dbk_uuid key;

    assert_int_equal(submit(s, &since).code, DBK_OK);
    record = bytes_at(s, 1, &batch);
    history_key_id(record.key, &key);
    spoil(&batch, &record); /* it need not be opened at all */
    ids = ids_of(&about, &batch);
    assert_int_equal(ids.count, 1);
    assert_true(dbk_uuid_equal(&ids.list[0], &key));
    record = bytes_at(s, 5, &batch);
    for (size_t i = 0; i < 2; i++) {
        ids = ids_of(&about, &batch);
        assert_int_equal(ids.count, 2);
        assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
        assert_true(dbk_uuid_equal(&ids.list[1], &key));
        spoil(&batch, &record);
    }
    about_finish(&about);
    dbk_batch_finish(&batch);
}

static void a_record_that_is_damaged_is_nobodys(void **state)
{
    struct scratch *s = *state;
    struct about about = {.log = s->log};
    struct about_ids ids;

    assert_true(about_record(&about, "", 0, &ids));
    assert_nobody(&ids);
    about_finish(&about);
}

static void move_ring(const struct scratch *s, bool away)
{
    char ring[140], aside[150];

    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(aside, sizeof aside, "%s.aside", ring);
    assert_int_equal(away ? rename(ring, aside) : rename(aside, ring), 0);
}

/* Whose it is then nobody knows: it is found by both, so that the person has it once the ring is
 * back, and nobody else looks at it. */
static void while_the_ring_is_away_an_event_is_filed_under_both(void **state)
{
    struct scratch *s = *state;
    struct about about = {.log = s->log};
    struct kate kate = add_kate(s);
    struct dbk_batch batch = {0};
    struct dbk_record record;
    struct about_ids ids;
    struct dbk_uuid key;
    struct dbk_error err;
    int64_t until = dbk_clock_ms() + 60000;

    record = bytes_at(s, 3, &batch);
    history_key_id(record.key, &key);
    move_ring(s, true);
    while (dbk_keys_work(s->keys, &err) == DBK_OK)
        assert_true(dbk_clock_ms() < until);
    ids = ids_of(&about, &batch);
    assert_int_equal(ids.count, 2);
    assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
    assert_true(dbk_uuid_equal(&ids.list[1], &key));
    move_ring(s, false);
    while (dbk_keys_work(s->keys, &err) != DBK_OK)
        assert_true(dbk_clock_ms() < until);
    ids = ids_of(&about, &batch);
    assert_int_equal(ids.count, 1);
    assert_true(dbk_uuid_equal(&ids.list[0], &kate.person.subject));
    about_finish(&about);
    dbk_batch_finish(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_persons_key_is_opened_once),
        TEST(what_was_done_with_an_anonymous_id_is_found_by_its_key),
        TEST(a_record_that_is_damaged_is_nobodys),
        TEST(while_the_ring_is_away_an_event_is_filed_under_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
