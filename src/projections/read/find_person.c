/* One person by its id, with its newest events.
 *
 * All that is carried together is in memory at once, so nothing large is: a person that
 * has large events among those shown, or of whom many are asked for, is asked for alone.
 */
#include "find_person.h"
#include "gather.h"
#include "pg_array.h"
#include "projections/model_json.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <stdlib.h>

/* What is shown of a person's events is at most 1 MiB. This many, none larger, cannot come
 * to more, so nobody needs to add them up: beside its properties an event takes 256 bytes,
 * and 1,400 more with the longest type and anonymous id (newest_events of the
 * migrations). */
#define EVENTS_MAX 100
#define PROPERTIES_MAX ((1 << 20) / EVENTS_MAX - 256 - 1400)

#define TOGETHER_MAX 16

/* The statement's columns, of persons and of events. */
enum {
    PLACE,
    SEQUENCE,
    ID,
    DATETIME_CREATED,
    DATETIME_MODIFIED,
    ROLE,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    PROPERTIES,
    CREATED_SEQUENCE,
    EXTERNAL_ID,
    EVENT_TYPE = EMAIL,
    PROPERTIES_BYTES = CREATED_SEQUENCE,
    ANONYMOUS_ID = EXTERNAL_ID,
};

static const struct pg_statement together = {"person_find", sql_person_find};
static const struct pg_statement alone = {"person_get", sql_person_get};

/* The rows of one person: its own, and those of its events. */
struct found {
    bool person;
    size_t row;
    size_t count;
    struct found_event {
        uint64_t sequence;
        size_t row;
    } events[EVENTS_MAX];
};

static int by_sequence(const void *a, const void *b)
{
    const struct found_event *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Sort the rows out: found[i] is for the place i + 1. */
static void look_through(const struct pg_result *result, struct found *found,
                         size_t places)
{
    for (size_t i = 0; i < places; i++) {
        found[i].person = false;
        found[i].count = 0;
    }
    for (size_t row = 0; row < pg_rows(result); row++) {
        struct found *one = &found[pg_binary_int8(result, row, PLACE) - 1];

        if (!pg_null(result, row, ROLE)) {
            one->person = true;
            one->row = row;
        } else if (one->count < EVENTS_MAX) {
            uint64_t sequence = (uint64_t)pg_binary_int8(result, row, SEQUENCE);

            one->events[one->count++] = (struct found_event){sequence, row};
        }
    }
    for (size_t i = 0; i < places; i++)
        qsort(found[i].events, found[i].count, sizeof *found[i].events, by_sequence);
}

static bool has_large(const struct pg_result *result, const struct found_event *events,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pg_binary_int8(result, events[i].row, PROPERTIES_BYTES) > PROPERTIES_MAX)
            return true;
    }
    return false;
}

