/* Reads that are asked for together, ahead of the requests they are for: of scripted tables. */
#include "ahead.h"
#include "scripted_reads.h"

#define CONNECTIONS 5
#define ROUNDS_MAX 1000

/* Of a request's first line what is before the id, and behind it. */
struct form {
    const char *before, *behind;
};
static const struct form forms[] = {{"GET /persons/", " HTTP/1.1"},
                                    {"GET /events?person_id=", " HTTP/1.1"}};
static const struct form few = {"GET /persons/", "?events_limit=1 HTTP/1.1"},
                         page = {"GET /events?person_id=", "&limit=2 HTTP/1.1"},
                         old = {"GET /persons/", " HTTP/1.0"};

static struct {
    atomic_uint asked; /* ahead, */
    atomic_int code;   /* and each ends so */
    atomic_bool more;
} ahead;

void __wrap_dbk_read_ahead(struct dbk_read_model *read_model, struct dbk_ahead *asked,
                           size_t count);

/* Whose it is stands in each answer. */
void __wrap_dbk_read_ahead(struct dbk_read_model *read_model, struct dbk_ahead *asked,
                           size_t count)
{
    (void)read_model;
    for (size_t i = 0; i < count; i++) {
        struct dbk_rows *rows = asked[i].rows;

        make_room(rows, 1);
        asked[i].code = (enum dbk_code)atomic_load(&ahead.code);
        if (asked[i].code != DBK_OK) {
            dbk_fail(&asked[i].error, asked[i].code, "scripted");
            continue;
        }
        dbk_render_text(&rows->json, "{\"ahead\":");
        dbk_render_uuid(&rows->json, &asked[i].id);
        dbk_render_text(&rows->json, "}");
        rows->rows[rows->count++] =
            (struct dbk_row){.cursor = 1, .version = 1, .length = rows->json.length};
        rows->more = atomic_load(&ahead.more);
        atomic_fetch_add(&ahead.asked, 1);
    }
}

static void say(int fd, const struct form *form, unsigned number, const char *headers)
{
    char head[500];
    int length =
        snprintf(head, sizeof head,
                 "%s0190a1b2-0000-7000-8000-%012u%s\r\nHost: localhost\r\n%s\r\n",
                 form->before, number, form->behind, headers);

    assert_true(live_send(fd, head, (size_t)length));
}

static struct heard hear(int fd, int status)
{
    struct heard heard = live_hear(fd, false);

    assert_heard(&heard, status, NULL);
    return heard;
}

static void get(int fd, const struct form *form, int status)
{
    struct heard heard;

    say(fd, form, 7, "");
    heard = hear(fd, status);
    heard_free(&heard);
}

static int begin(void **state)
{
    int rc = start(state);

    memset(&ahead, 0, sizeof ahead);
    atomic_store(&script.rows, 3);
    atomic_store(&script.has_person, true);
    return rc;
}

/* From the second on, but one may come before its connection is lent. */
static void read_until_ahead(int fd, const struct form *form)
{
    unsigned before = atomic_load(&ahead.asked);

    for (int i = 0; i < ROUNDS_MAX && atomic_load(&ahead.asked) == before; i++) {
        get(fd, form, 200);
        usleep(1000);
    }
    assert_true(atomic_load(&ahead.asked) > before);
}

static void each_of_those_together_gets_its_own(void **state)
{
    int fds[CONNECTIONS];

    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            fds[i] = live_connect(*state);
            read_until_ahead(fds[i], &forms[form]);
        }
        for (unsigned round = 0; round < 20; round++) {
            unsigned before = atomic_load(&ahead.asked);

            for (unsigned i = 0; i < CONNECTIONS; i++)
                say(fds[i], &forms[form], round * CONNECTIONS + i, "");
            for (unsigned i = 0; i < CONNECTIONS; i++) {
                struct heard heard = hear(fds[i], 200);
                char expected[100];

                snprintf(expected, sizeof expected,
                         "{\"ahead\":\"0190a1b2-0000-7000-8000-%012u\"}",
                         round * CONNECTIONS + i);
                assert_non_null(strstr(heard.body, expected));
                assert_non_null(strstr(heard.text, "Daybook-Projected-Sequence: "));
                heard_free(&heard);
            }
            assert_int_equal(atomic_load(&ahead.asked) - before, CONNECTIONS);
        }
        for (unsigned i = 0; i < CONNECTIONS; i++)
            close(fds[i]);
    }
}

