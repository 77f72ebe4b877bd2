/* What is no record's line is refused. */
#include "record_lines.h"

static void text_that_is_not_utf8_is_not_written(void **state)
{
    struct dbk_record record = {.format = 1,
                                .type = DBK_EVENT_RECORDED,
                                .sequence = 12,
                                .event_type = dbk_slice("cl\xFFick")};
    struct dbk_error err = {0};
    size_t length;

    (void)state;
    assert_int_equal(dbk_record_json_write(&record, line, sizeof line, &length, &err),
                     DBK_INVALID);
    assert_string_equal(err.text, "record 12 holds text that is not UTF-8");
}

static void any_other_spelling_is_refused(void **state)
{
    (void)state;
    refused(PERSON, "{\"format\":1", "{ \"format\":1", 1);
    refused(PERSON, "\"format\":1", "\"format\":01", 11);
    refused(PERSON, "\"format\":1", "\"format\":0", 0);
    refused(PERSON, "\"sequence\":1", "\"sequence\":1.0", 49);
    refused(PERSON, "\"sequence\":1", "\"sequence\":-1", 48);
    refused(PERSON, "\"sequence\":1", "\"sequence\":01", 48);
    refused(EVENT, "18446744073709551615", "18446744073709551616", 0);
    refused(PERSON, "person.created", "person.made", 0);
    refused(PERSON, "9c65af1a", "9C65af1a", 0);
    refused(PERSON, "9c65af1a", "9c65af1", 0);
    refused(PERSON, "10-08T06", "10-08t06", 0);
    refused(PERSON, "10-08T06", "13-08T06", 0);
    refused(PERSON, "33.330037\"", "33.33003\"", 0);
    refused(PERSON, "kate", "k\\u0061te", 0);
    refused(PERSON, "kate", "k\\/te", 0);
    refused(PERSON, "\\u0001", "\\u0000", 0);
    refused(PERSON, "\\u0001", "\\u000A", 0);
    refused(PERSON, "\\u0001", "\\u000a", 0);
    refused(PERSON, "\\u0001", "\001", 0);
    refused(PERSON, "\\u007f", "\177", 0);
    refused(PERSON, "\xF0\x9F\x98\x80", "\xF0\x9F\x98", 0);
    refused(PERSON, "admin", "root", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}} ", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}", 0);
    refused(PERSON, "\"rest\"}}", "\"rest\"}}{", 0);
    refused(PERSON, "\"actor\":\"a b\"", "\"actor\":\"\"", 0);
}

static void fields_that_are_missing_or_too_many_are_refused(void **state)
{
    (void)state;
    refused(PERSON, "\"last_name\":\"\",", "", 0);
    refused(PERSON, "\"last_name\":\"\"", "\"last_name\":null", 0);
    refused(PERSON, "\"last_name\":\"\"", "\"last_name\":\"\",\"age\":3", 0);
    refused(PERSON, "\"source\":\"rest\"", "\"source\":\"rest\",\"source\":\"rest\"",
            0);
    refused(PERSON, ",\"actor\":\"a b\",\"source\":\"rest\"",
            ",\"source\":\"rest\",\"actor\":\"a b\"", 0);
    refused(UPDATED, "\"last_name\"", "\"person_id\"", 0);
    refused(UPDATED, "\"Pryde\"", "\"Pryde\",\"first_name\":\"Kate\"", 0);
    refused(PERSON_DELETED, "\"data\":{", "\"data\":{\"email\":\"kate@x.mock\"", 0);
    refused(EVENT_DELETED, "\"person_id\":\"9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\"", "",
            0);
    refused(EVENT, "\"event_type\":\"click\",", "", 0);
    refused(EVENT, ",\"meta\":{}", "", 0);
    refused(ALIASED, "\"anonymous_id\":\"d\xC3\xA9vice 1\"", "", 0);
    refused(ANONYMOUS, "null", "\"00000000-0000-0000-0000-000000000000\"", 0);
}

static void properties_must_be_json_as_it_was_kept(void **state)
{
    (void)state;
    refused(EVENT, "{ \"a\" : [1,\t\"}\\\"\"] }", "[]", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "[1,]", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "\"\xFF\"", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "\"", 0);
    refused(EVENT, "[1,\t\"}\\\"\"]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]", 0);
    refused(lines[4], "{ \"a\":1 }", "{  \"a\":1 }", 0);
    refused(lines[4], "{ \"a\":1 }", "{ \"a\":2 }", 0);
    refused(lines[4], "\\n", "", 0);
    refused(lines[4], "\"{\\n\\\"a\\\":1\\r}\"", "\"{ \\\"a\\\":1 }\"", 0);
}

static void a_newer_format_is_told_from_damage(void **state)
{
    static const char newer[] = "{\"format\":8,\"kind\":\"new\"}";
    struct dbk_record record;
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(dbk_record_json_read(newer, strlen(newer), room, &record, &err),
                     DBK_UNSUPPORTED);
}

static void cut_anywhere_it_is_refused(void **state)
{
    struct dbk_record record;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        for (size_t length = 0; length < strlen(lines[i]); length++) {
            char *cut = malloc(length ? length : 1); /* of its very size, for ASan */
            memcpy(cut, lines[i], length);
            assert_int_equal(dbk_record_json_read(cut, length, room, &record, NULL),
                             DBK_INVALID);
            free(cut);
        }
    }
}

/* What is taken although a byte was changed says exactly what it says. */
static void a_changed_byte_is_refused_or_means_what_it_says(void **state)
{
    char changed[1024];
    struct dbk_record record;
    size_t taken = 0, tried = 0;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        for (size_t at = 0; at < strlen(lines[i]); at++) {
            for (int bit = 0; bit < 8; bit++) {
                size_t length = strlen(lines[i]), written;
                memcpy(changed, lines[i], length);
                changed[at] = (char)(changed[at] ^ (1 << bit));
                tried++;
                if (dbk_record_json_read(changed, length, room, &record, NULL) !=
                    DBK_OK)
                    continue;
                taken++;
                assert_int_equal(
                    dbk_record_json_write(&record, line, sizeof line, &written, NULL),
                    DBK_OK);
                assert_int_equal(written, length);
                assert_memory_equal(line, changed, length);
            }
        }
    }
    assert_true(taken > 0 && taken < tried / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_not_utf8_is_not_written),
        cmocka_unit_test(any_other_spelling_is_refused),
        cmocka_unit_test(fields_that_are_missing_or_too_many_are_refused),
        cmocka_unit_test(properties_must_be_json_as_it_was_kept),
        cmocka_unit_test(a_newer_format_is_told_from_damage),
        cmocka_unit_test(cut_anywhere_it_is_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_means_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
