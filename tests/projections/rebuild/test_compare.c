/* Tables that are wrong are told from those that are right. */
#include "compare_world.h"

static void posted_tables_are_equal(void **state)
{
    struct world *world = *state;

    for (uint32_t seed = 1; seed < 4; seed++) {
        post_random(world, seed, 200);
        assert_equal_to_log(world);
    }
}

/* As in rows that come by hand. */
static void how_long_properties_are_need_not_be_said(void **state)
{
    struct world *world = *state;

    post_random(world, 1, 50);
    scratch_script(world->pg, "update event set properties_bytes = null");
    assert_equal_to_log(world);
}

static void each_kind_of_difference_is_named(void **state)
{
    static const char *const expected =
        "changed person a0000000-0000-0000-0000-000000000001 1 first_name, role\n"
        "missing person a0000000-0000-0000-0000-000000000002 2 \n"
        "extra person a0000000-0000-0000-0000-000000000009 77 \n"
        "changed event e0000000-0000-0000-0000-000000000001 3 properties, "
        "properties_bytes\n"
        "missing event e0000000-0000-0000-0000-000000000002 4 \n"
        "extra event e0000000-0000-0000-0000-000000000009 78 \n";
    struct world *world = *state;
    struct dbk_compare_result result;
    struct told told;

    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_record(1, 1, "{\"a\": 1.0}"));
    submit(world, draft_record(2, 1, "{\"a\": 1.0}"));
    submit(world, draft_record(3, 1, "{\"a\": 1.0}"));
    post_random(world, 1, 1);
    scratch_script(
        world->pg,
        "update person set first_name = 'X', role = 'admin' where email = 'a@x.org';"
        "insert into person select 'a0000000-0000-0000-0000-000000000009', 77, 77,"
        " datetime_created, datetime_modified, 'x', 'x', 'x', 'user' from person"
        " where email = 'a@x.org';"
        "delete from person where email = 'b@x.org';"
        /* Equal to PostgreSQL, and yet not what was recorded. */
        "update event set properties = '{\"a\": 1.00}', properties_bytes = 11"
        " where sequence = 3;"
        "alter table event alter column received set default '2023-10-08';"
        "insert into event select 'e0000000-0000-0000-0000-000000000009', 78,"
        " person_id, event_type, datetime_created, null from event where sequence = 3;"
        "delete from event where sequence = 4");
    result = compare(world, &told);
    assert_string_equal(told.lines, expected);
    assert_int_equal(result.changed, 2);
    assert_int_equal(result.missing, 2);
    assert_int_equal(result.extra, 2);
}

static struct dbk_command *draft_at(uint32_t event, uint32_t person, const char *type,
                                    const char *time)
{
    struct dbk_record record = {.type = DBK_EVENT_RECORDED,
                                .subject = event_id(event),
                                .person_id = person_id(person),
                                .event_type = dbk_slice(type),
                                .has_datetime_created = true};

    assert_true(dbk_timestamp_parse(time, strlen(time), &record.datetime_created));
    return draft(&record);
}

static void submit_dated(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_at(1, 1, "signup", "2026-01-01T10:01:00"));
    submit(world, draft_at(2, 1, "signup", "2026-01-01T10:59:59.999999"));
    submit(world, draft_at(3, 2, "signup", "2026-01-01T10:30:00"));
    submit(world, draft_at(4, 2, "signup", "2026-01-01T11:00:00"));
    submit(world, draft_at(5, 2, "click", "2026-01-02T00:00:00"));
}

static void each_statistic_that_is_wrong_is_named(void **state)
{
    static const char *const expected =
        "changed event_hour: signup 2026-01-01T10 is 2, the log says 3; begins "
        "2026-01-01 "
        "10:30:00, the log says 2026-01-01 10:01:00; ends 2026-01-01 10:30:00, the log "
        "says 2026-01-01 10:59:59.999999\n"
        "missing event_hour: signup 2026-01-01T11 is not there, the log says 1\n"
        "extra event_hour: click 2026-01-02T01 is 9, the log says none\n"
        "changed event_day: signup 2026-01-01 is 5, the log says 4\n"
        "missing event_day: click 2026-01-02 is not there, the log says 1\n"
        "extra event_day: click 2026-01-03 is 1, the log says none\n";
    struct world *world = *state;
    struct dbk_compare_result result;
    struct told told;

    submit_dated(world);
    post_random(world, 1, 1);
    assert_equal_to_log(world);
    scratch_script(world->pg,
                   "update event_hour set events = 2, first = '2026-01-01 10:30',"
                   " last = '2026-01-01 10:30' where hour = '2026-01-01 10:00';"
                   "delete from event_hour where hour = '2026-01-01 11:00';"
                   "insert into event_hour values ('2026-01-02 01:00', 'click', 9,"
                   " '2026-01-02 01:00', '2026-01-02 01:00');"
                   "update event_day set events = 5 where day = '2026-01-01';"
                   "update event_day set day = '2026-01-03' where day = '2026-01-02'");
    result = compare(world, &told);
    assert_string_equal(told.lines, "");
    assert_string_equal(told.statistics, expected);
    assert_int_equal(result.statistics, 6);
    assert_int_equal(result.missing + result.extra + result.changed, 0);
}