/* Its own thread reads it, as if it had never been lent. */
static void assert_not_ahead(int fd, const struct form *form, const char *headers,
                             int status)
{
    unsigned before = atomic_load(&ahead.asked);
    struct heard heard;

    say(fd, form, 7, headers);
    heard = hear(fd, status);
    assert_null(strstr(heard.body, "ahead"));
    assert_int_equal(atomic_load(&ahead.asked), before);
    heard_free(&heard);
}

static void what_tells_more_or_asks_for_more_is_read_by_itself(void **state)
{
    int fd = live_connect(*state);

    read_until_ahead(fd, &forms[0]);
    assert_not_ahead(fd, &forms[0], "Prefer: timestamps=rfc3339\r\n", 200);
    read_until_ahead(fd, &forms[0]);
    assert_not_ahead(fd, &forms[0], "daybook-sequence: 0\r\n", 200);
    read_until_ahead(fd, &forms[0]);
    assert_not_ahead(fd, &forms[0], "Content-Length: 0\r\n", 200);
    read_until_ahead(fd, &forms[0]);
    assert_not_ahead(fd, &few, "", 200);
    read_until_ahead(fd, &forms[0]);
    assert_not_ahead(fd, &page, "", 200);
    read_until_ahead(fd, &forms[1]);
    assert_not_ahead(fd, &old, "", 200);
    assert_true(live_ends(fd));
    close(fd);
}

static void what_is_too_large_or_goes_on_is_read_by_itself(void **state)
{
    int fd = live_connect(*state);
    struct heard heard;

    read_until_ahead(fd, &forms[0]);
    atomic_store(&ahead.code, DBK_TOO_LARGE);
    assert_not_ahead(fd, &forms[0], "", 200);
    atomic_store(&ahead.code, DBK_OK);
    read_until_ahead(fd, &forms[1]);
    atomic_store(&ahead.more, true);
    say(fd, &forms[1], 7, "");
    heard = hear(fd, 200);
    assert_rows(&heard, 3);
    heard_free(&heard);
    close(fd);
}

static void where_tables_are_not_fresh_nothing_is_read_ahead(void **state)
{
    int fd = live_connect(*state);

    read_until_ahead(fd, &forms[0]);
    atomic_store(&script.wait_code, DBK_TIMEOUT);
    assert_not_ahead(fd, &forms[0], "",
                     200); /* its bound passes, and what is there is shown */
    atomic_store(&script.wait_code, DBK_UNAVAILABLE);
    assert_not_ahead(fd, &forms[0], "", 503);
    atomic_store(&script.wait_code, DBK_OK);
    read_until_ahead(fd, &forms[1]);
    atomic_store(&script.hangs_ms, 3000);
    assert_not_ahead(fd, &forms[1], "", 503);
    close(fd);
}

static void what_fails_is_asked_for_alone(void **state)
{
    const enum dbk_code failures[] = {DBK_UNAVAILABLE, DBK_TIMEOUT, DBK_BUSY};
    int fd = live_connect(*state);

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        read_until_ahead(fd, &forms[i % 2]);
        atomic_store(&ahead.code, failures[i]);
        assert_not_ahead(fd, &forms[i % 2], "", 200);
        atomic_store(&ahead.code, DBK_OK);
    }
    read_until_ahead(fd, &forms[0]);
    atomic_store(&ahead.code, DBK_NOT_FOUND); /* is no failure */
    get(fd, &forms[0], 404);
    close(fd);
}

static void what_nobody_took_is_wiped(void **state)
{
    struct aheads aheads;
    struct ahead_batch *batch;
    struct dbk_render *json;

    (void)state;
    aheads_init(&aheads);
    batch = aheads_take(&aheads);
    assert_non_null(batch);
    json = &batch->list[DBK_AHEAD_MAX - 1].rows.json;
    dbk_render_text(json, "zanzibar");
    assert_int_equal(json->length, 8);
    aheads_give(&aheads, batch);
    assert_int_equal(json->length, 0);
    assert_memory_equal(json->text, "\0\0\0\0\0\0\0\0", 8);
    aheads_finish(&aheads);
}

int main(void)
{
#define AHEAD(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
    const struct CMUnitTest tests[] = {
        AHEAD(each_of_those_together_gets_its_own),
        AHEAD(what_tells_more_or_asks_for_more_is_read_by_itself),
        AHEAD(what_is_too_large_or_goes_on_is_read_by_itself),
        AHEAD(where_tables_are_not_fresh_nothing_is_read_ahead),
        AHEAD(what_fails_is_asked_for_alone),
        cmocka_unit_test(what_nobody_took_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
