#include "check.h"

#include "request.h"
#include "response.h"

#include <jansson.h>

struct answer {
    struct service service;
    struct head head;
    struct request rq;
    struct response rs;
};

static struct answer *answer_new(void)
{
    struct answer *answer = calloc(1, sizeof *answer);

    assert_non_null(answer);
    answer->rq.service = &answer->service;
    answer->rq.head = &answer->head;
    response_init(&answer->rs);
    response_clear(&answer->rs);
    return answer;
}

static void answer_free(struct answer *answer)
{
    response_finish(&answer->rs);
    free(answer);
}

static json_t *body_of(const struct answer *answer)
{
    json_error_t why;
    json_t *body = json_loadb(answer->rs.body.text, answer->rs.body.length,
                              JSON_REJECT_DUPLICATES, &why);

    if (!body)
        fail_msg("not JSON: %s: %.*s", why.text, (int)answer->rs.body.length,
                 answer->rs.body.text);
    return body;
}

static const char *details_of(json_t *body)
{
    return json_string_value(
        json_object_get(json_object_get(body, "response"), "details"));
}

static void a_success_is_the_seeds_envelope(void **state)
{
    static const char expected[] =
        "{\"data\":[],\"response\":{\"details\":\"The request was successful\","
        "\"message\":\"Ok\",\"status\":201}}";
    struct answer *answer = answer_new();

    (void)state;
    response_begin(&answer->rs);
    dbk_render_text(&answer->rs.body, "[]");
    assert_int_equal(response_end(&answer->rs, 201, DETAILS_OK, NULL), DBK_OK);
    assert_slice((struct dbk_slice){answer->rs.body.text, answer->rs.body.length},
                 expected);
    answer_free(answer);
}

static void details_of_any_bytes_are_json(void **state)
{
    struct answer *answer = answer_new();
    struct dbk_error err = {DBK_INVALID, "\"\\ \x01 \xff \xc3\xbc </script>"};
    json_t *body;

    (void)state;
    response_fail(&answer->rs, &answer->rq, 0, &err);
    body = body_of(answer);
    assert_int_equal(answer->rs.status, 400);
    assert_true(json_is_null(json_object_get(body, "data")));
    assert_string_equal(details_of(body), "\"\\ \x01 \xef\xbf\xbd \xc3\xbc </script>");
    json_decref(body);
    answer_free(answer);
}

static void each_wrong_field_is_named(void **state)
{
    struct dbk_error err = {DBK_INVALID, "email: is \"wrong\""};
    struct answer *answer = answer_new();
    json_t *body, *errors;

    (void)state;
    answer->rq.fields = (struct dbk_field_errors){
        2,
        {{.field = "email", .message = "is \"wrong\""},
         {.field = "role", .message = "is neither user nor admin"}}};
    response_fail(&answer->rs, &answer->rq, 0, &err);
    body = body_of(answer);
    errors = json_object_get(json_object_get(body, "response"), "errors");
    assert_int_equal(json_array_size(errors), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(errors, 0), "message")),
        "is \"wrong\"");
    assert_string_equal(details_of(body), "email: is \"wrong\"");
    json_decref(body);
    answer_free(answer);
}

static void internals_are_for_the_operator(void **state)
{
    struct dbk_error err = {DBK_UNAVAILABLE, "connection to secret.host failed"};
    struct answer *answer = answer_new();
    json_t *body;

    (void)state;
    response_fail(&answer->rs, &answer->rq, 0, &err);
    body = body_of(answer);
    assert_int_equal(answer->rs.status, 503);
    assert_null(strstr(details_of(body), "secret.host"));
    assert_string_equal(answer->rs.error, "connection to secret.host failed");
    json_decref(body);
    answer_free(answer);
}

static void internals_are_shown_where_that_is_asked_for(void **state)
{
    struct dbk_error err = {DBK_INTERNAL, "the cause"};
    struct answer *answer = answer_new();
    json_t *body;

    (void)state;
    answer->service.options.show_error_details = true;
    response_fail(&answer->rs, &answer->rq, 0, &err);
    body = body_of(answer);
    assert_non_null(strstr(details_of(body), "the cause"));
    json_decref(body);
    answer_free(answer);
}

static void a_failure_replaces_what_was_filled_in(void **state)
{
    struct dbk_error err = {DBK_BUSY, "full"};
    struct answer *answer = answer_new();

    (void)state;
    response_header(&answer->rs, "ETag", "\"1\"");
    response_begin(&answer->rs);
    dbk_render_text(&answer->rs.body, "[1,");
    response_fail(&answer->rs, &answer->rq, 0, &err);
    json_decref(body_of(answer));
    assert_slice((struct dbk_slice){answer->rs.head.text, answer->rs.head.length},
                 "Retry-After: 1\r\n");
    answer_free(answer);
}

static void a_header_is_a_line_however_it_is_given(void **state)
{
    struct answer *answer = answer_new();

    (void)state;
    response_header(&answer->rs, "A", "%d-%s", 1, "x");
    response_header_text(&answer->rs, "B", "100%s");
    response_header_number(&answer->rs, "C", UINT64_MAX);
    assert_slice((struct dbk_slice){answer->rs.head.text, answer->rs.head.length},
                 "A: 1-x\r\nB: 100%s\r\nC: 18446744073709551615\r\n");
    answer_free(answer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_is_the_seeds_envelope),
        cmocka_unit_test(details_of_any_bytes_are_json),
        cmocka_unit_test(each_wrong_field_is_named),
        cmocka_unit_test(internals_are_for_the_operator),
        cmocka_unit_test(internals_are_shown_where_that_is_asked_for),
        cmocka_unit_test(a_failure_replaces_what_was_filled_in),
        cmocka_unit_test(a_header_is_a_line_however_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
