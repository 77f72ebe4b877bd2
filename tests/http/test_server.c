/* A real server on a real log, and no PostgreSQL: what works then, and how. */
#include "live_kate.h"

static void a_person_is_made_with_its_signup(void **state)
{
    struct heard heard = live_ask(*state, "POST", "/persons", "", KATE);
    char value[256];

    assert_heard(&heard, 201, "\"event_type\":\"signup\"");
    assert_heard(&heard, 201, "\"message\":\"Ok\",\"status\":201}}");
    assert_memory_equal(heard_header(&heard, "ETag", value), "\"1-", 3);
    assert_string_equal(heard_header(&heard, "Daybook-Sequence", value), "2");
    assert_memory_equal(heard_header(&heard, "Location", value), "/persons/", 9);
    heard_free(&heard);
}

static void writes_work_without_postgresql(void **state)
{
    char id[40], path[64], body[256];

    make_kate(*state, id);
    snprintf(body, sizeof body, "{\"event_type\":\"click\",\"person_id\":\"%s\"}", id);
    expect(*state, "POST", "/events", "", body, 201, "\"click\"");
    snprintf(path, sizeof path, "/persons/%s", id);
    expect(*state, "PATCH", path, "", "{\"role\":\"admin\"}", 200, "\"events\":null");
    expect(*state, "PUT", path, "If-Match: \"4\"\r\n",
           "{\"email\":\"kate@krakoa.mock\",\"first_name\":\"Kate\",\"last_name\":"
           "\"Pryde\",\"role\":\"user\"}",
           200, "events are not shown");
    expect(*state, "DELETE", path, "", NULL, 200, "{\"data\":null");
    expect(*state, "POST", "/events", "", body, 404, "no person");
}

static void reads_say_that_postgresql_is_away(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/persons", "", NULL);
    char value[256];

    assert_heard(&heard, 503, "PostgreSQL, which answers reads, is not available now");
    assert_string_equal(heard_header(&heard, "Retry-After", value), "1");
    heard_free(&heard);
}

static void an_event_is_read_without_postgresql(void **state)
{
    char kate[40], id[40], path[64], person[64], body[256];
    struct heard heard;

    make_kate(*state, kate);
    snprintf(body, sizeof body,
             "{\"event_type\":\"a\",\"person_id\":\"%s\",\"properties\":{\"b\":1e1,"
             "\"a\":[]}}",
             kate);
    heard = live_ask(*state, "POST", "/events", "", body);
    made_id(&heard, id);
    heard_free(&heard);
    snprintf(path, sizeof path, "/events/%s", id);
    expect(*state, "GET", path, "", NULL, 200,
           "\"properties\":{\"a\": [], \"b\": 10}}");
    expect(*state, "GET", path, "", NULL, 200, "Daybook-Projected-Sequence: 3\r\n");
    expect(*state, "GET", path, "If-None-Match: \"3\"\r\n", NULL, 304, NULL);
    snprintf(person, sizeof person, "/persons/%s", kate);
    expect(*state, "DELETE", person, "", NULL, 200, NULL);
    expect(*state, "GET", path, "", NULL, 404, "There is no event with this id");
}

static void the_log_is_read_without_postgresql(void **state)
{
    char id[40];

    make_kate(*state, id);
    expect(*state, "GET", "/log", "", NULL, 200, "\"type\":\"person.created\"");
    expect(*state, "GET", "/log/2", "", NULL, 200, "\"event_type\":\"signup\"");
    expect(*state, "GET", "/log/3", "", NULL, 404, "no record 3");
    expect(*state, "GET", "/log?after=1&limit=1", "Accept: application/x-ndjson\r\n",
           NULL, 200, "\r\n\r\n{\"format\":1,\"type\":\"event.recorded\"");
    expect(*state, "GET", "/log?limit=1", "", NULL, 200,
           "Link: </log?limit=1&after=1>; rel=\"next\"");
}

static void health_answers_without_postgresql(void **state)
{
    expect(*state, "GET", "/health", "", NULL, 200, "\"status\":\"degraded\"");
}