static void put_event(const struct pg_result *result, size_t row,
                      const struct dbk_uuid *person_id, struct dbk_rows *rows)
{
    struct dbk_event_view event = {
        .person_id = *person_id,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .event_type = pg_value(result, row, EVENT_TYPE),
        .anonymous_id = pg_value(result, row, ANONYMOUS_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
    };

    pg_binary_uuid(result, row, ID, &event.id);
    dbk_render_event(&rows->json, &event);
}

static void put_events(const struct pg_result *result, const struct found_event *events,
                       size_t count, const struct dbk_uuid *person_id,
                       struct dbk_rows *rows)
{
    dbk_render_text(&rows->json, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            dbk_render_text(&rows->json, ",");
        put_event(result, events[i].row, person_id, rows);
    }
    dbk_render_text(&rows->json, "]");
}

static void put_person(const struct pg_result *result, size_t row,
                       const struct found_event *events, size_t count,
                       struct dbk_rows *rows)
{
    struct dbk_person_view person = {
        .shown = rows->shown,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .datetime_modified = pg_binary_timestamp(result, row, DATETIME_MODIFIED),
        .email = pg_value(result, row, EMAIL),
        .first_name = pg_value(result, row, FIRST_NAME),
        .last_name = pg_value(result, row, LAST_NAME),
        .role = pg_value(result, row, ROLE),
        .external_id = pg_value(result, row, EXTERNAL_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
    };
    struct dbk_row added = {
        .cursor = (uint64_t)pg_binary_int8(result, row, CREATED_SEQUENCE),
        .version = (uint64_t)pg_binary_int8(result, row, SEQUENCE),
    };

    pg_binary_uuid(result, row, ID, &person.id);
    added.person_id = person.id;
    if (dbk_render_person_begin(&rows->json, &person))
        put_events(result, events, count, &person.id, rows);
    dbk_render_person_end(&rows->json, &person);
    rows_end(rows, &added);
}

/* DBK_TOO_LARGE: it must be asked for alone. */
static void give(const struct pg_result *result, const struct found *found,
                 struct look_up *look_up)
{
    size_t count = found->count < look_up->limit ? found->count : look_up->limit;
    const struct found_event *newest = found->events + (found->count - count);

    if (!found->person)
        return;
    if (has_large(result, newest, count))
        look_up->code = DBK_TOO_LARGE;
    else
        put_person(result, found->row, newest, count, look_up->rows);
}

/* The statement for several: their ids, how many events of each, and how large their
 * properties may be. */
struct find {
    struct look_up *const *asked;
    size_t count;
    struct pg_param params[3];
    char events[8], bytes[8];
    struct pg_result *result;
};

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct find *find = context;

    return pg_run(pg, &together, find->params, 3, dbk_deadline_left(deadline),
                  &find->result, err);
}

static enum dbk_code find_together(struct dbk_read_model *model, struct find *find,
                                   struct dbk_error *err)
{
    struct pg_array ids;
    unsigned most = 0;
    enum dbk_code code;

    pg_array_init(&ids, PG_UUID);
    for (size_t i = 0; i < find->count; i++) {
        pg_array_uuid(&ids, &find->asked[i]->id);
        most = find->asked[i]->limit > most ? find->asked[i]->limit : most;
    }
    find->params[1] = pg_int8(find->events, most);
    find->params[2] = pg_int8(find->bytes, PROPERTIES_MAX);
    code = pg_array_param(&ids, &find->params[0], err);
    if (code == DBK_OK)
        code =
            read_with_connection(model, NULL, find->asked[0]->deadline, run, find, err);
    pg_array_finish(&ids);
    return code;
}

static void carry(void *context, struct carrying *carrying,
                  struct look_up *const *asked, size_t count)
{
    struct find find = {.asked = asked, .count = count};
    struct found found[TOGETHER_MAX];
    struct dbk_error err = {0};
    enum dbk_code code;

    assert(count <= TOGETHER_MAX);
    code = find_together(context, &find, &err);
    gather_pass_on(carrying);
    if (code == DBK_OK)
        look_through(find.result, found, count);
    for (size_t i = 0; i < count; i++) {
        asked[i]->code = code;
        asked[i]->error = err;
        if (code == DBK_OK)
            give(find.result, &found[i], asked[i]);
    }
    pg_clear(find.result);
}

void find_persons_init(struct dbk_read_model *model, unsigned processors)
{
    gather_init(&model->persons, TOGETHER_MAX, processors, carry, model);
}

static enum dbk_code find_alone(struct dbk_read_model *model,
                                const struct look_up *look_up, struct dbk_error *err)
{
    char events[8];
    const struct pg_param params[] = {pg_uuid(&look_up->id),
                                      pg_int8(events, look_up->limit),
                                      read_zone(look_up->rows)};
    const struct read_query query = {.statement = &alone,
                                     .params = params,
                                     .count = 3,
                                     .add = read_add_person,
                                     .rows_max = 1,
                                     .bytes_max = SIZE_MAX};

    return read_query_run(model, &query, look_up->deadline, look_up->rows, NULL, err);
}

static enum dbk_code tell(const struct look_up *look_up, struct dbk_error *err)
{
    if (look_up->code != DBK_OK && err)
        *err = look_up->error;
    if (look_up->code != DBK_OK)
        return look_up->code;
    if (look_up->rows->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    if (look_up->rows->count == 0)
        return dbk_fail(err, DBK_NOT_FOUND, "There is no such person");
    return DBK_OK;
}

enum dbk_code dbk_read_person(struct dbk_read_model *model, const struct dbk_uuid *id,
                              unsigned events_limit, struct dbk_rows *rows,
                              struct dbk_error *err)
{
    struct look_up look_up = {.id = *id,
                              .limit = read_events_limit(rows, events_limit),
                              .rows = rows,
                              .deadline = dbk_deadline_in(model->timeout_ms),
                              .code = DBK_TOO_LARGE};

    rows_clear(rows);
    if (events_limit <= EVENTS_MAX)
        gather_ask(&model->persons, &look_up);
    if (look_up.code == DBK_TOO_LARGE)
        look_up.code = find_alone(model, &look_up, &look_up.error);
    return tell(&look_up, err);
}
