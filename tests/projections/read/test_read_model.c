/* What the read model answers, compared with what SQL of the plainest kind finds. */
#include "projections/migrate.h"
#include "projections/model_json.h"
#include "projections/read_model.h"
#include "scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dbk_database database;
static struct dbk_read_model *model;
static struct dbk_error err;
static const struct dbk_person_filter everybody;

enum { asked_count = 20 };
static struct dbk_uuid asked_persons[asked_count];

/* 300 persons; 3,000 events of the first 100 of them in turn, of which one in ten is all
 * person 7's, and 11,000 "bulk" of person 200, so that there are many; and 30 of the
 * anonymous ids a0 to a2, of which a0 is person 9's. One in seven persons has properties
 * and an external id. */
static const char *const data =
    "insert into person select md5('p' || i)::uuid, i * 2, i, "
    "  timestamp '2023-10-08 06:03:33.330037' + i * interval '1 s', "
    "  timestamp '2023-10-09' + i * interval '1 s', "
    "  'p' || i || '@test.mock', 'F\"' || i, E'L\\\\\\n' || i, "
    "  case when i % 5 = 0 then 'admin' else 'user' end from generate_series(1, 300) "
    "i; "
    "alter table event alter column received set default '2023-10-08'; "
    "insert into event select md5('e' || i)::uuid, 1000 + i, "
    "  md5('p' || case when i % 10 = 0 then 7 else 1 + i % 100 end)::uuid, "
    "  (array['click', 'signup', 'page_edit'])[1 + i % 3], "
    "  timestamp '2023-10-08' + i * interval '1 minute', "
    "  case when i % 4 = 0 then null "
    "       else jsonb_build_object('bot', i % 2 = 0, 'n', i, 'w', jsonb_build_object("
    "         'x', i % 50)) end "
    "from generate_series(1, 3000) i; "
    "insert into event select md5('b' || i)::uuid, 5000 + i, md5('p200')::uuid, "
    "'bulk', "
    "  timestamp '2024-01-01' + i * interval '1 s', '{\"bulk\": true}' "
    "from generate_series(1, 11000) i; "
    "insert into event (id, sequence, person_id, event_type, datetime_created, "
    "  anonymous_id) select md5('a' || i)::uuid, 20000 + i, "
    "  case when i % 3 = 0 then md5('p9')::uuid end, "
    "  (array['click', 'page_view'])[1 + i % 2], '2023-10-08 12:00', 'a' || i % 3 "
    "from generate_series(1, 30) i; "
    "update person set properties = jsonb_build_object('plan', 'pro', 'n', "
    "  created_sequence), external_id = 'x' || created_sequence "
    "where created_sequence % 7 = 3; "
    "update person set email = null, first_name = null where created_sequence = 10; "
    "analyze;";

static int start(void **state)
{
    struct pg *pg;

    (void)state;
    scratch_drop(&database);
    if (dbk_migrate_up(&database, NULL, NULL, &err) != DBK_OK)
        return -1;
    pg = scratch_open(&database);
    scratch_script(pg, data);
    pg_close(pg);
    return dbk_read_model_open(&database, 2, 20000, &model, &err) == DBK_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dbk_read_model_close(model);
    scratch_drop(&database);
    return 0;
}

/* The id that md5(name)::uuid gives. */
static struct dbk_uuid id_of(const char *name)
{
    struct pg *pg = scratch_open(&database);
    const struct pg_statement statement = {NULL, "select md5($1::text)::uuid"};
    const struct pg_param param = pg_text(name);
    struct pg_result *result;
    struct dbk_uuid id;

    assert_int_equal(pg_run(pg, &statement, &param, 1, 10000, &result, &err), DBK_OK);
    assert_true(dbk_uuid_parse(pg_value(result, 0, 0).data, DBK_UUID_TEXT, &id));
    pg_clear(result);
    pg_close(pg);
    return id;
}

/* The first column of the first row; to be freed. */
static char *sql_text(const char *sql)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg *pg = scratch_open(&database);
    struct pg_result *result = NULL;
    char *text;

    err.text[0] = '\0';
    pg_run(pg, &statement, NULL, 0, 20000, &result, &err);
    assert_string_equal(err.text, "");
    text = strdup(pg_value(result, 0, 0).data);
    pg_clear(result);
    pg_close(pg);
    return text;
}