static void one_key_happens_once(void **state)
{
    struct heard first =
        live_ask(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", KATE);
    struct heard again =
        live_ask(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", KATE);
    char value[256];

    assert_heard(&first, 201, NULL);
    assert_heard(&again, 201, NULL);
    assert_string_equal(first.body, again.body);
    assert_string_equal(heard_header(&again, "Idempotency-Replayed", value), "true");
    assert_string_equal(heard_header(&first, "Idempotency-Replayed", value), "");
    expect(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n", "{}", 400, NULL);
    expect(*state, "POST", "/persons", "Idempotency-Key: k 1\r\n",
           "{\"email\":\"x@y.zz\",\"first_name\":\"a\",\"last_name\":\"b\"}", 422,
           "Idempotency-Key");
    heard_free(&first);
    heard_free(&again);
}

static void an_event_sent_again_is_the_first_one(void **state)
{
    static const char path[] = "/events/0323d885-13a9-460e-96ab-001afc534fcb";
    char id[40], body[256], other[256];

    make_kate(*state, id);
    snprintf(body, sizeof body,
             "{\"event_type\":\"click\",\"person_id\":\"%s\",\"properties\":{\"a\":1}}",
             id);
    snprintf(other, sizeof other, "{\"event_type\":\"view\",\"person_id\":\"%s\"}", id);
    expect(*state, "POST", path, "", body, 201, "\"a\":1");
    expect(*state, "POST", path, "", body, 200, "\"a\":1");
    expect(*state, "POST", path, "", other, 409, "0323d885");
    expect(*state, "DELETE", path, "", NULL, 200, NULL);
    expect(*state, "POST", path, "", body, 409, "deleted");
}

static void a_batch_has_a_verdict_for_each(void **state)
{
    char id[40], body[1024];
    struct heard heard;

    make_kate(*state, id);
    snprintf(
        body, sizeof body,
        "{\"event_type\":\"a\",\"person_id\":\"%s\"}\n"
        "{\"event_type\":\"a\"}\n\n"
        "not json\n"
        "{\"event_type\":\"a\",\"person_id\":\"0323d885-13a9-460e-96ab-001afc534fcb"
        "\"}\n"
        "{\"event_type\":\"b\",\"person_id\":\"%s\"}",
        id, id);
    heard = live_ask(*state, "POST", "/events/batch",
                     "Content-Type: application/x-ndjson\r\n", body);
    assert_heard(&heard, 207,
                 "2 recorded, 0 known already, 3 refused\",\"known\":0,\"recorded\":2,"
                 "\"refused\":3,\"message\":\"Multi-Status\",\"status\":207}}");
    assert_heard(&heard, 207, "{\"index\":0,\"status\":201,\"id\":\"");
    assert_heard(&heard, 207, "{\"index\":1,\"status\":400,\"details\":\"");
    assert_heard(&heard, 207, "{\"index\":2,\"status\":400,");
    assert_heard(&heard, 207, "{\"index\":3,\"status\":404,");
    assert_heard(&heard, 207, "\"sequence\":4}");
    heard_free(&heard);
}

static void a_batch_over_its_limit_is_refused(void **state)
{
    char *body = calloc(1, 8192), *at = body;

    assert_non_null(body);
    *at++ = '[';
    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "%s1", i ? "," : "");
    *at = ']';
    expect(*state, "POST", "/events/batch", "", body, 413, "1000");
    free(body);
}

static void several_versions_may_be_expected(void **state)
{
    char id[40], path[64];

    make_kate(*state, id);
    snprintf(path, sizeof path, "/persons/%s", id);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1-00ff\"\r\n",
           "{\"role\":\"admin\"}", 412, NULL);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1-0123456789abcdef\"\r\n",
           "{\"role\":\"admin\"}", 200, NULL);
    expect(*state, "PATCH", path, "If-Match: \"7\", \"1\"\r\n", "{\"role\":\"user\"}",
           412, NULL);
    expect(*state, "DELETE", path, "If-Match: 1\r\n", NULL, 400, "If-Match");
}

#define PATCHERS 6
#define PATCHES 20

struct patcher {
    const struct live *live;
    const char *path;
    int number, refused;
};

static void *patch_often(void *argument)
{
    struct patcher *patcher = argument;
    char body[128];

    for (int i = 0; i < PATCHES; i++) {
        snprintf(body, sizeof body,
                 "{\"first_name\":\"n%d\",\"last_name\":\"%d of %d\"}",
                 (patcher->number + i) % 2, i, patcher->number);
        struct heard heard = live_ask(patcher->live, "PATCH", patcher->path, "", body);
        patcher->refused += heard.status != 200;
        heard_free(&heard);
    }
    return NULL;
}

/* Without If-Match the last one wins, and nobody is told of the others. */
static void many_patches_at_once_are_all_done(void **state)
{
    struct patcher patchers[PATCHERS];
    pthread_t threads[PATCHERS];
    char id[40], path[64];

    make_kate(*state, id);
    snprintf(path, sizeof path, "/persons/%s", id);
    for (int i = 0; i < PATCHERS; i++) {
        patchers[i] = (struct patcher){*state, path, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, patch_often, &patchers[i]),
                         0);
    }
    for (int i = 0; i < PATCHERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(patchers[i].refused, 0);
    }
}

static void wrong_fields_are_named(void **state)
{
    expect(*state, "POST", "/persons", "", "{\"email\":7,\"x\":1}", 400,
           "{\"field\":\"first_name\"");
    expect(*state, "GET", "/events?limit=0&x=1", "", NULL, 400, "{\"field\":\"x\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIVE(a_person_is_made_with_its_signup),
        LIVE(writes_work_without_postgresql),
        LIVE(reads_say_that_postgresql_is_away),
        LIVE(an_event_is_read_without_postgresql),
        LIVE(the_log_is_read_without_postgresql),
        LIVE(health_answers_without_postgresql),
        LIVE(one_key_happens_once),
        LIVE(an_event_sent_again_is_the_first_one),
        LIVE(a_batch_has_a_verdict_for_each),
        LIVE(a_batch_over_its_limit_is_refused),
        LIVE(several_versions_may_be_expected),
        LIVE(many_patches_at_once_are_all_done),
        LIVE(wrong_fields_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
