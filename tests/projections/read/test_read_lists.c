/* What the read model answers of many: filters, order, pages, counts. */
#include "read_world.h"

/* Cursors of all pages, as text "1,2,3"; the pages checked to keep their bounds. */
static char *list_events(bool descending, const struct dbk_event_filter *filter,
                         unsigned limit, size_t max_bytes)
{
    struct dbk_page page = {
        .descending = descending, .limit = limit, .max_bytes = max_bytes};
    struct dbk_rows rows = {0};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    do {
        err.text[0] = '\0';
        dbk_read_events(model, &page, filter, &rows, &err);
        assert_string_equal(err.text, "");
        assert_true(rows.count <= limit);
        assert_true(rows.count == 1 || rows.json.length <= max_bytes);
        assert_true(rows.count > 0 || !rows.more);
        for (size_t i = 0; i < rows.count; i++) {
            assert_true(descending ? !page.after || rows.rows[i].cursor < page.after
                                   : rows.rows[i].cursor > page.after);
            page.after = rows.rows[i].cursor;
            fprintf(stream, "%llu,", (unsigned long long)page.after);
        }
    } while (rows.more);
    dbk_rows_finish(&rows);
    fclose(stream);
    return text;
}

static void assert_lists_in(bool descending, const struct dbk_event_filter *filter,
                            const char *where)
{
    static const struct {
        unsigned limit;
        size_t max_bytes;
    } pages[] = {{10000, SIZE_MAX}, {300, SIZE_MAX}, {256, SIZE_MAX}, {10000, 100000}};
    char sql[600], *expected, *found;

    snprintf(
        sql, sizeof sql,
        "select coalesce(string_agg(sequence || ',', '' order by sequence %s), '') "
        "from event where %s",
        descending ? "desc" : "", where);
    expected = sql_text(sql);
    for (size_t i = descending; i < sizeof pages / sizeof *pages; i += 1 + descending) {
        found = list_events(descending, filter, pages[i].limit, pages[i].max_bytes);
        assert_string_equal(found, expected);
        free(found);
    }
    free(expected);
}

static void assert_counts(const struct dbk_event_filter *filter, const char *where)
{
    struct dbk_count count = {0};
    char sql[600], *expected;

    snprintf(sql, sizeof sql, "select count(*)::text from event where %s", where);
    expected = sql_text(sql);
    err.text[0] = '\0';
    dbk_count_events(model, filter, true, &count, &err);
    assert_string_equal(err.text, "");
    assert_true(count.exact);
    assert_int_equal(count.rows, atoi(expected));
    free(expected);
}

static void assert_lists(const struct dbk_event_filter *filter, const char *where)
{
    assert_counts(filter, where);
    assert_lists_in(false, filter, where);
    assert_lists_in(true, filter, where);
}

static void every_combination_of_filters_finds_its_events(void **state)
{
    static const char *const of_types[] = {"", " and event_type = 'click'", "",
                                           " and event_type in ('click', 'signup')"};

    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        struct dbk_event_filter filter = {.has_person_id = bits & 1,
                                          .person_id = id_of("p7"),
                                          .has_since = bits & 4,
                                          .since = at("2023-10-08T10:00:00"),
                                          .has_until = bits & 8,
                                          .until = at("2023-10-09T20:00:00")};
        char where[400];

        if ((bits & 32) && !(bits & 2))
            continue; /* one type is as good as the other */
        if (bits & 2)
            filter.event_types[filter.event_types_count++] = dbk_slice("click");
        if (bits & 32)
            filter.event_types[filter.event_types_count++] = dbk_slice("signup");
        if (bits & 16)
            filter.properties = dbk_slice("{\"bot\": true, \"w\": {}}");
        snprintf(where, sizeof where, "true%s%s%s%s%s",
                 bits & 1 ? " and person_id = md5('p7')::uuid" : "",
                 of_types[(bits >> 4 & 2) | (bits >> 1 & 1)],
                 bits & 4 ? " and datetime_created >= '2023-10-08 10:00'" : "",
                 bits & 8 ? " and datetime_created < '2023-10-09 20:00'" : "",
                 bits & 16 ? " and (properties->>'bot')::bool" : "");
        assert_lists(&filter, where);
    }
}

