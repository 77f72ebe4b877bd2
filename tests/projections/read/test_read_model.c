/* What the read model answers of one event and one person, and how each is shown. */
#include "read_world.h"

#include <pthread.h>

enum { asked_count = 20 };
static struct dbk_uuid asked_persons[asked_count];

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_answered_in_the_shape_of_the_api),
        cmocka_unit_test(a_person_is_answered_with_its_newest_events_oldest_first),
        cmocka_unit_test(a_person_without_events_has_an_empty_list),
        cmocka_unit_test(a_person_carries_no_more_events_than_come_to_a_mebibyte),
        cmocka_unit_test(a_persons_newest_event_is_shown_whatever_its_size),
        cmocka_unit_test(an_anonymous_event_is_shown_with_its_id),
        cmocka_unit_test(only_what_is_asked_for_is_shown),
        cmocka_unit_test(a_listed_person_looks_like_one_asked_for),
        cmocka_unit_test(an_event_looks_the_same_wherever_it_is_found),
        cmocka_unit_test(each_of_many_threads_gets_what_it_asked_for),
    };

    database = scratch_database("test_read_model");
    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
