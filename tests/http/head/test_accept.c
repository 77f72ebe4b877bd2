#include "check.h"

#include "accept.h"
#include "head.h"

#define JSON "application/json"
#define LINES "application/x-ndjson"

static struct accept of(const char *header, const char *type)
{
    struct accept accept = {ACCEPT_NONE, 0};

    accept_add(&accept, header, type);
    return accept;
}

static void the_most_specific_range_counts(void **state)
{
    static const struct {
        const char *header;
        int weight; /* of JSON; -1: no range fits */
    } cases[] = {
        {NULL, -1},
        {"", -1},
        {"text/html", -1},
        {"*/*", 1000},
        {"application/*", 1000},
        {"application/json", 1000},
        {"Application/JSON", 1000},
        {"application/jsonx", -1},
        {"application/", -1},
        {"*/json", -1},
        {"application/json;q=0.5", 500},
        {"application/json ; q=0.25", 250},
        {"application/json;Q=0.125", 125},
        {"application/json;q=0", 0},
        {"application/json;q=0.000", 0},
        {"application/json;q=1.000", 1000},
        {"application/json;charset=utf-8;q=0.3", 300},
        {"application/json;x=\"q=0,*/*\";q=0.3", 300},
        {"application/json;x=\"\\\",\";q=0.3", 300},
        {"*/*;q=0", 0},
        {"*/*;q=0, application/json", 1000},
        {"application/json, */*;q=0", 1000},
        {"application/json;q=0, */*", 0},
        {"*/*, application/json;q=0", 0},
        {"application/*;q=0, */*", 0},
        {"*/*;q=0.1,application/*;q=0.2,text/html", 200},
        {"application/json;q=0.2, application/json;q=0.4", 400},
        {" ,, application/json ,", 1000},
        {"application/json;q=", 1000},
        {"application/json;q=x", 1000},
        {"application/json;q=0x", 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct accept accept = of(cases[i].header, JSON);
        int weight = accept.range == ACCEPT_NONE ? -1 : accept.weight;
        if (weight != cases[i].weight)
            fail_msg("%s: %d, not %d", cases[i].header, weight, cases[i].weight);
    }
}

static void what_is_preferred_is_sent(void **state)
{
    static const struct {
        const char *header;
        bool lines;
    } cases[] = {
        {NULL, false},
        {"*/*", false},
        {"application/*", false},
        {LINES, true},
        {LINES ", */*", true},
        {LINES ";q=0.5, */*", false},
        {LINES ";q=0.5, */*;q=0.1", true},
        {LINES ", " JSON, true},
        {JSON ", " LINES, true},
        {JSON ", " LINES ";q=0.9", false},
        {JSON ";q=0.8, " LINES ";q=0.9", true},
        {LINES ";q=0", false},
        {JSON ";q=0, */*", true},
        {JSON ";q=0, " LINES, true},
        {LINES ";q=0, */*", false},
        {JSON ";q=0", true},
        {JSON ";q=0, " LINES ";q=0", false},
        {"text/html", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *header = cases[i].header;
        if (accept_prefers(of(header, LINES), of(header, JSON)) != cases[i].lines)
            fail_msg("%s", header);
    }
}

static void all_headers_are_one_list(void **state)
{
    struct head head = {
        .count = 3,
        .fields = {{"Accept", "*/*;q=0.5"}, {"Host", JSON}, {"accept", JSON ";q=0"}}};
    struct accept accept = accept_of(&head, JSON);

    (void)state;
    assert_true(accept_excludes(accept));
    assert_false(accept_excludes(accept_of(&head, "text/html")));
    head.count = 0;
    assert_false(accept_excludes(accept_of(&head, JSON)));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_range_counts),
        cmocka_unit_test(what_is_preferred_is_sent),
        cmocka_unit_test(all_headers_are_one_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
