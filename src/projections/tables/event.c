/* The table event: a row each that lives, of persons who do or of nobody. */
#include "table.h"

#include "jsonb_bytes.h"
#include "sql.h"

/* In the order of the parameters of the insert, and of the columns of the COPY. */
enum {
    ID,
    SEQUENCE,
    PERSON,
    ANONYMOUS,
    TYPE,
    CREATED,
    RECEIVED,
    PROPERTIES,
    BYTES,
    COLUMNS
};

/* Of an event that goes. */
enum { D_ID, D_ROW };

/* Of a crowd: which anonymous id, whose it was, and whose it is now. */
enum { C_ANONYMOUS, C_BEFORE, C_OWNER };

/* Of an anonymous id. */
static void add_owner(struct pg_array *column, const struct dbk_uuid *owner)
{
    if (dbk_uuid_is_nil(owner))
        pg_array_null(column);
    else
        pg_array_uuid(column, owner);
}

/* False: it is for PostgreSQL to find out, when it is read. */
static bool tell_bytes(struct dbk_slice properties, int32_t *bytes)
{
    int64_t found = jsonb_bytes(properties);

    *bytes = (int32_t)found;
    return found == *bytes && found >= 0;
}

static void fill_inserted(struct pg_array *columns, const struct fold_event *event,
                          struct dbk_uuid owner)
{
    int32_t bytes;

    pg_array_uuid(&columns[ID], &event->id);
    pg_array_int8(&columns[SEQUENCE], (int64_t)event->sequence);
    if (event->anonymous_id.length > 0) {
        add_owner(&columns[PERSON], &owner);
        pg_array_text(&columns[ANONYMOUS], event->anonymous_id);
    } else {
        pg_array_uuid(&columns[PERSON], &owner);
        pg_array_null(&columns[ANONYMOUS]);
    }
    pg_array_text(&columns[TYPE], event->event_type);
    pg_array_timestamp(&columns[CREATED], event->datetime_created);
    pg_array_timestamp(&columns[RECEIVED], event->received);
    if (event->properties.length > 0)
        pg_array_jsonb(&columns[PROPERTIES], event->properties);
    else
        pg_array_null(&columns[PROPERTIES]);
    if (tell_bytes(event->properties, &bytes))
        pg_array_int4(&columns[BYTES], bytes);
    else
        pg_array_null(&columns[BYTES]);
}

static void fill_deleted(struct pg_array *columns, const struct fold_event *event)
{
    pg_array_uuid(&columns[D_ID], &event->id);
    if (event->row > 0)
        pg_array_int8(&columns[D_ROW], (int64_t)event->row);
    else
        pg_array_null(&columns[D_ROW]);
}

/* Those that may have no row come last. */
static void fill_lacking(struct table_rows *rows, const struct fold *fold)
{
    for (size_t i = 0; i < fold->event_count; i++) {
        const struct fold_event *event = &fold->events[i];

        if (!event->may_lack || fold_event_fate(fold, event) != FOLD_DELETE)
            continue;
        fill_deleted(rows->columns, event);
        rows->may_lack++;
    }
}

static void fill_crowds(struct table_rows rows[TABLE_KINDS], const struct fold *fold)
{
    for (size_t i = 0; i < fold->crowds.count; i++) {
        const struct fold_crowd *crowd = &fold->crowds.list[i];
        enum fold_fate fate = fold_rows_fate(fold, crowd);
        struct pg_array *columns =
            rows[fate == FOLD_UPDATE ? TABLE_MOVE : TABLE_LOSE].columns;

        if (fate == FOLD_NOTHING)
            continue;
        pg_array_text(&columns[C_ANONYMOUS], crowd->anonymous_id);
        add_owner(&columns[C_BEFORE], &crowd->before);
        if (fate == FOLD_UPDATE)
            add_owner(&columns[C_OWNER], &crowd->owner);
    }
}

static void fill(struct table_rows rows[TABLE_KINDS], const struct fold *fold)
{
    for (size_t i = 0; i < fold->event_count; i++) {
        const struct fold_event *event = &fold->events[i];
        enum fold_fate fate = fold_event_fate(fold, event);

        if (fate == FOLD_INSERT)
            fill_inserted(rows[TABLE_INSERT].columns, event,
                          fold_event_owner(fold, event));
        else if (fate == FOLD_DELETE && !event->may_lack)
            fill_deleted(rows[TABLE_DELETE].columns, event);
    }
    fill_lacking(&rows[TABLE_DELETE], fold);
    fill_crowds(rows, fold);
}

static enum dbk_code copy_event(struct copy_rows *copy, const struct fold_event *event,
                                struct dbk_error *err)
{
    int32_t bytes;

    copy_rows_begin(copy, COLUMNS);
    copy_rows_uuid(copy, &event->id);
    copy_rows_int8(copy, (int64_t)event->sequence);
    if (event->anonymous_id.length > 0 && dbk_uuid_is_nil(&event->person_id))
        copy_rows_null(copy);
    else
        copy_rows_uuid(copy, &event->person_id);
    if (event->anonymous_id.length > 0)
        copy_rows_text(copy, event->anonymous_id);
    else
        copy_rows_null(copy);
    copy_rows_text(copy, event->event_type);
    copy_rows_timestamp(copy, event->datetime_created);
    copy_rows_timestamp(copy, event->received);
    if (event->properties.length > 0)
        copy_rows_jsonb(copy, event->properties);
    else
        copy_rows_null(copy);
    if (tell_bytes(event->properties, &bytes))
        copy_rows_int4(copy, bytes);
    else
        copy_rows_null(copy);
    return copy_rows_end(copy, err);
}

const struct table table_event = {
    .name = "event",
    .person = "person_id",
    .anonymous = "anonymous_id",
    .changes =
        {[TABLE_DELETE] = {.statement = {"event_delete", sql_event_delete},
                           .columns = {[D_ID] = PG_UUID, [D_ROW] = PG_INT8},
                           .missing = "the event"},
         [TABLE_LOSE] = {.statement = {"event_lose", sql_event_lose},
                         .columns = {[C_ANONYMOUS] = PG_TEXT, [C_BEFORE] = PG_UUID}},
         [TABLE_MOVE] =
             {.statement = {"event_move", sql_event_move},
              .columns =
                  {[C_ANONYMOUS] = PG_TEXT, [C_BEFORE] = PG_UUID, [C_OWNER] = PG_UUID}},
         [TABLE_FORGET] = {.statement = {"person_events_delete",
                                         sql_person_events_delete},
                           .columns = {PG_UUID}},
         [TABLE_INSERT] = {.statement = {"event_insert", sql_event_insert},
                           .columns = {[ID] = PG_UUID,
                                       [SEQUENCE] = PG_INT8,
                                       [PERSON] = PG_UUID,
                                       [ANONYMOUS] = PG_TEXT,
                                       [TYPE] = PG_TEXT,
                                       [CREATED] = PG_TIMESTAMP,
                                       [RECEIVED] = PG_TIMESTAMP,
                                       [PROPERTIES] = PG_JSONB,
                                       [BYTES] = PG_INT4}}},
    .fill = fill,
    .drop = {"event_drop", sql_event_drop},
    .settle = {"event_settle", sql_event_settle},
    .truncate = sql_load_truncate_event,
    .copy = sql_copy_event,
    .analyze = sql_load_analyze_event,
    .copy_event = copy_event,
};
