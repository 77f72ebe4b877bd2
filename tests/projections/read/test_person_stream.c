/* Lists of persons, which are asked for many at a time: each looks as if it had been asked for
 * alone, whatever the order, the filter, and where pieces of the list end. */
#include "pg.h"
#include "read_world.h"

#define PERSONS 300

static struct dbk_uuid ids[PERSONS];
static unsigned statements;
static const char *meanwhile; /* run once, before rows are asked for */

enum dbk_code __real_pg_each(struct pg *pg, const struct pg_statement *statement,
                             const struct pg_param *params, int count, int timeout_ms,
                             pg_visit *visit, void *context, struct dbk_error *error);
enum dbk_code __wrap_pg_each(struct pg *pg, const struct pg_statement *statement,
                             const struct pg_param *params, int count, int timeout_ms,
                             pg_visit *visit, void *context, struct dbk_error *error);
enum dbk_code __wrap_pg_each(struct pg *pg, const struct pg_statement *statement,
                             const struct pg_param *params, int count, int timeout_ms,
                             pg_visit *visit, void *context, struct dbk_error *error)
{
    const char *script = meanwhile;

    statements++;
    meanwhile = NULL;
    if (script) {
        struct pg *other = scratch_open(&database);

        scratch_script(other, script);
        pg_close(other);
    }
    return __real_pg_each(pg, statement, params, count, timeout_ms, visit, context,
                          error);
}

static void run_sql(const char *sql)
{
    struct pg *pg = scratch_open(&database);

    scratch_script(pg, sql);
    pg_close(pg);
}

static void take_ids(void)
{
    const struct pg_statement statement = {
        NULL, "select id::text from person order by created_sequence"};
    struct pg *pg = scratch_open(&database);
    struct pg_result *result;

    assert_int_equal(pg_run(pg, &statement, NULL, 0, 10000, &result, &err), DBK_OK);
    assert_int_equal(pg_rows(result), PERSONS);
    for (size_t i = 0; i < PERSONS; i++)
        assert_true(
            dbk_uuid_parse(pg_value(result, i, 0).data, DBK_UUID_TEXT, &ids[i]));
    pg_clear(result);
    pg_close(pg);
}

/* Properties too large to come along: of the newest event of p7 and p8, and of one that
 * p9 shows only where many are asked for. */
static int start_with_large(void **state)
{
    if (start(state) != 0)
        return -1;
    run_sql("insert into event (id, sequence, person_id, event_type, datetime_created, "
            "  properties) select md5('large' || i)::uuid, 30000 + i, "
            "  md5('p' || i)::uuid, 'large', '2025-01-01', "
            "  jsonb_build_object('text', repeat('x', 20000)) "
            "from generate_series(7, 9) i; "
            "insert into event (id, sequence, person_id, event_type, datetime_created) "
            "select md5('after' || i)::uuid, 31000 + i, md5('p9')::uuid, 'click', "
            "  '2025-01-02' from generate_series(1, 10) i");
    take_ids();
    return 0;
}

/* Each person by itself, at its place among all. */
static struct dbk_rows *ask_alone(unsigned events_limit)
{
    struct dbk_rows *alone = calloc(PERSONS, sizeof *alone);

    assert_non_null(alone);
    for (int i = 0; i < PERSONS; i++)
        assert_int_equal(dbk_read_person(model, &ids[i], events_limit, &alone[i], &err),
                         DBK_OK);
    return alone;
}

static void assert_same(const struct dbk_rows *rows, size_t i,
                        const struct dbk_rows *alone)
{
    const struct dbk_row *row = &rows->rows[i];

    assert_int_equal(row->version, alone->rows[0].version);
    if (row->length != alone->json.length)
        fail_msg("%.*s\n%.*s", (int)row->length, rows->json.text + row->offset,
                 (int)alone->json.length, alone->json.text);
    assert_memory_equal(rows->json.text + row->offset, alone->json.text, row->length);
}

/* Those who are created at first, first + step, ... up to last. */
static void assert_listed(const struct dbk_rows *alone, unsigned events_limit,
                          const struct dbk_person_filter *filter, unsigned first,
                          unsigned step, bool descending, size_t max_bytes)
{
    struct dbk_page page = {.descending = descending,
                            .limit = max_bytes == SIZE_MAX ? 1000 : 200,
                            .max_bytes = max_bytes};
    unsigned last = first + (PERSONS - first) / step * step;
    unsigned wanted = descending ? last : first, found = 0;
    struct dbk_rows rows = {0};

    do {
        assert_int_equal(
            dbk_read_persons(model, &page, filter, events_limit, &rows, &err), DBK_OK);
        assert_true(rows.count > 0 && rows.count <= page.limit);
        assert_true(rows.count == 1 || rows.json.length <= max_bytes);
        for (size_t i = 0; i < rows.count; i++, found++) {
            assert_int_equal(rows.rows[i].cursor, wanted);
            assert_same(&rows, i, &alone[wanted - 1]);
            page.after = wanted;
            wanted += descending ? -step : step;
        }
    } while (rows.more);
    assert_int_equal(found, (PERSONS - first) / step + 1);
    dbk_rows_finish(&rows);
}

static void each_looks_as_if_asked_for_alone(void **state)
{
    static const unsigned limits[] = {0, 1, 3, 29, 30, 31, 100, 101};
    static const size_t bytes[] = {SIZE_MAX, 100000, 9000};
    const struct dbk_person_filter pro = {.properties =
                                              dbk_slice("{\"plan\": \"pro\"}")};

    (void)state;
    dbk_read_model_rearranged(model, 1); /* totals may be kept from now on */
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct dbk_rows *alone = ask_alone(limits[i]);

        for (size_t k = i % 2; k < sizeof bytes / sizeof *bytes; k++) {
            assert_listed(alone, limits[i], &everybody, 1, 1, i % 2, bytes[k]);
            assert_listed(alone, limits[i], &pro, 3, 7, k % 2, bytes[k]);
        }
        for (size_t k = 0; k < PERSONS; k++)
            dbk_rows_finish(&alone[k]);
        free(alone);
    }
}

static size_t list(unsigned after, unsigned limit,
                   const struct dbk_person_filter *filter)
{
    const struct dbk_page page = {
        .after = after, .limit = limit, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};
    size_t count;

    assert_int_equal(dbk_read_persons(model, &page, filter, 100, &rows, &err), DBK_OK);
    count = rows.count;
    dbk_rows_finish(&rows);
    return count;
}

/* How large they are is known from the list before. */
static void many_are_asked_for_by_one_statement(void **state)
{
    (void)state;
    list(9, 90, &everybody);
    statements = 0;
    assert_int_equal(list(9, 90, &everybody), 90);
    assert_int_equal(statements, 1);
    assert_int_equal(list(200, 100, &everybody), 100);
    assert_int_equal(statements, 2);
}

static void who_goes_meanwhile_is_left_out(void **state)
{
    const struct dbk_person_filter pro = {.properties =
                                              dbk_slice("{\"plan\": \"pro\"}")};

    (void)state;
    assert_int_equal(list(200, 100, &pro), 14);
    meanwhile = "delete from person where created_sequence in (206, 269, 297)";
    assert_int_equal(list(200, 100, &pro), 11);
    assert_null(meanwhile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_looks_as_if_asked_for_alone),
        cmocka_unit_test(many_are_asked_for_by_one_statement),
        cmocka_unit_test(who_goes_meanwhile_is_left_out),
    };

    database = scratch_database("test_person_stream");
    return cmocka_run_group_tests(tests, start_with_large, tear_down) != 0;
}