static void where_many_match_they_are_all_found_too(void **state)
{
    struct dbk_event_filter filter = {.properties = dbk_slice("{\"bulk\": true}")};

    (void)state;
    assert_lists(&filter, "event_type = 'bulk'");
    filter = (struct dbk_event_filter){.has_since = true,
                                       .since = at("2023-10-09T00:00:00")};
    assert_lists(&filter, "datetime_created >= '2023-10-09'");
    filter = (struct dbk_event_filter){.has_person_id = true,
                                       .person_id = id_of("p200"),
                                       .event_types_count = 1,
                                       .event_types = {dbk_slice("bulk")}};
    assert_lists(&filter, "event_type = 'bulk'");
}

static void events_of_an_anonymous_id_are_found_whosever_they_are(void **state)
{
    struct dbk_event_filter filter = {.anonymous_id = dbk_slice("a1")};

    (void)state;
    assert_lists(&filter, "anonymous_id = 'a1'");
    filter.event_types_count = 1;
    filter.event_types[0] = dbk_slice("click");
    assert_lists(&filter, "anonymous_id = 'a1' and event_type = 'click'");
    filter = (struct dbk_event_filter){.anonymous_id = dbk_slice("a0"),
                                       .has_person_id = true,
                                       .person_id = id_of("p9")};
    assert_lists(&filter, "anonymous_id = 'a0'");
    filter.person_id = id_of("p7");
    assert_lists(&filter, "false");
}

/* Cursors of all pages, backwards or not. */
static void assert_persons(const struct dbk_person_filter *filter, uint64_t first,
                           uint64_t step, uint64_t last)
{
    struct dbk_rows rows = {0};
    struct dbk_count count = {0};

    for (int descending = 0; descending < 2; descending++) {
        struct dbk_page page = {.descending = descending,
                                .limit = last - first > 1000 ? 5000 : 5,
                                .max_bytes = SIZE_MAX};
        uint64_t expected = descending ? last : first;
        size_t found = 0;
        do {
            assert_int_equal(dbk_read_persons(model, &page, filter, 1, &rows, &err),
                             DBK_OK);
            for (size_t i = 0; i < rows.count; i++, found++) {
                assert_int_equal(rows.rows[i].cursor, expected);
                page.after = expected;
                expected += descending ? -step : step;
            }
        } while (rows.more);
        assert_int_equal(found, (last - first) / step + 1);
        assert_int_equal(dbk_count_persons(model, filter, true, &count, &err), DBK_OK);
        assert_int_equal(count.rows, found);
    }
    dbk_rows_finish(&rows);
}

static void persons_are_found_by_their_properties(void **state)
{
    const struct dbk_person_filter pro = {.properties =
                                              dbk_slice("{\"plan\": \"pro\"}")},
                                   one = {.properties = dbk_slice("{\"n\": 24}")},
                                   p21 = {.has_id = true, .id = id_of("p21")};
    struct dbk_person_filter both = {
        .has_id = true, .id = id_of("p7"), .properties = dbk_slice("{\"n\": 24}")};
    const struct dbk_page page = {.limit = 5, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};

    (void)state;
    assert_persons(&pro, 3, 7, 297);
    assert_persons(&one, 24, 1, 24);
    assert_persons(&p21, 21, 1, 21);
    assert_int_equal(dbk_read_persons(model, &page, &both, 1, &rows, &err), DBK_OK);
    assert_int_equal(rows.count, 0);
    dbk_rows_finish(&rows);
}

/* More than are looked up and sorted. */
static void many_persons_with_a_property_are_all_found_too(void **state)
{
    const struct dbk_person_filter bulk = {.properties = dbk_slice("{\"bulk\": 1}")};
    struct pg *pg = scratch_open(&database);

    (void)state;
    scratch_script(pg, "insert into person select md5('q' || i)::uuid, 100000 + i, "
                       "100000 + i, '2023-10-08', '2023-10-08', 'q' || i, 'Q', 'Q', "
                       "'user', 'q' || i, '{\"bulk\": 1}' from generate_series(1, "
                       "10002) i");
    assert_persons(&bulk, 100001, 1, 110002);
    scratch_script(pg, "delete from person where created_sequence > 100000");
    scratch_script(pg, "vacuum analyze person");
    pg_close(pg);
}

static void filters_that_match_nothing_find_nothing(void **state)
{
    struct dbk_event_filter filter = {.event_types_count = 1,
                                      .event_types = {dbk_slice("no.such")}};

    (void)state;
    assert_lists(&filter, "false");
    filter =
        (struct dbk_event_filter){.has_person_id = true, .person_id = id_of("nobody")};
    assert_lists(&filter, "false");
    filter = (struct dbk_event_filter){.properties = dbk_slice("{\"n\": -1}")};
    assert_lists(&filter, "false");
}

