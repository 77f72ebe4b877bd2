/* Lists of scripted read tables: their pieces, their links, and what happens between two. */
#include "scripted_reads.h"

#include <limits.h>

static void a_short_list_is_one_piece_without_a_link(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 3);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 200, "Content-Length: ");
    assert_rows(&heard, 3);
    assert_string_equal(heard_header(&heard, "Link", value), "");
    heard_free(&heard);
}

static void the_next_link_keeps_the_parameters(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 30);
    heard =
        live_ask(*state, "GET",
                 "/events?after=0&keyword=a.b&properties=%7B%22x%22:%20%22y%20%C3%BC%22"
                 "%7D&limit=7",
                 "", NULL);
    assert_rows(&heard, 7);
    assert_string_equal(
        heard_header(&heard, "Link", value),
        "</events?keyword=a.b&properties=%7B%22x%22%3A%20%22y%20%C3%BC%22"
        "%7D&limit=7&after=7>; rel=\"next\"");
    heard_free(&heard);
}

/* As long as a query can be, of bytes that take three when they are written again. */
static void the_longest_query_still_fits_the_link(void **state)
{
    enum { BRACKETS = 15000 };
    char path[BRACKETS + 64] = "/events?limit=7&properties={\"x\":\"";
    size_t length = strlen(path);
    struct heard heard;

    memset(path + length, '{', BRACKETS);
    strcpy(path + length + BRACKETS, "\"}");
    atomic_store(&script.rows, 30);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_rows(&heard, 7);
    assert_non_null(strstr(heard.text, "%7B%22%7D&after=7>; rel=\"next\"\r\n"));
    heard_free(&heard);
}

static void no_link_where_the_page_just_fits(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 7);
    heard = live_ask(*state, "GET", "/events?limit=7", "", NULL);
    assert_rows(&heard, 7);
    assert_string_equal(heard_header(&heard, "Link", value), "");
    heard_free(&heard);
}

static void a_long_list_is_streamed_whole(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 200, "Transfer-Encoding: chunked");
    assert_rows(&heard, 10000);
    assert_string_equal(heard_header(&heard, "Link", value),
                        "</events?limit=10000&after=10000>; rel=\"next\"");
    heard_free(&heard);
}

static void a_page_of_very_large_rows_ends_early_with_a_link(void **state)
{
    struct heard heard;
    char value[256];
    unsigned long rows;

    atomic_store(&script.rows, 1000);
    atomic_store(&script.row_bytes, 65000);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    heard_header(&heard, "Link", value);
    assert_int_equal(sscanf(value, "</events?after=%lu>", &rows), 1);
    assert_in_range(rows, 200, 300);
    assert_rows(&heard, rows);
    heard_free(&heard);
}

static void rows_larger_than_a_piece_are_streamed(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 3);
    atomic_store(&script.row_bytes, 1500000);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    heard_free(&heard);
}

static void rows_deleted_meanwhile_are_just_not_there(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 9000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.then_rows, 8000);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_rows(&heard, 8000);
    heard_free(&heard);
}

static void rows_added_meanwhile_are_left_for_the_next_page(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 8000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.then_rows, 9000);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_rows(&heard, 8000);
    heard_free(&heard);
}

static void a_failure_before_the_head_is_an_error(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.fail_after, 3);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 503, "{\"data\":null");
    heard_free(&heard);
}

static void a_failure_in_mid_stream_leaves_the_answer_open(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.fail_after, 15);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 200, "Transfer-Encoding: chunked");
    assert_true(heard.ended);
    assert_memory_not_equal(heard.text + heard.length - 5, "0\r\n\r\n", 5);
    heard_free(&heard);
}

static void head_of_a_streamed_list_has_no_body(void **state)
{
    struct heard heard;
    int fd = live_connect(*state);
    static const char two[] =
        "HEAD /events?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    assert_true(live_send(fd, two, sizeof two - 1));
    heard = live_hear(fd, true);
    while (!strstr(heard.body, "\"projected\"")) {
        struct heard more = live_hear(fd, false);
        assert_memory_equal(more.text, "HTTP/1.1 200", 12);
        assert_non_null(strstr(more.text, "\"projected\""));
        heard_free(&more);
        break;
    }
    assert_heard(&heard, 200, "Link: ");
    heard_free(&heard);
    close(fd);
}

static void an_old_client_gets_the_stream_without_chunks(void **state)
{
    static const char text[] = "GET /events?limit=10000 HTTP/1.0\r\n\r\n";
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    heard = live_raw(*state, text, sizeof text - 1);
    assert_heard(&heard, 200, "Connection: close");
    assert_true(heard.ended);
    assert_null(strcasestr(heard.text, "\r\nTransfer-Encoding"));
    assert_rows(&heard, 10000);
    heard_free(&heard);
}

static void prefer_sets_the_bound(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/events", "Prefer: wait=0\r\n", NULL);
    char value[256];

    assert_int_equal(atomic_load(&script.waited_ms), 0);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "wait=0");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/events", "Prefer: wait=3600\r\n", NULL);
    assert_int_equal(atomic_load(&script.waited_ms), 60000);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "wait=60");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_int_equal(atomic_load(&script.waited_ms), 100);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "");
    heard_free(&heard);
}

static void when_the_bound_passes_what_is_there_is_shown(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 3);
    atomic_store(&script.wait_code, DBK_TIMEOUT);
    atomic_store(&script.projected, 41);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    assert_string_equal(heard_header(&heard, "Daybook-Projected-Sequence", value),
                        "41");
    assert_int_equal(atomic_load(&script.claimed), 41);
    heard_free(&heard);
}

static void a_page_is_read_again_where_somebody_has_come_out(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 3);
    atomic_store(&script.heals, 1);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    assert_int_equal(atomic_load(&script.reads), 2);
    heard_free(&heard);
    atomic_store(&script.heals, UINT_MAX);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 503, "out of quarantine");
    heard_free(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_short_list_is_one_piece_without_a_link),
        LIVE(the_next_link_keeps_the_parameters),
        LIVE(the_longest_query_still_fits_the_link),
        LIVE(no_link_where_the_page_just_fits),
        LIVE(a_long_list_is_streamed_whole),
        LIVE(a_page_of_very_large_rows_ends_early_with_a_link),
        LIVE(rows_larger_than_a_piece_are_streamed),
        LIVE(rows_deleted_meanwhile_are_just_not_there),
        LIVE(rows_added_meanwhile_are_left_for_the_next_page),
        LIVE(a_failure_before_the_head_is_an_error),
        LIVE(a_failure_in_mid_stream_leaves_the_answer_open),
        LIVE(head_of_a_streamed_list_has_no_body),
        LIVE(an_old_client_gets_the_stream_without_chunks),
        LIVE(prefer_sets_the_bound),
        LIVE(when_the_bound_passes_what_is_there_is_shown),
        LIVE(a_page_is_read_again_where_somebody_has_come_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
