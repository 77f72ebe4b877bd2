#include "apply_columns.h"

_Static_assert(EVENT_PROPERTIES + 1 == APPLY_COLUMNS, "each column has its array");

static const enum dbk_pg_element elements[APPLY_COLUMNS] = {
    [DELETED_PERSON] = DBK_PG_UUID,
    [DELETED_EVENT] = DBK_PG_UUID,
    [UPDATED_ID] = DBK_PG_UUID,
    [UPDATED_SEQUENCE] = DBK_PG_INT8,
    [UPDATED_MODIFIED] = DBK_PG_TIMESTAMP,
    [UPDATED_EMAIL] = DBK_PG_TEXT,
    [UPDATED_FIRST_NAME] = DBK_PG_TEXT,
    [UPDATED_LAST_NAME] = DBK_PG_TEXT,
    [UPDATED_ROLE] = DBK_PG_TEXT,
    [PERSON_ID] = DBK_PG_UUID,
    [PERSON_SEQUENCE] = DBK_PG_INT8,
    [PERSON_CREATED_SEQUENCE] = DBK_PG_INT8,
    [PERSON_CREATED] = DBK_PG_TIMESTAMP,
    [PERSON_MODIFIED] = DBK_PG_TIMESTAMP,
    [PERSON_EMAIL] = DBK_PG_TEXT,
    [PERSON_FIRST_NAME] = DBK_PG_TEXT,
    [PERSON_LAST_NAME] = DBK_PG_TEXT,
    [PERSON_ROLE] = DBK_PG_TEXT,
    [EVENT_ID] = DBK_PG_UUID,
    [EVENT_SEQUENCE] = DBK_PG_INT8,
    [EVENT_PERSON] = DBK_PG_UUID,
    [EVENT_TYPE] = DBK_PG_TEXT,
    [EVENT_CREATED] = DBK_PG_TIMESTAMP,
    [EVENT_PROPERTIES] = DBK_PG_JSONB,
};

void apply_init(struct apply *apply)
{
    for (size_t i = 0; i < APPLY_COLUMNS; i++)
        dbk_pg_array_init(&apply->columns[i], elements[i]);
}

void apply_free(struct apply *apply)
{
    for (size_t i = 0; i < APPLY_COLUMNS; i++)
        dbk_pg_array_free(&apply->columns[i]);
}

static void add_text_if(struct dbk_pg_array *column, bool there, struct dbk_slice text)
{
    if (there)
        dbk_pg_array_text(column, text);
    else
        dbk_pg_array_null(column);
}

static void fill_updated(struct dbk_pg_array *columns, const struct fold_person *person)
{
    const struct dbk_person_fields *fields = &person->fields;
    bool has_role = fields->has & DBK_HAS_ROLE;

    dbk_pg_array_uuid(&columns[UPDATED_ID], &person->id);
    dbk_pg_array_int8(&columns[UPDATED_SEQUENCE], (int64_t)person->sequence);
    dbk_pg_array_timestamp(&columns[UPDATED_MODIFIED], person->datetime_modified);
    add_text_if(&columns[UPDATED_EMAIL], fields->has & DBK_HAS_EMAIL, fields->email);
    add_text_if(&columns[UPDATED_FIRST_NAME], fields->has & DBK_HAS_FIRST_NAME,
                fields->first_name);
    add_text_if(&columns[UPDATED_LAST_NAME], fields->has & DBK_HAS_LAST_NAME,
                fields->last_name);
    add_text_if(&columns[UPDATED_ROLE], has_role,
                dbk_slice(has_role ? dbk_role_name(fields->role) : NULL));
}

static void fill_inserted(struct dbk_pg_array *columns,
                          const struct fold_person *person)
{
    const struct dbk_person_fields *fields = &person->fields;

    dbk_pg_array_uuid(&columns[PERSON_ID], &person->id);
    dbk_pg_array_int8(&columns[PERSON_SEQUENCE], (int64_t)person->sequence);
    dbk_pg_array_int8(&columns[PERSON_CREATED_SEQUENCE],
                      (int64_t)person->created_sequence);
    dbk_pg_array_timestamp(&columns[PERSON_CREATED], person->datetime_created);
    dbk_pg_array_timestamp(&columns[PERSON_MODIFIED], person->datetime_modified);
    dbk_pg_array_text(&columns[PERSON_EMAIL], fields->email);
    dbk_pg_array_text(&columns[PERSON_FIRST_NAME], fields->first_name);
    dbk_pg_array_text(&columns[PERSON_LAST_NAME], fields->last_name);
    dbk_pg_array_text(&columns[PERSON_ROLE], dbk_slice(dbk_role_name(fields->role)));
}

static void fill_event(struct dbk_pg_array *columns, const struct fold_event *event)
{
    dbk_pg_array_uuid(&columns[EVENT_ID], &event->id);
    dbk_pg_array_int8(&columns[EVENT_SEQUENCE], (int64_t)event->sequence);
    dbk_pg_array_uuid(&columns[EVENT_PERSON], &event->person_id);
    dbk_pg_array_text(&columns[EVENT_TYPE], event->event_type);
    dbk_pg_array_timestamp(&columns[EVENT_CREATED], event->datetime_created);
    if (event->properties.length > 0)
        dbk_pg_array_jsonb(&columns[EVENT_PROPERTIES], event->properties);
    else
        dbk_pg_array_null(&columns[EVENT_PROPERTIES]);
}

static void fill_person(struct dbk_pg_array *columns, const struct fold_person *person)
{
    switch (person->fate) {
    case FOLD_NOTHING:
        break;
    case FOLD_INSERT:
        fill_inserted(columns, person);
        break;
    case FOLD_UPDATE:
        fill_updated(columns, person);
        break;
    case FOLD_DELETE:
        dbk_pg_array_uuid(&columns[DELETED_PERSON], &person->id);
        break;
    }
}

void apply_fill(struct apply *apply, const struct fold *fold)
{
    for (size_t i = 0; i < APPLY_COLUMNS; i++)
        dbk_pg_array_clear(&apply->columns[i]);
    for (size_t i = 0; i < fold->person_count; i++)
        fill_person(apply->columns, &fold->persons[i]);
    for (size_t i = 0; i < fold->event_count; i++) {
        const struct fold_event *event = &fold->events[i];
        enum fold_fate fate = fold_event_fate(fold, event);

        if (fate == FOLD_INSERT)
            fill_event(apply->columns, event);
        else if (fate == FOLD_DELETE)
            dbk_pg_array_uuid(&apply->columns[DELETED_EVENT], &event->id);
    }
}
