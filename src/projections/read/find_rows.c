#include "find_rows.h"
#include "projections/model_json.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

/* Of persons and of events. */
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

static int by_sequence(const void *a, const void *b)
{
    const struct find_event *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

int64_t find_row_place(const struct pg_result *result, size_t row)
{
    return pg_binary_int8(result, row, PLACE);
}

bool find_row_is_person(const struct pg_result *result, size_t row)
{
    return !pg_null(result, row, ROLE);
}

uint64_t find_row_sequence(const struct pg_result *result, size_t row)
{
    return (uint64_t)pg_binary_int8(result, row, SEQUENCE);
}

bool find_row_is_large(const struct pg_result *result, size_t row, int64_t bytes)
{
    return pg_binary_int8(result, row, PROPERTIES_BYTES) > bytes;
}

static struct find_one *found_at(struct find_rows *rows, size_t row)
{
    return &rows->found[find_row_place(rows->result, row) - 1];
}

/* Each gets its part of the events' places. */
static void give_room(struct find_rows *rows, size_t count)
{
    struct find_event *next = rows->events;

    for (size_t row = 0; row < count; row++) {
        struct find_one *one = found_at(rows, row);

        if (!find_row_is_person(rows->result, row)) {
            one->count++;
            continue;
        }
        one->person = true;
        one->row = row;
    }
    for (size_t i = 0; i < rows->count; i++) {
        rows->found[i].events = next;
        next += rows->found[i].count;
        rows->found[i].count = 0;
    }
}

/* Sort the rows out: found[i] is for the place i + 1. */
enum dbk_code find_rows_sort(struct find_rows *rows, struct dbk_error *err)
{
    size_t count = pg_rows(rows->result);

    memset(rows->found, 0, sizeof rows->found);
    rows->events = malloc((count + 1) * sizeof *rows->events);
    if (!rows->events)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    give_room(rows, count);
    for (size_t row = 0; row < count; row++) {
        struct find_one *one = found_at(rows, row);

        if (!find_row_is_person(rows->result, row))
            one->events[one->count++] =
                (struct find_event){find_row_sequence(rows->result, row), row};
    }
    for (size_t i = 0; i < rows->count; i++)
        qsort(rows->found[i].events, rows->found[i].count, sizeof *rows->events,
              by_sequence);
    return DBK_OK;
}

void find_rows_finish(struct find_rows *rows)
{
    pg_clear(rows->result);
    free(rows->events);
    rows->result = NULL;
    rows->events = NULL;
}

bool find_rows_cut(struct find_one *one, size_t most)
{
    if (one->count <= most)
        return false;
    one->events += one->count - most;
    one->count = most;
    return true;
}

bool find_rows_have_large(const struct find_rows *rows, const struct find_one *one,
                          int64_t bytes)
{
    for (size_t i = 0; i < one->count; i++) {
        if (find_row_is_large(rows->result, one->events[i].row, bytes))
            return true;
    }
    return false;
}

void find_row_put_event(const struct pg_result *result, size_t row,
                        const struct dbk_uuid *person_id, struct dbk_render *out)
{
    struct dbk_event_view event = {
        .person_id = *person_id,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .event_type = pg_value(result, row, EVENT_TYPE),
        .anonymous_id = pg_value(result, row, ANONYMOUS_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
    };

    pg_binary_uuid(result, row, ID, &event.id);
    dbk_render_event(out, &event);
}

static void put_events(const struct pg_result *result, const struct find_one *one,
                       const struct dbk_uuid *person_id, struct dbk_rows *out)
{
    dbk_render_text(&out->json, "[");
    for (size_t i = 0; i < one->count; i++) {
        if (i > 0)
            dbk_render_text(&out->json, ",");
        find_row_put_event(result, one->events[i].row, person_id, &out->json);
    }
    dbk_render_text(&out->json, "]");
}

struct dbk_row find_row_person(const struct pg_result *result, size_t row,
                               struct dbk_person_view *person)
{
    struct dbk_row added = {
        .cursor = (uint64_t)pg_binary_int8(result, row, CREATED_SEQUENCE),
        .version = (uint64_t)pg_binary_int8(result, row, SEQUENCE),
    };

    person->datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED);
    person->datetime_modified = pg_binary_timestamp(result, row, DATETIME_MODIFIED);
    person->email = pg_value(result, row, EMAIL);
    person->first_name = pg_value(result, row, FIRST_NAME);
    person->last_name = pg_value(result, row, LAST_NAME);
    person->role = pg_value(result, row, ROLE);
    person->external_id = pg_value(result, row, EXTERNAL_ID);
    person->properties = pg_binary_jsonb(result, row, PROPERTIES);
    pg_binary_uuid(result, row, ID, &person->id);
    added.person_id = person->id;
    return added;
}

void find_rows_put(const struct find_rows *rows, const struct find_one *one,
                   struct dbk_rows *out)
{
    struct dbk_person_view person = {
        .shown = out->shown,
        .events_total = one->total,
        .events_after = one->count > 0 ? one->events[0].sequence : 0,
    };
    struct dbk_row added = find_row_person(rows->result, one->row, &person);

    if (dbk_render_person_begin(&out->json, &person))
        put_events(rows->result, one, &person.id, out);
    dbk_render_person_end(&out->json, &person);
    rows_end(out, &added);
}