static void assert_row(const struct dbk_rows *rows, size_t i, const char *expected)
{
    char *json = strndup(rows->json.text + rows->rows[i].offset, rows->rows[i].length);

    assert_string_equal(json, expected);
    free(json);
}

static void an_event_is_answered_in_the_shape_of_the_api(void **state)
{
    const struct dbk_event_filter of_p2 = {.has_person_id = true,
                                           .person_id = id_of("p2")},
                                  of_p5 = {.has_person_id = true,
                                           .person_id = id_of("p5")};
    const struct dbk_page first = {.limit = 1, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};
    char *expected;

    (void)state;
    assert_int_equal(dbk_read_events(model, &first, &of_p2, &rows, &err), DBK_OK);
    assert_int_equal(rows.rows[0].version, 1001);
    expected =
        sql_text("select '{\"id\":\"' || md5('e1')::uuid || '\",\"datetime_created\":"
                 "\"2023-10-08T00:01:00.000000\",\"event_type\":\"signup\","
                 "\"person_id\":\"' || md5('p2')::uuid || '\",\"properties\":"
                 "{\"n\": 1, \"w\": {\"x\": 1}, \"bot\": false}}'");
    assert_row(&rows, 0, expected);
    free(expected);
    assert_int_equal(dbk_read_events(model, &first, &of_p5, &rows, &err), DBK_OK);
    expected =
        sql_text("select '{\"id\":\"' || md5('e4')::uuid || '\",\"datetime_created\":"
                 "\"2023-10-08T00:04:00.000000\",\"event_type\":\"signup\","
                 "\"person_id\":\"' || md5('p5')::uuid || '\"}'");
    assert_row(&rows, 0, expected);
    free(expected);
    dbk_rows_finish(&rows);
}

static void a_person_is_answered_with_its_newest_events_oldest_first(void **state)
{
    struct dbk_uuid id = id_of("p7"), none = id_of("nobody");
    struct dbk_rows rows = {0};
    char *expected;

    (void)state;
    assert_int_equal(dbk_read_person(model, &id, 2, &rows, &err), DBK_OK);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].cursor, 7);
    assert_int_equal(rows.rows[0].version, 14);
    expected = sql_text(
        "select "
        "format('{\"id\":\"%1$s\",\"datetime_created\":\"2023-10-08T06:03:40.330037\","
        "\"datetime_modified\":\"2023-10-09T00:00:07.000000\",\"email\":\"p7@test."
        "mock\","
        "\"events\":[{\"id\":\"%2$s\",\"datetime_created\":\"2023-10-10T01:50:00."
        "000000\","
        "\"event_type\":\"page_edit\",\"person_id\":\"%1$s\",\"properties\":{\"n\": "
        "2990, "
        "\"w\": {\"x\": 40}, \"bot\": true}},"
        "{\"id\":\"%3$s\",\"datetime_created\":\"2023-10-10T02:00:00.000000\","
        "\"event_type\":\"click\",\"person_id\":\"%1$s\"}],"
        "\"first_name\":\"F\\\"7\",\"last_name\":\"L\\\\\\n7\",\"role\":\"user\","
        "\"events_total\":%4$s,"
        "\"events_next\":\"/events?person_id=%1$s&order=desc&after=%5$s\"}', "
        "md5('p7')::uuid, md5('e2990')::uuid, md5('e3000')::uuid, "
        "(select count(*) from event where person_id = md5('p7')::uuid), "
        "(select sequence from event where id = md5('e2990')::uuid))");
    assert_row(&rows, 0, expected);
    free(expected);
    assert_int_equal(dbk_read_person(model, &none, 2, &rows, &err), DBK_NOT_FOUND);
    dbk_rows_finish(&rows);
}

