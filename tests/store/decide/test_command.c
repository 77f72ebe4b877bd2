#include "command_private.h"
#include "scratch_log.h"
#include "store/decide/command_block.h"

static void only_events_of_the_person_may_follow(void **state)
{
    struct dbk_record person = draft_person("a@x.mock");
    struct dbk_uuid stranger = dbk_uuid_new();
    struct dbk_record own = draft_event(&person.subject);
    struct dbk_record foreign = draft_event(&stranger);
    struct dbk_command *command = command_of(&person);
    (void)state;

    assert_int_equal(dbk_command_add(command, &own, NULL), DBK_OK);
    assert_int_equal(dbk_command_add(command, &foreign, NULL), DBK_INVALID);
    assert_int_equal(dbk_command_add(command, &person, NULL), DBK_INVALID);
    dbk_command_destroy(command);
}

static void nothing_may_follow_an_event(void **state)
{
    struct dbk_uuid person = dbk_uuid_new();
    struct dbk_record first = draft_event(&person), second = draft_event(&person);
    struct dbk_command *command = command_of(&first);
    (void)state;

    assert_int_equal(dbk_command_add(command, &second, NULL), DBK_INVALID);
    dbk_command_destroy(command);
}

static void an_event_id_stands_once(void **state)
{
    struct dbk_record person = draft_person("a@x.mock");
    struct dbk_record event = draft_event(&person.subject);
    struct dbk_command *command = command_of(&person);
    (void)state;

    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_INVALID);
    dbk_command_destroy(command);
}

static void a_field_over_its_bound_is_refused(void **state)
{
    struct dbk_record person = draft_person("a@x.mock");
    struct dbk_command *command = dbk_command_create();
    char name[DBK_NAME_MAX + 2];
    struct dbk_error err;
    (void)state;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    person.person.first_name = dbk_slice(name);
    assert_int_equal(dbk_command_add(command, &person, &err), DBK_TOO_LARGE);
    assert_non_null(strstr(err.text, "first_name"));
    assert_int_equal(command->bytes_used, 0);
    dbk_command_destroy(command);
}

static void there_is_room_for_all_that_an_event_may_have(void **state)
{
    static char large[DBK_PROPERTIES_MAX];
    const struct dbk_uuid person = dbk_uuid_new();
    struct dbk_record event = draft_event(&person);
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;
    (void)state;

    memset(large, 'x', sizeof large);
    event.event_type = (struct dbk_slice){large, DBK_EVENT_TYPE_MAX};
    event.anonymous_id = (struct dbk_slice){large, DBK_ANONYMOUS_ID_MAX};
    event.properties = (struct dbk_slice){large, sizeof large};
    event.has_datetime_created = true;
    event.datetime_created = INT64_C(1700000000000000);
    event.request_id = event.actor = event.source = event.clock_offset =
        event.traceparent = (struct dbk_slice){large, DBK_META_MAX};
    if (dbk_command_add(command, &event, &err) != DBK_OK)
        fail_msg("%s", err.text);
    dbk_command_destroy(command);
}

static void one_that_is_reset_is_as_new(void **state)
{
    static char large[DBK_PROPERTIES_MAX];
    struct dbk_record person = draft_person("a@x.mock"), read;
    struct dbk_record event = draft_event(&person.subject), other = event;
    struct dbk_command *command = command_of(&person);
    (void)state;

    memset(large, ' ', sizeof large);
    event.properties = (struct dbk_slice){large, sizeof large};
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    dbk_command_expect(command, 7);

    for (int i = 0; i < 2; i++) {
        dbk_command_reset(command);
        assert_int_equal(command->bytes_used, 0);
        other.subject = dbk_uuid_new();
        assert_int_equal(dbk_command_add(command, &other, NULL), DBK_OK);
        dbk_command_first(command, &read);
        assert_int_equal(read.type, DBK_EVENT_RECORDED);
        assert_true(dbk_uuid_equal(&read.subject, &other.subject));
        assert_true(dbk_slice_equal(read.event_type, other.event_type));
        assert_null(dbk_command_person(command));
        assert_int_equal(dbk_command_verdict(command)->sequence, 0);
    }
    dbk_command_destroy(command);
}

/* More than one piece of memory has, some of them of more than a command has room for. */
static void those_of_a_block_are_as_any_and_end_together(void **state)
{
    enum { COUNT = 130 };
    static char large[5000];
    struct dbk_command_block *block = dbk_command_block_create(COUNT);
    const struct dbk_uuid person = dbk_uuid_new();
    struct dbk_command *commands[COUNT];
    struct dbk_record events[COUNT], read;
    (void)state;

    memset(large, ' ', sizeof large);
    for (size_t i = 0; i < COUNT; i++) {
        events[i] = draft_event(&person);
        if (i % 3 == 0)
            events[i].properties = (struct dbk_slice){large, sizeof large};
        commands[i] = dbk_command_block_take(block);
        assert_int_equal(dbk_command_add(commands[i], &events[i], NULL), DBK_OK);
        dbk_command_destroy(commands[i / 2]); /* is left to the block */
    }
    for (size_t i = 0; i < COUNT; i++) {
        dbk_command_first(commands[i], &read);
        assert_true(dbk_uuid_equal(&read.subject, &events[i].subject));
        assert_int_equal(read.properties.length, events[i].properties.length);
        assert_int_equal(dbk_command_verdict(commands[i])->sequence, 0);
    }
    dbk_command_block_destroy(block);
}

static void a_block_of_none_and_no_block_end_too(void **state)
{
    (void)state;

    dbk_command_block_destroy(dbk_command_block_create(0));
    dbk_command_block_destroy(NULL);
}

/* Behind the draft, and where there is no room left; again with another key. */
static void sealing_leaves_the_draft_as_it_is(void **state)
{
    static const size_t lengths[] = {0, 60, 250, 400, 700, 5000};
    static char large[5000], room[DBK_RECORD_MAX];
    const struct dbk_uuid person = dbk_uuid_new();
    uint8_t key[32] = {1};
    (void)state;

    memset(large, ' ', sizeof large);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct dbk_record event = draft_event(&person), read;
        struct dbk_command *command;

        event.properties = (struct dbk_slice){large, lengths[i]};
        command = command_of(&event);
        for (uint64_t month = 0; month < 3; month++) {
            key[1] = (uint8_t)month;
            assert_true(command_seal(command, (struct command_key){7, month}, key));
            assert_int_equal(
                dbk_record_decode(command->made, command->made_length, &read, NULL),
                DBK_OK);
            assert_int_equal(read.key, 7);
            assert_int_equal(read.month, month);
            assert_int_equal(dbk_record_open(&read, key, room, NULL), DBK_OK);
            assert_int_equal(read.properties.length, lengths[i]);
            dbk_command_first(command, &read);
            assert_int_equal(read.key, 0);
            assert_int_equal(read.properties.length, lengths[i]);
        }
        if (i % 2 == 0)
            dbk_command_reset(command);
        dbk_command_destroy(command);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_a_block_are_as_any_and_end_together),
        cmocka_unit_test(a_block_of_none_and_no_block_end_too),
        cmocka_unit_test(sealing_leaves_the_draft_as_it_is),
        cmocka_unit_test(only_events_of_the_person_may_follow),
        cmocka_unit_test(nothing_may_follow_an_event),
        cmocka_unit_test(an_event_id_stands_once),
        cmocka_unit_test(a_field_over_its_bound_is_refused),
        cmocka_unit_test(there_is_room_for_all_that_an_event_may_have),
        cmocka_unit_test(one_that_is_reset_is_as_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