#define REMAKE                                                                         \
    "drop trigger event_counts_%.*s on event; create trigger event_counts_%s on event" \
    " referencing %s for each statement execute function %s()"

/* What a trigger does not do is missed. */
static void what_was_not_counted_is_noticed(void **state)
{
    static const struct {
        const char *name, *rows;
    } triggers[] = {{"came after insert", "new table as came"},
                    {"went after delete", "old table as went"}};
    struct world *world = *state;
    struct told told;
    char sql[400];

    submit_dated(world);
    submit(world, draft_anonymous(6, "x", ""));
    post_random(world, 1, 1);
    scratch_script(world->pg,
                   "create function nothing() returns trigger language plpgsql"
                   " as 'begin return null; end'");
    for (int i = 0; i < 2; i++) {
        int length = (int)strcspn(triggers[i].name, " ");

        snprintf(sql, sizeof sql, REMAKE, length, triggers[i].name, triggers[i].name,
                 triggers[i].rows, "nothing");
        scratch_script(world->pg, sql);
        submit(world, i == 0 ? draft_at(7, 1, "click", "2026-01-02T05:00:00")
                             : draft_erase(3));
        world_start(world);
        world_catch_up(world);
        world_stop(world);
        compare(world, &told);
        assert_string_equal(told.lines, "");
        assert_true(told.statistics[0] != '\0');
        snprintf(sql, sizeof sql, REMAKE, length, triggers[i].name, triggers[i].name,
                 triggers[i].rows, "event_counts");
        scratch_script(world->pg, sql);
        scratch_script(
            world->pg,
            "truncate event_hour, event_day; insert into event_hour (hour, event_type,"
            " events, first, last) select date_trunc('hour', datetime_created),"
            " event_type, count(*), min(datetime_created), max(datetime_created)"
            " from event group by 1, 2; insert into event_day select hour::date,"
            " event_type, sum(events), min(first), max(last) from event_hour"
            " group by 1, 2");
        assert_equal_to_log(world);
    }
}

static void whose_an_event_is_and_what_else_is_new_is_compared(void **state)
{
    static const char *const expected =
        "changed person a0000000-0000-0000-0000-000000000001 1 external_id, "
        "properties, "
        "properties_bytes\n"
        "changed event e0000000-0000-0000-0000-000000000001 3 person_id\n"
        "changed event e0000000-0000-0000-0000-000000000002 5 person_id\n"
        "changed event e0000000-0000-0000-0000-000000000003 6 anonymous_id, received\n";
    struct world *world = *state;
    struct told told;

    submit_anonymous(world);
    post_random(world, 1, 1);
    assert_equal_to_log(world);
    scratch_script(
        world->pg,
        "update person set external_id = null, properties = '{\"plan\": 1.00}'"
        " where external_id = 'x-1';"
        "update event set person_id = null where sequence = 3;"
        "update event set person_id = 'a0000000-0000-0000-0000-000000000002'"
        " where sequence = 5;"
        "update event set anonymous_id = 'z', received = now() where sequence = 6");
    compare(world, &told);
    assert_string_equal(told.lines, expected);
}

static void all_are_counted_and_the_first_are_told(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    struct dbk_compare_result result;
    struct told told;

    submit(world, draft_create(1, "a@x.org"));
    for (uint32_t i = 0; i < 50; i++)
        submit(world, draft_record(i, 1, ""));
    post_random(world, 1, 1);
    scratch_script(world->pg, "update event set event_type = 'x' where sequence > 10");
    assert_int_equal(try_compare(world, &watched, 2, &told, &result, NULL), DBK_OK);
    assert_string_equal(
        told.lines,
        "changed event e0000000-0000-0000-0000-000000000009 11 event_type\n"
        "changed event e0000000-0000-0000-0000-00000000000a 12 event_type\n");
    assert_int_equal(result.changed,
                     scratch_number(world->pg, "select count(*) from event"
                                               " where event_type = 'x'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(posted_tables_are_equal),
        IN_A_WORLD(how_long_properties_are_need_not_be_said),
        IN_A_WORLD(each_kind_of_difference_is_named),
        IN_A_WORLD(each_statistic_that_is_wrong_is_named),
        IN_A_WORLD(what_was_not_counted_is_noticed),
        IN_A_WORLD(whose_an_event_is_and_what_else_is_new_is_compared),
        IN_A_WORLD(all_are_counted_and_the_first_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
