/* What is counted, as Prometheus reads it. */
#include "counted.h"
#include "exposition.h"
#include "request_count.h"
#include "routes.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All that is counted now; the caller frees it. */
static char *rendered(void)
{
    struct dbk_metrics *metrics = dbk_metrics_take();
    struct dbk_render out = {0};
    char *text;

    counted_render(metrics, &out);
    dbk_metrics_free(metrics);
    assert_int_equal(dbk_render_code(&out), DBK_OK);
    text = strndup(out.text, out.length);
    dbk_render_finish(&out);
    return text;
}

static void assert_has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("%s is not in\n%s", line, text);
}

static void a_histogram_adds_its_buckets_up(void **state)
{
    char *text;

    (void)state;
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, 90);       /* 100 us */
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, 2400);     /* 2.5 ms */
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT, 99000000); /* above all */
    text = rendered();
    assert_has(text, "# TYPE daybook_commit_duration_seconds histogram\n");
    assert_has(text, "daybook_commit_duration_seconds_bucket{le=\"0.0001\"} 1\n");
    assert_has(text, "daybook_commit_duration_seconds_bucket{le=\"0.001\"} 1\n");
    assert_has(text, "daybook_commit_duration_seconds_bucket{le=\"0.0025\"} 2\n");
    assert_has(text, "daybook_commit_duration_seconds_bucket{le=\"10\"} 2\n");
    assert_has(text, "daybook_commit_duration_seconds_bucket{le=\"+Inf\"} 3\n");
    assert_has(text, "daybook_commit_duration_seconds_sum 99.002490\n");
    assert_has(text, "daybook_commit_duration_seconds_count 3\n");
    free(text);
}

static void sizes_are_not_seconds(void **state)
{
    char *text;

    (void)state;
    dbk_metric_observe(DBK_HISTOGRAM_COMMIT_RECORDS, 3);
    text = rendered();
    assert_has(text, "daybook_commit_records_bucket{le=\"2\"} 0\n");
    assert_has(text, "daybook_commit_records_bucket{le=\"4\"} 1\n");
    assert_has(text, "daybook_commit_records_sum 3\n");
    free(text);
}

static void what_has_labels_is_there_from_the_start_but_for_requests(void **state)
{
    char *text = rendered();

    (void)state;
    assert_has(text, "daybook_records_total{type=\"event.recorded\"} 0\n");
    assert_has(text, "daybook_pool_waits_total{pool=\"lists\"} 0\n");
    assert_null(strstr(text, "type=\"\""));
    assert_null(strstr(text, "daybook_http_requests_total{"));
    free(text);
}

static struct request request_of(const struct route *route)
{
    struct request rq = {.match.route = route};

    return rq;
}

static void a_request_counts_for_its_route_or_for_none(void **state)
{
    struct request known = request_of(&routes[routes_count - 1]);
    struct request unknown = request_of(NULL);
    struct response rs = {.status = 404}, gone = {.status = 200, .broken = true};
    char line[256], *text;

    (void)state;
    request_count(&known, &rs, 5);
    request_count(&known, &rs, 5);
    request_count(&known, &gone, 5);
    request_count(&unknown, &rs, -1); /* a clock that went wrong is no reason to fail */
    text = rendered();
    snprintf(
        line, sizeof line,
        "daybook_http_requests_total{route=\"%s\",method=\"%s\",status=\"404\"} 2\n",
        known.match.route->path, known.match.route->method);
    assert_has(text, line);
    snprintf(line, sizeof line,
             "daybook_http_requests_total{route=\"%s\",method=\"%s\",status=\"0\"} 1\n",
             known.match.route->path, known.match.route->method);
    assert_has(text, line);
    assert_has(text, "daybook_http_requests_total{route=\"other\",method=\"other\","
                     "status=\"404\"} 1\n");
    assert_has(text, "daybook_http_request_duration_seconds_count{route=\"other\","
                     "method=\"other\"} 1\n");
    free(text);
}

static void each_status_has_a_place_of_its_own(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (int status = 0; status < 600; status++) {
        size_t place = status_place(status);
        assert_true(place < DBK_METRIC_STATUSES);
        if (place == DBK_METRIC_STATUSES - 1)
            continue; /* none that is ever answered */
        assert_int_equal(status_at(place), status);
        taken++;
    }
    assert_true(taken > 20);
    assert_int_equal(status_place(418), DBK_METRIC_STATUSES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_labels_is_there_from_the_start_but_for_requests),
        cmocka_unit_test(a_histogram_adds_its_buckets_up),
        cmocka_unit_test(sizes_are_not_seconds),
        cmocka_unit_test(a_request_counts_for_its_route_or_for_none),
        cmocka_unit_test(each_status_has_a_place_of_its_own),
    };

    return cmocka_run_group_tests_name("exposition", tests, NULL, NULL) != 0;
}
