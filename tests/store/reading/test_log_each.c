/* Walking over records: in order, to the end that was asked for, and what ends it before. */
#include "faults/wrapped_log_read.h"
#include "scratch_log.h"

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

/* What is wrong with what is read: nothing where 0. */
static uint64_t damaged; /* the checksum of this record */
static uint64_t cut_at;  /* none is there behind this one */

/* Few at once, so that a walk takes several batches. */
enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    enum dbk_code code = __real_dbk_log_read(
        log, after, max_records < 3 ? max_records : 3, max_bytes, batch, err);

    for (size_t i = 0; i < batch->count; i++)
        if (batch->entries[i].sequence == damaged)
            batch->entries[i].length = 0;
    if (cut_at > 0 && after >= cut_at)
        batch->count = 0;
    return code;
}

struct walk {
    uint64_t seen[32];
    size_t count, batches, unreadable;
    uint64_t stop_at;
    char told[512];
};

static enum dbk_code take(void *context, const struct dbk_record *record,
                          struct dbk_error *err)
{
    struct walk *walk = context;

    if (record->sequence == walk->stop_at)
        return dbk_fail(err, DBK_INTERRUPTED, "enough");
    walk->seen[walk->count++] = record->sequence;
    return DBK_OK;
}

static enum dbk_code pass_over(void *context, struct dbk_error *err)
{
    struct walk *walk = context;

    walk->unreadable++;
    snprintf(walk->told, sizeof walk->told, "%s", err->text);
    return DBK_OK;
}

static enum dbk_code count_batch(void *context, uint64_t at, struct dbk_error *err)
{
    struct walk *walk = context;

    (void)err;
    assert_int_equal(at, walk->count + walk->unreadable);
    walk->batches++;
    return DBK_OK;
}

static void fill(struct scratch *s)
{
    struct dbk_uuid kate = add_person(s, "kate@x.mock");

    for (int i = 0; i < 9; i++) {
        struct dbk_record event = draft_event(&kate);
        submit(s, &event);
    }
}

static void each_is_seen_once_in_order(void **state)
{
    struct scratch *s = *state;
    struct walk walk = {.count = 0};
    const struct dbk_log_visitor visitor = {
        .record = take, .before = count_batch, .context = &walk};

    fill(s);
    assert_int_equal(dbk_log_each(s->log, 0, 10, &visitor, &s->err), DBK_OK);
    assert_int_equal(walk.count, 10);
    for (size_t i = 0; i < walk.count; i++)
        assert_int_equal(walk.seen[i], i + 1);
    assert_int_equal(walk.batches, 4);
}

static void it_begins_behind_and_ends_where_it_is_told(void **state)
{
    struct scratch *s = *state;
    struct walk walk = {.count = 0};
    const struct dbk_log_visitor visitor = {.record = take, .context = &walk};

    fill(s);
    assert_int_equal(dbk_log_each(s->log, 4, 6, &visitor, &s->err), DBK_OK);
    assert_int_equal(walk.count, 2);
    assert_int_equal(walk.seen[0], 5);
    assert_int_equal(dbk_log_each(s->log, 6, 6, &visitor, &s->err), DBK_OK);
    assert_int_equal(dbk_log_each(s->log, 0, 0, &visitor, &s->err), DBK_OK);
    assert_int_equal(walk.count, 2);
}

static void a_visitor_ends_it_with_its_own_code(void **state)
{
    struct scratch *s = *state;
    struct walk walk = {.stop_at = 5};
    const struct dbk_log_visitor visitor = {.record = take, .context = &walk};

    fill(s);
    assert_int_equal(dbk_log_each(s->log, 0, 10, &visitor, &s->err), DBK_INTERRUPTED);
    assert_string_equal(s->err.text, "enough");
    assert_int_equal(walk.count, 4);
}

static void a_record_that_cannot_be_read_is_named(void **state)
{
    struct scratch *s = *state;
    struct walk walk = {.count = 0};
    struct dbk_log_visitor visitor = {.record = take, .context = &walk};

    fill(s);
    damaged = 8;
    assert_int_equal(dbk_log_each(s->log, 0, 10, &visitor, &s->err), DBK_DAMAGED);
    assert_int_equal(walk.count, 7);
    assert_non_null(strstr(s->err.text, "record 8: "));

    walk.count = 0;
    visitor.unreadable = pass_over;
    assert_int_equal(dbk_log_each(s->log, 0, 10, &visitor, &s->err), DBK_OK);
    assert_int_equal(walk.count, 9);
    assert_int_equal(walk.unreadable, 1);
    assert_non_null(strstr(walk.told, "record 8: "));
    damaged = 0;
}

static void a_log_that_ends_before_is_damaged(void **state)
{
    struct scratch *s = *state;
    struct walk walk = {.count = 0};
    const struct dbk_log_visitor visitor = {.record = take, .context = &walk};

    fill(s);
    cut_at = 6;
    assert_int_equal(dbk_log_each(s->log, 0, 10, &visitor, &s->err), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "ends at record 6, not 10"));
    assert_int_equal(walk.count, 6);
    cut_at = 0;
}

static void one_record_is_read_by_its_sequence(void **state)
{
    struct scratch *s = *state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    fill(s);
    assert_int_equal(dbk_log_record(s->log, 7, &batch, &record, &s->err), DBK_OK);
    assert_int_equal(record.sequence, 7);
    assert_int_equal(batch.count, 1);
    assert_int_equal(dbk_log_record(s->log, 11, &batch, &record, &s->err), DBK_DAMAGED);
    damaged = 7;
    assert_int_equal(dbk_log_record(s->log, 7, &batch, &record, &s->err), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "record 7: "));
    damaged = 0;
    dbk_batch_finish(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_seen_once_in_order),
        TEST(it_begins_behind_and_ends_where_it_is_told),
        TEST(a_visitor_ends_it_with_its_own_code),
        TEST(a_record_that_cannot_be_read_is_named),
        TEST(a_log_that_ends_before_is_damaged),
        TEST(one_record_is_read_by_its_sequence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