static void a_person_without_events_has_an_empty_list(void **state)
{
    struct dbk_uuid id = id_of("p300"), busy = id_of("p7");
    struct dbk_rows rows = {0};

    (void)state;
    assert_int_equal(dbk_read_person(model, &id, 100, &rows, &err), DBK_OK);
    assert_non_null(memmem(rows.json.text, rows.json.length, "\"events\":[],", 12));
    assert_int_equal(dbk_read_person(model, &busy, 0, &rows, &err), DBK_OK);
    assert_non_null(memmem(rows.json.text, rows.json.length, "\"events\":[],", 12));
    dbk_rows_finish(&rows);
}

static size_t count_events(const struct dbk_rows *rows)
{
    static const char key[] = "\"event_type\":";
    const char *found = rows->json.text, *end = rows->json.text + rows->json.length;
    size_t count = 0;

    while ((found = memmem(found, (size_t)(end - found), key, sizeof key - 1))) {
        found += sizeof key - 1;
        count++;
    }
    return count;
}

static void add_large(unsigned first, unsigned last, unsigned size)
{
    struct pg *pg = scratch_open(&database);
    char sql[400];

    snprintf(sql, sizeof sql,
             "insert into event select md5('large' || i)::uuid, 100000 + i, "
             "md5('p299')::uuid, 'large', timestamp '2025-01-01', "
             "jsonb_build_object('n', i, 'text', repeat('x', %u)) "
             "from generate_series(%u, %u) i",
             size, first, last);
    scratch_script(pg, sql);
    pg_close(pg);
}

static void remove_large(void)
{
    struct pg *pg = scratch_open(&database);

    scratch_script(pg, "delete from event where event_type = 'large'");
    pg_close(pg);
}

/* 17 of 60,000 bytes are what goes into 1 MiB. */
static void a_person_carries_no_more_events_than_come_to_a_mebibyte(void **state)
{
    const struct dbk_page page = {.after = 298, .limit = 1, .max_bytes = SIZE_MAX};
    struct dbk_uuid id = id_of("p299");
    struct dbk_rows rows = {0};

    (void)state;
    add_large(1, 40, 60000);
    assert_int_equal(dbk_read_person(model, &id, 1000, &rows, &err), DBK_OK);
    assert_int_equal(count_events(&rows), 17);
    assert_null(memmem(rows.json.text, rows.json.length, "\"n\": 23,", 8));
    assert_non_null(memmem(rows.json.text, rows.json.length, "\"n\": 24,", 8));
    assert_non_null(memmem(rows.json.text, rows.json.length, "\"n\": 40,", 8));
    assert_int_equal(dbk_read_persons(model, &page, &everybody, 1000, &rows, &err),
                     DBK_OK);
    assert_int_equal(rows.count, 1);
    assert_int_equal(count_events(&rows), 17);
    remove_large();
    dbk_rows_finish(&rows);
}

static void a_persons_newest_event_is_shown_whatever_its_size(void **state)
{
    struct dbk_uuid id = id_of("p299");
    struct dbk_rows rows = {0};

    (void)state;
    add_large(1, 2, 2000000);
    assert_int_equal(dbk_read_person(model, &id, 1000, &rows, &err), DBK_OK);
    assert_int_equal(count_events(&rows), 1);
    assert_non_null(memmem(rows.json.text, rows.json.length, "\"n\": 2,", 7));
    remove_large();
    dbk_rows_finish(&rows);
}

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

