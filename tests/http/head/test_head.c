#include "check.h"

#include "head.h"

/* The buffer lives as long as what was read from it. */
static char buffer[8192];

static int read_text(const char *text, struct head *head)
{
    struct dbk_error err = {0};
    int status;

    assert_true(strlen(text) < sizeof buffer);
    strcpy(buffer, text);
    status = head_read(buffer, strlen(text), head, &err);
    assert_int_equal(status == 0, err.code == DBK_OK);
    return status;
}

static int read_line(const char *line, struct head *head)
{
    char text[4096];

    snprintf(text, sizeof text, "%s\r\nHost: x\r\n\r\n", line);
    return read_text(text, head);
}

static void a_request_is_read(void **state)
{
    struct head head;
    unsigned count;

    (void)state;
    assert_int_equal(read_text("PUT /a%20b?c=?d HTTP/1.1\r\nHost: x\r\n"
                               "A:b\r\nB:\t c\td \t\r\nE:\r\na: 2\r\n\r\n",
                               &head),
                     0);
    assert_string_equal(head.method, "PUT");
    assert_string_equal(head.path, "/a%20b");
    assert_string_equal(head.query, "c=?d");
    assert_string_equal(head.version, "1.1");
    assert_null(head.host);
    assert_int_equal(head.count, 5);
    assert_string_equal(head_field(&head, "A", &count), "b");
    assert_int_equal(count, 2);
    assert_string_equal(head_field(&head, "b", &count), "c\td");
    assert_string_equal(head_field(&head, "e", &count), "");
    assert_null(head_field(&head, "f", &count));
    assert_int_equal(count, 0);
}

static void a_target_is_a_path_an_address_or_a_star(void **state)
{
    static const struct {
        const char *line, *path, *query, *host;
    } targets[] = {
        {"GET / HTTP/1.1", "/", "", NULL},
        {"GET /?a HTTP/1.1", "/", "a", NULL},
        {"GET //x HTTP/1.1", "//x", "", NULL},
        {"GET http://y/p HTTP/1.1", "/p", "", "y"},
        {"GET HTTPS://y:1/p/q?r HTTP/1.1", "/p/q", "r", "y:1"},
        {"GET http://y HTTP/1.1", "/", "", "y"},
        {"GET http://y?r HTTP/1.1", "/", "r", "y"},
        {"OPTIONS http://y HTTP/1.1", "*", "", "y"},
        {"OPTIONS http://y/ HTTP/1.1", "/", "", "y"},
        {"OPTIONS * HTTP/1.1", "*", "", NULL},
        {"GET /x://y HTTP/1.1", "/x://y", "", NULL},
    };
    struct head head;

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(read_line(targets[i].line, &head), 0);
        assert_string_equal(head.path, targets[i].path);
        assert_string_equal(head.query, targets[i].query);
        if (targets[i].host)
            assert_string_equal(head.host, targets[i].host);
        else
            assert_null(head.host);
    }
}

static void the_versions_spoken_are_one(void **state)
{
    struct head head;

    (void)state;
    assert_int_equal(read_line("GET / HTTP/1.0", &head), 0);
    assert_string_equal(head.version, "1.0");
    assert_int_equal(read_line("GET / HTTP/1.9", &head), 0);
    assert_string_equal(head.version, "1.1");
    assert_int_equal(read_line("GET / HTTP/2.0", &head), 505);
    assert_int_equal(read_line("PRI * HTTP/2.0", &head), 505);
}

static void what_is_no_first_line_is_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "hello",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / a HTTP/1.1",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/1.10",
        "G(T / HTTP/1.1",
        "GET x HTTP/1.1",
        "GET * HTTP/1.1",
        "GET /\xc3\xbc HTTP/1.1",
        "GET ftp://x/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://a@x/ HTTP/1.1",
        "GET x://y/http:// HTTP/1.1",
    };
    struct head head;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (read_line(lines[i], &head) != 400)
            fail_msg("%s", lines[i]);
    }
}

static void what_is_no_field_is_refused(void **state)
{
    static const char *const fields[] = {
        " a: b", "\ta: b", "a : b", "a", ": b", "a(b): c", "a\xc3\xbc: b",
    };
    struct head head;
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: y\r\n%s\r\n\r\n", fields[i]);
        if (read_text(text, &head) != 400)
            fail_msg("%s", fields[i]);
    }
}

static void more_fields_than_are_read_are_refused(void **state)
{
    char text[4096] = "GET / HTTP/1.1\r\n";
    struct head head;

    (void)state;
    for (int i = 0; i < HEAD_FIELDS_MAX; i++)
        strcat(text, "a: b\r\n");
    strcat(text, "\r\n");
    assert_int_equal(read_text(text, &head), 0);
    assert_int_equal(head.count, HEAD_FIELDS_MAX);
    strcpy(text + strlen(text) - 2, "a: b\r\n\r\n");
    assert_int_equal(read_text(text, &head), 431);
}

/* Members of the lists named "l", each in brackets. */
static const char *members(const char *fields)
{
    static char out[256];
    char text[512];
    struct head head;
    size_t field = 0, length;
    const char *at = NULL, *member;

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n\r\n", fields);
    assert_int_equal(read_text(text, &head), 0);
    out[0] = '\0';
    while ((member = head_list_next(&head, "l", &field, &at, &length)))
        snprintf(out + strlen(out), sizeof out - strlen(out), "[%.*s]", (int)length,
                 member);
    return out;
}

static void a_list_may_stand_in_several_lines(void **state)
{
    (void)state;
    assert_string_equal(members("l: a"), "[a]");
    assert_string_equal(members("L: a, b c\t,\r\nm: x\r\nl:\r\nl: ,,\"d,\\\"e\" ,f"),
                        "[a][b c][\"d,\\\"e\"][f]");
    assert_string_equal(members("m: a"), "");
    assert_string_equal(members("l: \"a, b"), "[\"a, b]");
}

static void a_token_of_a_list_is_found_in_any_case(void **state)
{
    struct head head;

    (void)state;
    read_text("GET / HTTP/1.1\r\nConnection: a, Close\r\nConnection: closed\r\n\r\n",
              &head);
    assert_true(head_lists(&head, "connection", "close"));
    assert_true(head_lists(&head, "connection", "CLOSED"));
    assert_false(head_lists(&head, "connection", "clos"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(a_target_is_a_path_an_address_or_a_star),
        cmocka_unit_test(the_versions_spoken_are_one),
        cmocka_unit_test(what_is_no_first_line_is_refused),
        cmocka_unit_test(what_is_no_field_is_refused),
        cmocka_unit_test(more_fields_than_are_read_are_refused),
        cmocka_unit_test(a_list_may_stand_in_several_lines),
        cmocka_unit_test(a_token_of_a_list_is_found_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
