/* How PostgreSQL walks for the lists of the read model. */
#include "read_world.h"

/* The plan of a statement, made as the read model's sessions make theirs. */
static char *plan_of(const char *file, const char *arguments)
{
    struct pg *pg = scratch_open(&database);
    char path[300], sql[8000], body[6000] = "", *text = NULL;
    struct pg_statement statement = {NULL, sql};
    struct pg_result *result = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    snprintf(path, sizeof path, "%s/src/projections/sql/read/%s.sql",
             strstr(file, "_desc") ? BINARY_DIR : SOURCE_DIR, file);
    FILE *source = fopen(path, "r");
    assert_non_null(source);
    assert_true(fread(body, 1, sizeof body - 1, source) > 0);
    fclose(source);
    snprintf(sql, sizeof sql,
             "set enable_seqscan = off; set enable_sort = off; "
             "set plan_cache_mode = force_generic_plan; prepare it as %s",
             body);
    scratch_script(pg, sql);
    snprintf(sql, sizeof sql, "explain (costs off) execute it(%s)", arguments);
    err.text[0] = '\0';
    pg_run(pg, &statement, NULL, 0, 10000, &result, &err);
    assert_string_equal(err.text, "");
    for (size_t i = 0; i < pg_rows(result); i++)
        fprintf(stream, "%s\n", pg_value(result, i, 0).data);
    fclose(stream);
    pg_clear(result);
    pg_close(pg);
    return text;
}

/* Whether it sorts what it walks along. The few events of a person, which string_agg puts in
 * order itself, may come to it sorted from PostgreSQL 16 on. */
static bool sorts(const char *plan)
{
    const char *line = plan, *before = "", *end;

    for (; *line; before = line, line = end + 1) {
        bool fed = strncmp(before + strspn(before, " "), "->  Aggregate", 13) == 0;
        const char *node = strstr(line, "Sort\n");

        end = strchr(line, '\n');
        if (node && node < end && !fed)
            return true;
    }
    return false;
}

static void every_list_walks_along_the_index_it_means(void **state)
{
    static const struct {
        const char *file, *arguments, *scan;
    } cases[] = {
        {"event_list", "null, null, null, null, null, null, 0, 10, null",
         "using event_sequence"},
        {"event_list_person",
         "md5('p7')::uuid, null, null, null, null, null, 0, 10, null",
         "using event_person"},
        {"event_list_type", "null, '{click}', null, null, null, null, 0, 10, null",
         "using event_type"},
        {"event_list_types",
         "null, '{click,signup}', null, null, null, null, 0, 10, null",
         "using event_type"},
        {"event_list_desc", "null, null, null, null, null, null, 9, 10, null",
         "Scan Backward using event_sequence"},
        {"event_list_person_desc",
         "md5('p7')::uuid, null, null, null, null, null, 9, 10, null",
         "Scan Backward using event_person"},
        {"event_list_type_desc", "null, '{click}', null, null, null, null, 9, 10, null",
         "Scan Backward using event_type"},
        {"event_list_types_desc",
         "null, '{click,signup}', null, null, null, null, 9, 10, null",
         "Scan Backward using event_type"},
        {"event_list_anonymous", "null, null, null, null, null, 'a1', 0, 10, null",
         "using event_anonymous"},
        {"event_list_anonymous_desc", "null, null, null, null, null, 'a1', 9, 10, null",
         "Scan Backward using event_anonymous"},
        {"person_list", "null, null, null, 0, 10, null",
         "using person_created_sequence"},
        {"person_list_desc", "null, null, null, 9, 10, null",
         "Scan Backward using person_created_sequence"},
        {"person_get", "md5('p7')::uuid, 10", "Scan Backward using event_person"},
        {"person_events_count", "array[md5('p7')::uuid], '{0}', '{5000}', 10",
         "Only Scan Backward using event_person"},
        {"person_find", "array[md5('p7')::uuid], 10, 10", "using person_pkey"},
        {"person_pages", "array[md5('p7')::uuid], '{0}', '{10}', 10",
         "using event_person"},
        {"person_pages_desc", "array[md5('p7')::uuid], '{9}', '{10}', 10",
         "Scan Backward using event_person"},
        {"person_find", "array[md5('p7')::uuid], 10, 10",
         "Scan Backward using event_person"},
        {"person_stream", "array[md5('p7')::uuid], 10, 10", "using person_pkey"},
        {"person_stream", "array[md5('p7')::uuid], 10, 10",
         "Scan Backward using event_person"},
        {"person_stream_all", "0, 10, 10, 10", "using person_created_sequence"},
        {"person_stream_all", "0, 10, 10, 10", "Scan Backward using event_person"},
        {"person_stream_all_desc", "9, 10, 10, 10",
         "Scan Backward using person_created_sequence"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *plan = plan_of(cases[i].file, cases[i].arguments);
        bool merges = strstr(cases[i].file, "_types") != NULL; /* several walks */

        if (!strstr(plan, cases[i].scan) || sorts(plan) != merges ||
            strstr(plan, "Seq Scan"))
            fail_msg("%s:\n%s", cases[i].file, plan);
        free(plan);
    }
}

/* Else each event that is deleted would be looked for in all of the table. */
static void an_event_goes_by_its_sequence(void **state)
{
    char *plan =
        plan_of("../tables/event_delete", "array[md5('e1')::uuid], '{1001}', 1");

    (void)state;
    if (!strstr(plan, "using event_sequence on event e\n"))
        fail_msg("%s", plan);
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_list_walks_along_the_index_it_means),
        cmocka_unit_test(an_event_goes_by_its_sequence),
    };

    database = scratch_database("test_read_plans");
    return cmocka_run_group_tests(tests, start, tear_down) != 0;
}