static dbk_timestamp at(const char *text)
{
    dbk_timestamp out;

    assert_true(dbk_timestamp_parse(text, strlen(text), &out));
    return out;
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

static void assert_has(const struct dbk_rows *rows, const char *text)
{
    if (!memmem(rows->json.text, rows->json.length, text, strlen(text)))
        fail_msg("no %s in %.*s", text, (int)rows->json.length, rows->json.text);
}

static void an_anonymous_event_is_shown_with_its_id(void **state)
{
    const struct dbk_event_filter unclaimed = {.anonymous_id = dbk_slice("a1")},
                                  claimed = {.anonymous_id = dbk_slice("a0")};
    const struct dbk_page page = {.limit = 1, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {.shown = DBK_SHOW_USUAL | DBK_SHOW_RECEIVED};
    const struct dbk_uuid p9 = id_of("p9");

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &unclaimed, &rows, &err), DBK_OK);
    assert_has(&rows, "\"person_id\":null,\"anonymous_id\":\"a1\","
                      "\"received\":\"2023-10-08T00:00:00.000000\"}");
    assert_true(dbk_uuid_is_nil(&rows.rows[0].person_id));
    assert_int_equal(dbk_read_events(model, &page, &claimed, &rows, &err), DBK_OK);
    assert_memory_equal(&rows.rows[0].person_id, &p9, sizeof p9);
    rows.shown = 0;
    assert_int_equal(dbk_read_person(model, &p9, 1, &rows, &err), DBK_OK);
    assert_has(&rows, "\",\"anonymous_id\":\"a0\"}],");
    dbk_rows_finish(&rows);
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

static void only_what_is_asked_for_is_shown(void **state)
{
    const struct dbk_event_filter of_p2 = {.has_person_id = true,
                                           .person_id = id_of("p2")};
    const struct dbk_page page = {.limit = 1, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {.shown = DBK_SHOW_EVENT_TYPE | DBK_SHOW_DATETIME_CREATED,
                            .json.zone = true};

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &of_p2, &rows, &err), DBK_OK);
    assert_row(&rows, 0,
               "{\"datetime_created\":\"2023-10-08T00:01:00.000000Z\","
               "\"event_type\":\"signup\"}");
    assert_memory_equal(&rows.rows[0].person_id, &of_p2.person_id, 16);
    rows.shown = DBK_SHOW_LAST_NAME | DBK_SHOW_EMAIL;
    assert_int_equal(dbk_read_persons(model, &page, &everybody, 1, &rows, &err),
                     DBK_OK);
    assert_row(&rows, 0, "{\"email\":\"p1@test.mock\",\"last_name\":\"L\\\\\\n1\"}");
    assert_int_equal(dbk_read_person(model, &of_p2.person_id, 1, &rows, &err), DBK_OK);
    assert_row(&rows, 0, "{\"email\":\"p2@test.mock\",\"last_name\":\"L\\\\\\n2\"}");
    rows.shown = DBK_SHOW_ROLE;
    assert_int_equal(dbk_read_persons(model, &page, &everybody, 1, &rows, &err),
                     DBK_OK);
    assert_row(&rows, 0, "{\"role\":\"user\"}");
    dbk_rows_finish(&rows);
}

/* Lists are written by PostgreSQL, and single ones here. */
static void a_listed_person_looks_like_one_asked_for(void **state)
{
    const struct dbk_page page = {.limit = 300, .max_bytes = SIZE_MAX};
    struct dbk_rows listed = {0}, single = {0};

    (void)state;
    assert_int_equal(dbk_read_persons(model, &page, &everybody, 100, &listed, &err),
                     DBK_OK);
    assert_int_equal(listed.count, 300);
    for (size_t i = 0; i < listed.count; i++) {
        const char *json = listed.json.text + listed.rows[i].offset;
        struct dbk_uuid id;

        assert_true(dbk_uuid_parse(json + strlen("{\"id\":\""), DBK_UUID_TEXT, &id));
        assert_int_equal(dbk_read_person(model, &id, 100, &single, &err), DBK_OK);
        assert_int_equal(listed.rows[i].length, single.json.length);
        assert_memory_equal(json, single.json.text, single.json.length);
        assert_int_equal(listed.rows[i].cursor, single.rows[0].cursor);
        assert_int_equal(listed.rows[i].version, single.rows[0].version);
    }
    dbk_rows_finish(&listed);
    dbk_rows_finish(&single);
}

static void an_event_looks_the_same_wherever_it_is_found(void **state)
{
    struct dbk_event_filter filter = {.has_person_id = true, .person_id = id_of("p7")};
    struct dbk_page page = {.after = 3989, .limit = 2, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0}, person = {0};
    char *json;

    (void)state;
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_OK);
    json = strndup(rows.json.text + rows.rows[0].offset, rows.rows[0].length);
    assert_int_equal(dbk_read_person(model, &filter.person_id, 2, &person, &err),
                     DBK_OK);
    assert_non_null(memmem(person.json.text, person.json.length, json, strlen(json)));
    filter.event_types_count = 1;
    filter.event_types[0] = dbk_slice("page_edit");
    assert_int_equal(dbk_read_events(model, &page, &filter, &rows, &err), DBK_OK);
    assert_row(&rows, 0, json);
    free(json);
    dbk_rows_finish(&rows);
    dbk_rows_finish(&person);
}

