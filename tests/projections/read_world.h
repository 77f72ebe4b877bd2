/* read_world.h - read tables with known rows, and a model that reads them: what it answers is
 * compared with what SQL of the plainest kind finds. */
#ifndef DBK_TESTS_PROJECTIONS_READ_WORLD_H
#define DBK_TESTS_PROJECTIONS_READ_WORLD_H

#include "projections/migrate.h"
#include "projections/model_json.h"
#include "projections/read_model.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dbk_database database;
static struct dbk_read_model *model;
static struct dbk_error err;
static const struct dbk_person_filter everybody;

/* 300 persons; 3,000 events of the first 100 of them in turn, of which one in ten is all
 * person 7's, and 11,000 "bulk" of person 200, so that there are many; and 30 of the
 * anonymous ids a0 to a2, of which a0 is person 9's. One in seven persons has properties
 * and an external id. */
static const char *const data =
    "insert into person select md5('p' || i)::uuid, i * 2, i, "
    "  timestamp '2023-10-08 06:03:33.330037' + i * interval '1 s', "
    "  timestamp '2023-10-09' + i * interval '1 s', "
    "  'p' || i || '@test.mock', 'F\"' || i, E'L\\\\\\n' || i, "
    "  case when i % 5 = 0 then 'admin' else 'user' end from generate_series(1, 300) "
    "i; "
    "alter table event alter column received set default '2023-10-08'; "
    "insert into event select md5('e' || i)::uuid, 1000 + i, "
    "  md5('p' || case when i % 10 = 0 then 7 else 1 + i % 100 end)::uuid, "
    "  (array['click', 'signup', 'page_edit'])[1 + i % 3], "
    "  timestamp '2023-10-08' + i * interval '1 minute', "
    "  case when i % 4 = 0 then null "
    "       else jsonb_build_object('bot', i % 2 = 0, 'n', i, 'w', jsonb_build_object("
    "         'x', i % 50)) end "
    "from generate_series(1, 3000) i; "
    "insert into event select md5('b' || i)::uuid, 5000 + i, md5('p200')::uuid, "
    "'bulk', "
    "  timestamp '2024-01-01' + i * interval '1 s', '{\"bulk\": true}' "
    "from generate_series(1, 11000) i; "
    "insert into event (id, sequence, person_id, event_type, datetime_created, "
    "  anonymous_id) select md5('a' || i)::uuid, 20000 + i, "
    "  case when i % 3 = 0 then md5('p9')::uuid end, "
    "  (array['click', 'page_view'])[1 + i % 2], '2023-10-08 12:00', 'a' || i % 3 "
    "from generate_series(1, 30) i; "
    "update person set properties = jsonb_build_object('plan', 'pro', 'n', "
    "  created_sequence), external_id = 'x' || created_sequence "
    "where created_sequence % 7 = 3; "
    "update person set email = null, first_name = null where created_sequence = 10; "
    "analyze;";

static inline int start(void **state)
{
    struct pg *pg;

    (void)state;
    scratch_drop(&database);
    if (dbk_migrate_up(&database, NULL, NULL, &err) != DBK_OK)
        return -1;
    pg = scratch_open(&database);
    scratch_script(pg, data);
    pg_close(pg);
    return dbk_read_model_open(&database, 2, 20000, &model, &err) == DBK_OK ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    dbk_read_model_close(model);
    scratch_drop(&database);
    return 0;
}

/* The id that md5(name)::uuid gives. */
static inline struct dbk_uuid id_of(const char *name)
{
    struct pg *pg = scratch_open(&database);
    const struct pg_statement statement = {NULL, "select md5($1::text)::uuid"};
    const struct pg_param param = pg_text(name);
    struct pg_result *result;
    struct dbk_uuid id;

    assert_int_equal(pg_run(pg, &statement, &param, 1, 10000, &result, &err), DBK_OK);
    assert_true(dbk_uuid_parse(pg_value(result, 0, 0).data, DBK_UUID_TEXT, &id));
    pg_clear(result);
    pg_close(pg);
    return id;
}

/* The first column of the first row; to be freed. */
static inline char *sql_text(const char *sql)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg *pg = scratch_open(&database);
    struct pg_result *result = NULL;
    char *text;

    err.text[0] = '\0';
    pg_run(pg, &statement, NULL, 0, 20000, &result, &err);
    assert_string_equal(err.text, "");
    text = strdup(pg_value(result, 0, 0).data);
    pg_clear(result);
    pg_close(pg);
    return text;
}

static inline void assert_row(const struct dbk_rows *rows, size_t i,
                              const char *expected)
{
    char *json = strndup(rows->json.text + rows->rows[i].offset, rows->rows[i].length);

    assert_string_equal(json, expected);
    free(json);
}

static inline dbk_timestamp at(const char *text)
{
    dbk_timestamp out;

    assert_true(dbk_timestamp_parse(text, strlen(text), &out));
    return out;
}

#endif
