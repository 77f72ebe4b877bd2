/* A record as a message for others: what is sealed stays so, unless it is asked for. */
#include "made_export.h"
#include "relay_render.h"
#include "store/command.h"

struct told {
    char text[2048];
    char key[300];
};

static enum dbk_code tell(struct relay_render *render, const struct dbk_record *record,
                          struct told *out, struct dbk_error *err)
{
    struct dbk_slice key;
    size_t length;
    char *text;
    enum dbk_code code = relay_render(render, record, &text, &length, &key, err);

    if (code != DBK_OK)
        return code;
    snprintf(out->text, sizeof out->text, "%.*s", (int)length, text);
    snprintf(out->key, sizeof out->key, "%.*s", (int)key.length, key.data);
    free(text);
    return DBK_OK;
}

static struct told told_of(struct relay_render *render, const struct dbk_record *record)
{
    struct dbk_error err;
    struct told out;

    if (tell(render, record, &out, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return out;
}

static const char kate[] = "aa000000-0000-4000-8000-000000000001";

/* The person of made_records, sealed; opened into room. */
static struct dbk_record sealed_person(struct made *made, char *bytes, char *room)
{
    struct export_item item;

    made_sealed_item(made, 0, bytes, &item);
    assert_int_equal(dbk_record_open(&item.record, made_key, room, &made->err), DBK_OK);
    assert_true(item.record.opened);
    return item.record;
}

static void what_is_sealed_stays_so(void **state)
{
    static char bytes[DBK_RECORD_MAX], room[DBK_RECORD_MAX];
    struct dbk_record record = sealed_person(*state, bytes, room);

    for (int cloud = 0; cloud < 2; cloud++) {
        struct relay_render render = {.cloud = cloud};
        struct told told = told_of(&render, &record);

        assert_null(strstr(told.text, "kate@x.mock"));
        assert_null(strstr(told.text, "email"));
        assert_non_null(strstr(told.text, cloud ? "\"sealed\":true" : "\"sealed\":\""));
        relay_render_finish(&render);
    }
}

static void it_is_opened_where_that_is_asked_for(void **state)
{
    static char bytes[DBK_RECORD_MAX], room[DBK_RECORD_MAX];
    struct dbk_record record = sealed_person(*state, bytes, room);

    for (int cloud = 0; cloud < 2; cloud++) {
        struct relay_render render = {.cloud = cloud, .unsealed = true};
        struct told told = told_of(&render, &record);

        assert_non_null(strstr(told.text, "\"email\":\"kate@x.mock\""));
        assert_string_equal(told.key, kate);
        relay_render_finish(&render);
    }
}

static void of_whom_was_erased_nothing_is_said_but_that(void **state)
{
    static char bytes[DBK_RECORD_MAX];
    struct relay_render render = {.unsealed = true};
    struct export_item item;
    struct told told;

    made_sealed_item(*state, 0, bytes, &item);
    item.record.erased = true;
    told = told_of(&render, &item.record);
    assert_non_null(strstr(told.text, "\"data\":{\"erased\":true}"));
    assert_string_equal(told.key, kate);
    relay_render_finish(&render);
}

static void without_the_ring_nothing_is_sent_as_if_it_were_opened(void **state)
{
    static char bytes[DBK_RECORD_MAX];
    struct relay_render render = {.unsealed = true};
    struct export_item item;
    struct dbk_error err;
    struct told told;

    made_sealed_item(*state, 0, bytes, &item);
    assert_int_equal(tell(&render, &item.record, &told, &err), DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "ring of keys"));
    relay_render_finish(&render);
}

/* Sealed, the anonymous id is no key of a message; the number of its key keeps it in order. */
static void nobodys_event_is_keyed_by_what_may_be_shown(void **state)
{
    struct dbk_record event = {.format = 4,
                               .type = DBK_EVENT_RECORDED,
                               .sequence = 9,
                               .subject = made_id(0xBB, 9),
                               .key = 17,
                               .sealed = dbk_slice("bytes that are sealed"),
                               .opened = true,
                               .event_type = dbk_slice("click"),
                               .anonymous_id = dbk_slice("visitor 7")};
    struct relay_render render = {.unsealed = false};
    struct told told = told_of(&render, &event);

    (void)state;
    assert_string_equal(told.key, "17");
    assert_null(strstr(told.text, "visitor"));
    render.unsealed = true;
    assert_string_equal(told_of(&render, &event).key, "visitor 7");
    relay_render_finish(&render);
}

static void say(struct dbk_log *log, const struct dbk_record *record)
{
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;

    assert_non_null(command);
    assert_int_equal(dbk_command_add(command, record, &err), DBK_OK);
    assert_int_equal(dbk_log_submit(log, &command, 1, NULL, NULL, &err), DBK_OK);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_OK);
    dbk_command_destroy(command);
}

/* As soon as the log says so, of the person and of an event that is the person's by now. */
static void of_whom_is_restricted_nothing_is_said(void **state)
{
    const struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct made *made = *state;
    struct dbk_record person = made_person(1, "kate@x.mock", 1000000);
    struct dbk_record before = {.type = DBK_EVENT_RECORDED,
                                .subject = made_id(0xBB, 9),
                                .event_type = dbk_slice("click"),
                                .anonymous_id = dbk_slice("visitor 7")};
    const struct dbk_record alias = {.type = DBK_PERSON_ALIASED,
                                     .subject = person.subject,
                                     .anonymous_id = dbk_slice("visitor 7")};
    const struct dbk_record said = {.type = DBK_PERSON_RESTRICTED,
                                    .subject = person.subject};
    struct dbk_log *log;
    struct told told;

    if (dbk_log_open(made_path(made, "own"), &options, &log, &made->err) != DBK_OK)
        fail_msg("%s", made->err.text);
    say(log, &person);
    say(log, &before);
    say(log, &alias);
    for (int cloud = 0; cloud < 2; cloud++) {
        struct relay_render render = {.cloud = cloud, .withholds = log};

        if (cloud == 0)
            assert_non_null(strstr(told_of(&render, &person).text, "kate@x.mock"));
        if (cloud == 0)
            say(log, &said);
        told = told_of(&render, &person);
        assert_null(strstr(told.text, "kate@x.mock"));
        assert_non_null(strstr(told.text, "\"restricted\":true"));
        assert_string_equal(told.key, kate);
        told = told_of(&render, &before);
        assert_null(strstr(told.text, "visitor"));
        assert_null(strstr(told.key, "visitor"));
        assert_non_null(strstr(told_of(&render, &said).text, "person.restricted"));
        render.withholds = NULL;
        assert_non_null(strstr(told_of(&render, &person).text, "kate@x.mock"));
        relay_render_finish(&render);
    }
    dbk_log_close(log);
}

static void what_was_never_sealed_is_as_ever(void **state)
{
    static char bytes[DBK_RECORD_MAX];
    struct relay_render render = {.cloud = false};
    struct export_item item;
    struct told told;

    made_item(*state, 0, bytes, &item);
    told = told_of(&render, &item.record);
    assert_non_null(strstr(told.text, "\"email\":\"kate@x.mock\""));
    relay_render_finish(&render);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, made_setup, made_teardown)
        TEST(what_is_sealed_stays_so),
        TEST(it_is_opened_where_that_is_asked_for),
        TEST(of_whom_was_erased_nothing_is_said_but_that),
        TEST(without_the_ring_nothing_is_sent_as_if_it_were_opened),
        TEST(nobodys_event_is_keyed_by_what_may_be_shown),
        TEST(of_whom_is_restricted_nothing_is_said),
        TEST(what_was_never_sealed_is_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