/* What many threads ask for at once is asked of PostgreSQL together. */
static void *ask_again_and_again(void *argument)
{
    const unsigned first = *(const unsigned *)argument;
    struct dbk_rows rows = {0};
    struct dbk_error mine;
    size_t wrong = 0;

    for (unsigned i = first; i < first + 200; i++) {
        const unsigned place = i % asked_count;
        const bool none = i % 7 == 0;
        struct dbk_uuid id = asked_persons[place];
        char text[DBK_UUID_TEXT + 1];
        enum dbk_code code;

        if (none)
            memset(id.bytes, 0xAB, sizeof id.bytes);
        code = dbk_read_person(model, &id, i % 5, &rows, &mine);
        dbk_uuid_format(&id, text);
        if (none)
            wrong += code != DBK_NOT_FOUND || rows.count != 0;
        else
            wrong +=
                code != DBK_OK || rows.count != 1 ||
                memcmp(rows.json.text + strlen("{\"id\":\""), text, DBK_UUID_TEXT) != 0;
    }
    dbk_rows_finish(&rows);
    return (void *)wrong;
}

static void each_of_many_threads_gets_what_it_asked_for(void **state)
{
    pthread_t threads[16];
    unsigned firsts[16];

    (void)state;
    for (unsigned i = 0; i < asked_count; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", i + 1);
        asked_persons[i] = id_of(name);
    }
    for (unsigned i = 0; i < 16; i++) {
        firsts[i] = i * 3;
        assert_int_equal(
            pthread_create(&threads[i], NULL, ask_again_and_again, &firsts[i]), 0);
    }
    for (unsigned i = 0; i < 16; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
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

/* The plan of a statement, made as the read model's sessions make theirs. */
static char *plan_of(const char *file, const char *arguments)
{
    struct pg *pg = scratch_open(&database);
    char path[300], sql[8000], body[6000] = "", *text = NULL;
    struct pg_statement statement = {NULL, sql};
    struct pg_result *result = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    snprintf(path, sizeof path, "%s/src/projections/sql/read/%s.sql",
             strstr(file, "_desc") ? BINARY_DIR : SOURCE_DIR, file);
    FILE *source = fopen(path, "r");
    assert_non_null(source);
    assert_true(fread(body, 1, sizeof body - 1, source) > 0);
    fclose(source);
    snprintf(sql, sizeof sql,
             "set enable_seqscan = off; set enable_sort = off; "
             "set plan_cache_mode = force_generic_plan; prepare it as %s",
             body);
    scratch_script(pg, sql);
    snprintf(sql, sizeof sql, "explain (costs off) execute it(%s)", arguments);
    err.text[0] = '\0';
    pg_run(pg, &statement, NULL, 0, 10000, &result, &err);
    assert_string_equal(err.text, "");
    for (size_t i = 0; i < pg_rows(result); i++)
        fprintf(stream, "%s\n", pg_value(result, i, 0).data);
    fclose(stream);
    pg_clear(result);
    pg_close(pg);
    return text;
}

/* Whether it sorts what it walks along. The few events of a person, which string_agg puts in
 * order itself, may come to it sorted from PostgreSQL 16 on. */
static bool sorts(const char *plan)
{
    const char *line = plan, *before = "", *end;

    for (; *line; before = line, line = end + 1) {
        bool fed = strncmp(before + strspn(before, " "), "->  Aggregate", 13) == 0;
        const char *node = strstr(line, "Sort\n");

        end = strchr(line, '\n');
        if (node && node < end && !fed)
            return true;
    }
    return false;
}

static void every_list_walks_along_the_index_it_means(void **state)
{
    static const struct {
        const char *file, *arguments, *scan;
    } cases[] = {
        {"event_list", "null, null, null, null, null, null, 0, 10",
         "using event_sequence"},
        {"event_list_person", "md5('p7')::uuid, null, null, null, null, null, 0, 10",
         "using event_person"},
        {"event_list_type", "null, '{click}', null, null, null, null, 0, 10",
         "using event_type"},
        {"event_list_types", "null, '{click,signup}', null, null, null, null, 0, 10",
         "using event_type"},
        {"event_list_desc", "null, null, null, null, null, null, 9, 10",
         "Scan Backward using event_sequence"},
        {"event_list_person_desc",
         "md5('p7')::uuid, null, null, null, null, null, 9, 10",
         "Scan Backward using event_person"},
        {"event_list_type_desc", "null, '{click}', null, null, null, null, 9, 10",
         "Scan Backward using event_type"},
        {"event_list_types_desc",
         "null, '{click,signup}', null, null, null, null, 9, 10",
         "Scan Backward using event_type"},
        {"event_list_anonymous", "null, null, null, null, null, 'a1', 0, 10",
         "using event_anonymous"},
        {"event_list_anonymous_desc", "null, null, null, null, null, 'a1', 9, 10",
         "Scan Backward using event_anonymous"},
        {"person_list", "null, null, null, 0, 10", "using person_created_sequence"},
        {"person_list_desc", "null, null, null, 9, 10",
         "Scan Backward using person_created_sequence"},
        {"person_get", "md5('p7')::uuid, 10", "Scan Backward using event_person"},
        {"person_events_count", "array[md5('p7')::uuid], '{0}', '{5000}', 10",
         "Only Scan Backward using event_person"},
        {"person_find", "array[md5('p7')::uuid], 10, 10", "using person_pkey"},
        {"person_find", "array[md5('p7')::uuid], 10, 10",
         "Scan Backward using event_person"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *plan = plan_of(cases[i].file, cases[i].arguments);
        bool merges = strstr(cases[i].file, "_types") != NULL; /* several walks */

        if (!strstr(plan, cases[i].scan) || sorts(plan) != merges ||
            strstr(plan, "Seq Scan"))
            fail_msg("%s:\n%s", cases[i].file, plan);
        free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_answered_in_the_shape_of_the_api),
        cmocka_unit_test(a_person_is_answered_with_its_newest_events_oldest_first),
        cmocka_unit_test(a_person_without_events_has_an_empty_list),
        cmocka_unit_test(a_person_carries_no_more_events_than_come_to_a_mebibyte),
        cmocka_unit_test(a_persons_newest_event_is_shown_whatever_its_size),
        cmocka_unit_test(every_combination_of_filters_finds_its_events),
        cmocka_unit_test(where_many_match_they_are_all_found_too),
        cmocka_unit_test(events_of_an_anonymous_id_are_found_whosever_they_are),
        cmocka_unit_test(an_anonymous_event_is_shown_with_its_id),
        cmocka_unit_test(persons_are_found_by_their_properties),
        cmocka_unit_test(many_persons_with_a_property_are_all_found_too),
        cmocka_unit_test(filters_that_match_nothing_find_nothing),
        cmocka_unit_test(times_are_taken_from_since_on_and_before_until),
        cmocka_unit_test(the_planner_estimates_how_many_match),
        cmocka_unit_test(what_takes_too_long_to_count_is_estimated),
        cmocka_unit_test(what_no_json_is_is_invalid),
        cmocka_unit_test(a_single_row_may_pass_the_bound_of_bytes),
        cmocka_unit_test(persons_come_in_order_of_creation_page_by_page),
        cmocka_unit_test(persons_come_backwards_too),
        cmocka_unit_test(only_what_is_asked_for_is_shown),
        cmocka_unit_test(a_listed_person_looks_like_one_asked_for),
        cmocka_unit_test(an_event_looks_the_same_wherever_it_is_found),
        cmocka_unit_test(each_of_many_threads_gets_what_it_asked_for),
        cmocka_unit_test(behind_the_last_there_is_nothing),
        cmocka_unit_test(every_list_walks_along_the_index_it_means),
    };

    database = scratch_database("test_read_model");
    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
