/* What of libpq's environment counts, for the private cluster and for one that is named. */
#include "pg.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each would send a connection elsewhere, or keep it from being made. */
static const char *const elsewhere[][2] = {
    {"PGHOST", "/nowhere"},
    {"PGHOSTADDR", "192.0.2.1"},
    {"PGPORT", "1"},
    {"PGDATABASE", "another"},
    {"PGUSER", "somebody"},
    {"PGSERVICE", "a service of no file"},
    {"PGSERVICEFILE", "/nowhere/service.conf"},
};
static const char *const otherwise[][2] = {
    {"PGGSSENCMODE", "require"},           {"PGREQUIREPEER", "somebody"},
    {"PGCHANNELBINDING", "require"},       {"PGTARGETSESSIONATTRS", "standby"},
    {"PGOPTIONS", "-c no_such_setting=1"},
};
/* Ours win. */
static const char *const of_a_session[][2] = {
    {"PGDATESTYLE", "German"}, {"PGTZ", "Asia/Tokyo"},         {"PGGEQO", "off"},
    {"PGAPPNAME", "another"},  {"PGCLIENTENCODING", "LATIN1"},
};

#define SET(list)                                                                      \
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)                            \
    setenv((list)[i][0], (list)[i][1], 1)
#define ASSERT_GONE(list)                                                              \
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)                            \
    assert_null(getenv((list)[i][0]))

struct told {
    char counting[512], ignored[512];
};

static void note(void *context, const char *name, bool counts)
{
    struct told *told = context;

    strcat(counts ? told->counting : told->ignored, name);
    strcat(counts ? told->counting : told->ignored, " ");
}

static void assert_reached(void)
{
    const struct dbk_database database = scratch_database("environment");
    struct pg *pg = scratch_open(&database);

    assert_int_equal(scratch_number(pg, "select 1"), 1);
    pg_close(pg);
}

static void for_the_private_cluster_none_counts(void **state)
{
    struct told told = {"", ""};

    (void)state;
    SET(elsewhere);
    SET(otherwise);
    SET(of_a_session);
    dbk_database_environment(true, note, &told);
    ASSERT_GONE(elsewhere);
    ASSERT_GONE(otherwise);
    ASSERT_GONE(of_a_session);
    assert_string_equal(told.counting, "");
    assert_non_null(strstr(told.ignored, "PGHOSTADDR "));
    assert_non_null(strstr(told.ignored, "PGOPTIONS "));
    assert_reached();
}

static void for_a_named_one_none_says_where(void **state)
{
    struct told told = {"", ""};

    (void)state;
    SET(elsewhere);
    SET(of_a_session);
    setenv("PGSSLMODE", "prefer", 1);
    dbk_database_environment(false, note, &told);
    ASSERT_GONE(elsewhere);
    ASSERT_GONE(of_a_session);
    assert_string_equal(told.counting, "PGSSLMODE ");
    assert_string_equal(getenv("PGSSLMODE"), "prefer");
    assert_reached();
    unsetenv("PGSSLMODE");
}

static void a_variable_is_told_once_and_an_empty_one_never(void **state)
{
    struct told told = {"", ""};

    (void)state;
    setenv("PGHOSTADDR", "", 1);
    setenv("PGSERVICEFILE", "/nowhere", 1);
    setenv("PGREQUIRESSL", "1", 1);
    dbk_database_environment(false, note, &told);
    assert_string_equal(told.ignored, "PGSERVICEFILE ");
    assert_string_equal(told.counting, "PGREQUIRESSL ");
    unsetenv("PGREQUIRESSL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_the_private_cluster_none_counts),
        cmocka_unit_test(for_a_named_one_none_says_where),
        cmocka_unit_test(a_variable_is_told_once_and_an_empty_one_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
