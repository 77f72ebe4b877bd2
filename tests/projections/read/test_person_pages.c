/* Lists of persons' events that are asked for at the same moment: carried together, and each
 * answered as if it were alone. */
#include "read_world.h"
#include "store/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define ASKERS 40
#define LARGE "p77" /* has an event among its first that is too large to be carried */
#define OF_LARGE 1075

static struct pg *admin;
static const unsigned limits[] = {1, 7, 99, 100, 101, 1000};

/* One list, page by page. */
struct asker {
    pthread_t thread;
    struct dbk_uuid person;
    bool descending;
    unsigned limit;
    size_t max_bytes;
    enum dbk_code code;
    char *found; /* the cursors: "1,2,3," */
};

static void *read_list(void *context)
{
    struct asker *asker = context;
    const struct dbk_event_filter filter = {.has_person_id = true,
                                            .person_id = asker->person};
    struct dbk_page page = {.descending = asker->descending,
                            .limit = asker->limit,
                            .max_bytes = asker->max_bytes};
    struct dbk_rows rows = {0};
    size_t size;
    FILE *stream = open_memstream(&asker->found, &size);

    do {
        asker->code = dbk_read_events(model, &page, &filter, &rows, NULL);
        for (size_t i = 0; i < rows.count && asker->code == DBK_OK; i++) {
            page.after = rows.rows[i].cursor;
            fprintf(stream, "%llu,", (unsigned long long)page.after);
            if (!dbk_uuid_equal(&rows.rows[i].person_id, &asker->person) ||
                rows.count > asker->limit ||
                (rows.count > 1 && rows.json.length > asker->max_bytes))
                asker->code = DBK_INTERNAL;
        }
    } while (rows.more && asker->code == DBK_OK);
    dbk_rows_finish(&rows);
    fclose(stream);
    return NULL;
}

static struct asker asker_of(const char *person, unsigned i)
{
    return (struct asker){.person = id_of(person),
                          .descending = i % 2,
                          .limit = limits[i % (sizeof limits / sizeof *limits)],
                          .max_bytes = i % 3 ? SIZE_MAX : 2000};
}

static void start_asking(struct asker *askers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&askers[i].thread, NULL, read_list, &askers[i]),
                         0);
}

static void join(struct asker *askers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(askers[i].thread, NULL);
}

static void assert_found(struct asker *asker, const char *person)
{
    char sql[300], *expected;

    snprintf(
        sql, sizeof sql,
        "select coalesce(string_agg(sequence || ',', '' order by sequence %s), '') "
        "from event where person_id = md5('%s')::uuid",
        asker->descending ? "desc" : "", person);
    expected = sql_text(sql);
    assert_int_equal(asker->code, DBK_OK);
    assert_string_equal(asker->found, expected);
    free(expected);
    free(asker->found);
}

static uint64_t gathered(void)
{
    struct dbk_metrics *metrics = dbk_metrics_take();
    uint64_t count = dbk_metrics_count(metrics, DBK_METRIC_READS_GATHERED, 0);

    dbk_metrics_free(metrics);
    return count;
}

/* Until what holds the table makes somebody wait (of this test: others use the server, too), and
 * the others wait for that. */
static void await_waiting(void)
{
    for (int waited = 0; waited < 20000; waited++) {
        if (scratch_number(
                admin, "select count(*) from pg_locks where not granted and database ="
                       " (select oid from pg_database where datname ="
                       " current_database())") > 0)
            break;
        usleep(1000);
    }
    usleep(
        100000); /* enough that most are there; however many are, the answers are right */
}

static void each_gets_its_own_page_of_those_carried_together(void **state)
{
    struct asker askers[ASKERS];
    char names[ASKERS][16];
    uint64_t before = gathered();

    (void)state;
    for (unsigned i = 0; i < ASKERS; i++) {
        /* Some with 300 events, some with few, one with 11,000, some with none. */
        snprintf(names[i], sizeof *names, "p%u", i == 3 ? 7 : i == 5 ? 200 : i * 5 + 1);
        askers[i] = asker_of(i == 9 ? LARGE : names[i], i);
        if (i == 9)
            snprintf(names[i], sizeof *names, LARGE);
        if (i == 5) /* else it takes long */
            askers[i].limit = 1000;
    }
    scratch_script(admin, "begin; lock table event in access exclusive mode");
    start_asking(askers, ASKERS);
    await_waiting();
    scratch_script(admin, "rollback");
    join(askers, ASKERS);
    assert_true(gathered() > before);
    for (unsigned i = 0; i < ASKERS; i++)
        assert_found(&askers[i], names[i]);
}