static void assert_filters_leave_out(const struct dbk_uuid *ids, size_t count)
{
    const struct dbk_event_filter filters[] = {
        {.without_count = 0},
        {.event_types_count = 1, .event_types = {dbk_slice("click")}},
        {.event_types_count = 2,
         .event_types = {dbk_slice("click"), dbk_slice("signup")}},
        {.properties = dbk_slice("{\"bot\": true}")},
        {.has_since = true, .since = 0},
        {.anonymous_id = dbk_slice("a0")},
        {.has_person_id = true, .person_id = ids[0]},
    };
    static const char *const wheres[] = {"true",
                                         "event_type = 'click'",
                                         "event_type in ('click', 'signup')",
                                         "properties @> '{\"bot\": true}'",
                                         "datetime_created >= '1970-01-01'",
                                         "anonymous_id = 'a0'",
                                         "false"};

    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct dbk_event_filter filter = filters[i];
        char where[400];

        filter.without = ids;
        filter.without_count = count;
        snprintf(where, sizeof where,
                 "(person_id in (md5('p7')::uuid, md5('p9')::uuid)) is not true and %s",
                 wheres[i]);
        assert_lists(&filter, where);
    }
}

/* Nobody's events are not theirs. */
static void those_who_are_left_out_are_in_no_list(void **state)
{
    struct dbk_person_filter persons = {.without_count = 2};
    struct dbk_page page = {.limit = 10000, .max_bytes = SIZE_MAX};
    struct dbk_count count = {0};
    struct dbk_rows rows = {0};
    const struct dbk_uuid ids[2] = {id_of("p7"), id_of("p9")};
    char *text = sql_text("select count(*)::text from person");
    size_t all = (size_t)atoi(text);
    (void)state;

    free(text);
    assert_filters_leave_out(ids, 2);
    persons.without = ids;
    assert_int_equal(dbk_read_persons(model, &page, &persons, 1, &rows, &err), DBK_OK);
    assert_int_equal(rows.count, all - 2);
    for (size_t i = 0; i < rows.count; i++)
        assert_false(dbk_uuid_equal(&rows.rows[i].person_id, &ids[0]) ||
                     dbk_uuid_equal(&rows.rows[i].person_id, &ids[1]));
    assert_int_equal(dbk_count_persons(model, &persons, true, &count, &err), DBK_OK);
    assert_int_equal(count.rows, all - 2);
    dbk_rows_finish(&rows);
}

static void times_are_taken_from_since_on_and_before_until(void **state)
{
    struct dbk_event_filter filter = {.has_since = true,
                                      .since = at("2023-10-08T00:05:00"),
                                      .has_until = true,
                                      .until = at("2023-10-08T00:07:00")};
    char *found = list_events(false, &filter, 10, SIZE_MAX);

    (void)state;
    assert_string_equal(found, "1005,1006,");
    free(found);
}

static void assert_about(const struct dbk_count *count, uint64_t expected)
{
    assert_false(count->exact);
    if (count->rows < expected / 2 || count->rows > expected * 2)
        fail_msg("%llu, where there are %llu", (unsigned long long)count->rows,
                 (unsigned long long)expected);
}

static void the_planner_estimates_how_many_match(void **state)
{
    const struct dbk_event_filter any = {0},
                                  click = {.event_types_count = 1,
                                           .event_types = {dbk_slice("click")}},
                                  bulk = {.has_since = true,
                                          .since = at("2024-01-01T00:00:00")};
    struct dbk_count count = {0};

    (void)state;
    assert_int_equal(dbk_count_events(model, &any, false, &count, &err), DBK_OK);
    assert_about(&count, 14000);
    assert_int_equal(dbk_count_events(model, &click, false, &count, &err), DBK_OK);
    assert_about(&count, 1000);
    assert_int_equal(dbk_count_events(model, &bulk, false, &count, &err), DBK_OK);
    assert_about(&count, 11000);
    assert_int_equal(dbk_count_persons(model, &everybody, false, &count, &err), DBK_OK);
    assert_about(&count, 300);
    assert_int_equal(dbk_count_persons(model, &everybody, true, &count, &err), DBK_OK);
    assert_true(count.exact);
    assert_int_equal(count.rows, 300);
}

