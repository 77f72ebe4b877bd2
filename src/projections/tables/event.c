/* The table event: a row each that lives, of persons who do. */
#include "table.h"

#include "sql.h"

/* In the order of the parameters of the insert, and of the columns of the COPY. */
enum { ID, SEQUENCE, PERSON, TYPE, CREATED, PROPERTIES, COLUMNS };

static void fill_inserted(struct pg_array *columns, const struct fold_event *event)
{
    pg_array_uuid(&columns[ID], &event->id);
    pg_array_int8(&columns[SEQUENCE], (int64_t)event->sequence);
    pg_array_uuid(&columns[PERSON], &event->person_id);
    pg_array_text(&columns[TYPE], event->event_type);
    pg_array_timestamp(&columns[CREATED], event->datetime_created);
    if (event->properties.length > 0)
        pg_array_jsonb(&columns[PROPERTIES], event->properties);
    else
        pg_array_null(&columns[PROPERTIES]);
}

static void fill(struct table_rows rows[TABLE_KINDS], const struct fold *fold)
{
    for (size_t i = 0; i < fold->event_count; i++) {
        const struct fold_event *event = &fold->events[i];
        enum fold_fate fate = fold_event_fate(fold, event);

        if (fate == FOLD_INSERT)
            fill_inserted(rows[TABLE_INSERT].columns, event);
        else if (fate == FOLD_DELETE)
            pg_array_uuid(&rows[TABLE_DELETE].columns[ID], &event->id);
    }
}

static enum dbk_code copy_event(struct copy_rows *copy, const struct fold_event *event,
                                struct dbk_error *err)
{
    copy_rows_begin(copy, COLUMNS);
    copy_rows_uuid(copy, &event->id);
    copy_rows_int8(copy, (int64_t)event->sequence);
    copy_rows_uuid(copy, &event->person_id);
    copy_rows_text(copy, event->event_type);
    copy_rows_timestamp(copy, event->datetime_created);
    if (event->properties.length > 0)
        copy_rows_jsonb(copy, event->properties);
    else
        copy_rows_null(copy);
    return copy_rows_end(copy, err);
}

const struct table table_event = {
    .name = "event",
    .person = "person_id",
    .changes = {[TABLE_FORGET] = {.statement = {"person_events_delete",
                                                sql_person_events_delete},
                                  .columns = {PG_UUID}},
                [TABLE_DELETE] = {.statement = {"event_delete", sql_event_delete},
                                  .columns = {PG_UUID},
                                  .missing = "the event"},
                [TABLE_INSERT] = {.statement = {"event_insert", sql_event_insert},
                                  .columns = {[ID] = PG_UUID,
                                              [SEQUENCE] = PG_INT8,
                                              [PERSON] = PG_UUID,
                                              [TYPE] = PG_TEXT,
                                              [CREATED] = PG_TIMESTAMP,
                                              [PROPERTIES] = PG_JSONB}}},
    .fill = fill,
    .truncate = sql_load_truncate_event,
    .copy = sql_copy_event,
    .analyze = sql_load_analyze_event,
    .copy_event = copy_event,
};