/* It is read alone, and whole; who was carried with it has nothing of that. */
static void what_is_too_large_to_be_carried_is_read_alone(void **state)
{
    const struct dbk_event_filter filter = {.has_person_id = true,
                                            .person_id = id_of(LARGE)};
    struct dbk_page page = {.limit = 1000, .max_bytes = SIZE_MAX};
    struct dbk_rows rows = {0};
    bool found = false;

    (void)state;
    err.text[0] = '\0';
    dbk_read_events(model, &page, &filter, &rows, &err);
    assert_string_equal(err.text, "");
    for (size_t i = 0; i < rows.count; i++)
        found =
            found || (rows.rows[i].cursor == OF_LARGE && rows.rows[i].length > 20000);
    assert_true(found);
    dbk_rows_finish(&rows);
}

/* Each is told, nobody waits for ever, and the next ones are answered. */
static void a_statement_that_ends_late_fails_all_it_carried_and_no_other(void **state)
{
    struct dbk_read_model *patient = model;
    struct asker askers[ASKERS];

    (void)state;
    assert_int_equal(dbk_read_model_open(&database, 4, 300, &model, &err), DBK_OK);
    for (unsigned i = 0; i < ASKERS; i++)
        askers[i] = asker_of("p7", i);
    scratch_script(admin, "begin; lock table event in access exclusive mode");
    start_asking(askers, ASKERS);
    join(askers, ASKERS);
    scratch_script(admin, "rollback");
    for (unsigned i = 0; i < ASKERS; i++) {
        assert_true(askers[i].code == DBK_TIMEOUT ||
                    askers[i].code == DBK_UNAVAILABLE || askers[i].code == DBK_BUSY);
        free(askers[i].found);
    }
    dbk_read_model_close(model);
    model = patient;
    askers[0] = asker_of("p7", 0);
    start_asking(askers, 1);
    join(askers, 1);
    assert_found(&askers[0], "p7");
}

/* The rows as one text. */
static char *json_of(const struct dbk_rows *rows)
{
    return strndup(rows->json.text ? rows->json.text : "", rows->json.length);
}

static void assert_as_alone(const struct dbk_ahead *asked)
{
    const struct dbk_event_filter filter = {.has_person_id = true,
                                            .person_id = asked->id};
    const struct dbk_page page = {.limit = asked->limit, .max_bytes = asked->max_bytes};
    struct dbk_rows rows = {0};
    enum dbk_code code =
        asked->events ? dbk_read_events(model, &page, &filter, &rows, &err)
                      : dbk_read_person(model, &asked->id, asked->limit, &rows, &err);
    char *alone, *together;

    assert_int_equal(asked->code, code);
    alone = json_of(&rows);
    together = json_of(asked->rows);
    assert_string_equal(together, alone);
    assert_int_equal(asked->rows->count, rows.count);
    assert_int_equal(asked->rows->more, rows.more);
    free(alone);
    free(together);
    dbk_rows_finish(&rows);
}

/* One thread's questions. */
static void what_is_asked_ahead_is_as_if_asked_alone(void **state)
{
    static const char *const names[] = {"p1", "p7", "p200", "p201", "nobody", LARGE};
    enum { NAMES = sizeof names / sizeof *names };
    struct dbk_ahead asked[2 * NAMES];
    struct dbk_rows rows[2 * NAMES] = {0};

    (void)state;
    for (size_t i = 0; i < 2 * NAMES; i++)
        asked[i] = (struct dbk_ahead){.events = i % 2,
                                      .id = id_of(names[i / 2]),
                                      .limit = i % 3 ? 100 : 5,
                                      .max_bytes = i % 5 ? SIZE_MAX : 1000,
                                      .rows = &rows[i]};
    dbk_read_ahead(model, asked, 2 * NAMES);
    for (size_t i = 0; i < 2 * NAMES; i++) {
        if (asked[i].code != DBK_TOO_LARGE)
            assert_as_alone(&asked[i]);
    }
    assert_int_equal(asked[2 * NAMES - 1].code, DBK_TOO_LARGE);
    for (size_t i = 0; i < 2 * NAMES; i++)
        dbk_rows_finish(&rows[i]);
}

static int start_with_large(void **state)
{
    char sql[200];

    if (start(state) != 0)
        return -1;
    admin = scratch_open(&database);
    snprintf(sql, sizeof sql,
             "update event set person_id = md5('" LARGE "')::uuid, properties = "
             "jsonb_build_object('x', repeat('y', 20000)) where sequence = %d",
             OF_LARGE);
    scratch_script(admin, sql);
    return 0;
}

static int tear_down_with_large(void **state)
{
    pg_close(admin);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_own_page_of_those_carried_together),
        cmocka_unit_test(what_is_too_large_to_be_carried_is_read_alone),
        cmocka_unit_test(what_is_asked_ahead_is_as_if_asked_alone),
        cmocka_unit_test(a_statement_that_ends_late_fails_all_it_carried_and_no_other),
    };

    database = scratch_database("test_person_pages");
    return cmocka_run_group_tests(tests, start_with_large, tear_down_with_large) != 0;
}