/* Each row takes a moment, so all of them take longer than is waited. */
static void what_takes_too_long_to_count_is_estimated(void **state)
{
    const struct dbk_event_filter any = {0};
    struct pg *pg = scratch_open(&database);
    struct dbk_read_model *hasty;
    struct dbk_count count = {0};

    (void)state;
    scratch_script(pg, "alter table event rename to event_kept; create view event as "
                       "select * from event_kept where pg_sleep(0.01) is not null");
    assert_int_equal(dbk_read_model_open(&database, 2, 700, &hasty, &err), DBK_OK);
    err.text[0] = '\0';
    assert_int_equal(dbk_count_events(hasty, &any, true, &count, &err), DBK_OK);
    assert_about(&count, 14000);
    dbk_read_model_close(hasty);
    scratch_script(pg, "drop view event; alter table event_kept rename to event");
    pg_close(pg);
}

static void what_no_json_is_is_invalid(void **state)
{
    const struct dbk_page page = {.limit = 10, .max_bytes = SIZE_MAX};
    struct dbk_event_filter filter = {.properties = dbk_slice("{\"a\":")};
    struct dbk_rows rows = {0};

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_INVALID);
    filter.properties = (struct dbk_slice){"{}\0", 3};
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_INVALID);
    filter =
        (struct dbk_event_filter){.event_types_count = 1, .event_types = {{"\xff", 1}}};
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_INVALID);
    dbk_rows_finish(&rows);
}

static void a_single_row_may_pass_the_bound_of_bytes(void **state)
{
    const struct dbk_event_filter filter = {.event_types_count = 1,
                                            .event_types = {dbk_slice("page_edit")}};
    const struct dbk_page page = {.limit = 10, .max_bytes = 1};
    struct dbk_rows rows = {0};

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_OK);
    assert_int_equal(rows.count, 1);
    assert_true(rows.more);
    dbk_rows_finish(&rows);
}

static void persons_come_in_order_of_creation_page_by_page(void **state)
{
    static const unsigned limits[] = {1000, 300, 100, 64, 7};
    struct dbk_rows rows = {0};

    (void)state;
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        struct dbk_page page = {.limit = limits[l], .max_bytes = SIZE_MAX};
        uint64_t expected = 0;

        do {
            err.text[0] = '\0';
            dbk_read_persons(model, &page, &everybody, 3, &rows, &err);
            assert_string_equal(err.text, "");
            assert_true(rows.count <= limits[l]);
            for (size_t i = 0; i < rows.count; i++) {
                assert_int_equal(rows.rows[i].cursor, ++expected);
                assert_int_equal(rows.rows[i].version, 2 * expected);
            }
            page.after = expected;
        } while (rows.more);
        assert_int_equal(expected, 300);
    }
    dbk_rows_finish(&rows);
}

static void persons_come_backwards_too(void **state)
{
    struct dbk_page page = {.descending = true, .limit = 70, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};
    uint64_t expected = 300;

    (void)state;
    do {
        assert_int_equal(dbk_read_persons(model, &page, &everybody, 3, &rows, &err),
                         DBK_OK);
        for (size_t i = 0; i < rows.count; i++, expected--)
            assert_int_equal(rows.rows[i].cursor, expected);
        page.after = expected + 1;
    } while (rows.more);
    assert_int_equal(expected, 0);
    dbk_rows_finish(&rows);
}

static void behind_the_last_there_is_nothing(void **state)
{
    const struct dbk_event_filter any = {0};
    const struct dbk_page page = {
        .after = UINT64_MAX, .limit = 5, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &any, &rows, &err), DBK_OK);
    assert_int_equal(rows.count, 0);
    assert_int_equal(dbk_read_persons(model, &page, &everybody, 5, &rows, &err),
                     DBK_OK);
    assert_int_equal(rows.count, 0);
    assert_false(rows.more);
    dbk_rows_finish(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_filters_finds_its_events),
        cmocka_unit_test(where_many_match_they_are_all_found_too),
        cmocka_unit_test(events_of_an_anonymous_id_are_found_whosever_they_are),
        cmocka_unit_test(persons_are_found_by_their_properties),
        cmocka_unit_test(many_persons_with_a_property_are_all_found_too),
        cmocka_unit_test(filters_that_match_nothing_find_nothing),
        cmocka_unit_test(those_who_are_left_out_are_in_no_list),
        cmocka_unit_test(times_are_taken_from_since_on_and_before_until),
        cmocka_unit_test(the_planner_estimates_how_many_match),
        cmocka_unit_test(what_takes_too_long_to_count_is_estimated),
        cmocka_unit_test(what_no_json_is_is_invalid),
        cmocka_unit_test(a_single_row_may_pass_the_bound_of_bytes),
        cmocka_unit_test(persons_come_in_order_of_creation_page_by_page),
        cmocka_unit_test(persons_come_backwards_too),
        cmocka_unit_test(behind_the_last_there_is_nothing),
    };

    database = scratch_database("test_read_lists");
    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
