#include "check.h"

#include "problem.h"
#include "status.h"

static char *page;

static int read_page(void **state)
{
    FILE *file = fopen(SOURCE_DIR "/docs/errors.md", "r");
    size_t length;

    (void)state;
    assert_non_null(file);
    page = calloc(1, 65536);
    assert_non_null(page);
    length = fread(page, 1, 65535, file);
    fclose(file);
    return length > 0 ? 0 : -1;
}

static int free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

static void each_is_told_with_its_status(void **state)
{
    char row[128];

    (void)state;
    for (size_t i = 0; i < problems_count; i++) {
        snprintf(row, sizeof row, "\n| `%s` | %d | ", problems[i].name,
                 problems[i].status);
        if (!strstr(page, row))
            fail_msg("docs/errors.md has no row%s", row);
    }
}

static void each_that_is_told_is_there(void **state)
{
    char name[64];

    (void)state;
    for (const char *at = page; (at = strstr(at, "\n| `")); at++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 4, "`"), at + 4);
        assert_non_null(problem_named(name));
    }
}

static void the_code_tells_more_than_the_status(void **state)
{
    (void)state;
    assert_string_equal(problem_of(404, DBK_NOT_FOUND)->name, "not-found");
    assert_string_equal(problem_of(410, DBK_NOT_FOUND)->name, "erased");
    assert_string_equal(problem_of(409, DBK_EXISTS)->name, "already-exists");
    assert_string_equal(problem_of(409, DBK_CONFLICT)->name, "conflict");
    assert_string_equal(problem_of(503, DBK_NO_ROOM)->name, "disk-full");
    assert_string_equal(problem_of(503, DBK_OK)->name, "unavailable");
    assert_string_equal(problem_of(422, DBK_OK)->name, "all-refused");
    assert_string_equal(problem_of(418, DBK_OK)->name, "malformed");
}

static void every_status_of_a_code_has_one(void **state)
{
    (void)state;
    for (int code = DBK_INVALID; code <= DBK_INTERNAL; code++) {
        int status = status_of((enum dbk_code)code);
        assert_int_equal(problem_of(status, (enum dbk_code)code)->status, status);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_with_its_status),
        cmocka_unit_test(each_that_is_told_is_there),
        cmocka_unit_test(the_code_tells_more_than_the_status),
        cmocka_unit_test(every_status_of_a_code_has_one),
    };

    return cmocka_run_group_tests(tests, read_page, free_page) != 0;
}
