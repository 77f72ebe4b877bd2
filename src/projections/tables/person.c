/* The table person: a row each who lives. */
#include "table.h"

#include "sql.h"

/* In the order of the parameters of the statements, and of the columns of the COPY. */
enum updated {
    U_ID,
    U_SEQUENCE,
    U_MODIFIED,
    U_EMAIL,
    U_FIRST_NAME,
    U_LAST_NAME,
    U_ROLE,
    U_EXTERNAL_ID,
    U_PROPERTIES,
};
enum inserted {
    ID,
    SEQUENCE,
    CREATED_SEQUENCE,
    CREATED,
    MODIFIED,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    ROLE,
    EXTERNAL_ID,
    PROPERTIES,
    COLUMNS,
};

static void add_text_if(struct pg_array *column, bool there, struct dbk_slice text)
{
    if (there)
        pg_array_text(column, text);
    else
        pg_array_null(column);
}

static void add_jsonb_if(struct pg_array *column, bool there, struct dbk_slice json)
{
    if (there)
        pg_array_jsonb(column, json);
    else
        pg_array_null(column);
}

/* The new whole; JSON's null where there are none any more. */
static struct dbk_slice changed_properties(const struct dbk_person_fields *fields)
{
    return fields->properties.length > 0 ? fields->properties : dbk_slice("null");
}

static void fill_updated(struct pg_array *columns, const struct fold_person *person)
{
    const struct dbk_person_fields *fields = &person->fields;
    bool has_role = fields->has & DBK_HAS_ROLE;

    pg_array_uuid(&columns[U_ID], &person->id);
    pg_array_int8(&columns[U_SEQUENCE], (int64_t)person->sequence);
    pg_array_timestamp(&columns[U_MODIFIED], person->datetime_modified);
    add_text_if(&columns[U_EMAIL], fields->has & DBK_HAS_EMAIL, fields->email);
    add_text_if(&columns[U_FIRST_NAME], fields->has & DBK_HAS_FIRST_NAME,
                fields->first_name);
    add_text_if(&columns[U_LAST_NAME], fields->has & DBK_HAS_LAST_NAME,
                fields->last_name);
    add_text_if(&columns[U_ROLE], has_role,
                dbk_slice(has_role ? dbk_role_name(fields->role) : NULL));
    add_text_if(&columns[U_EXTERNAL_ID], fields->has & DBK_HAS_EXTERNAL_ID,
                fields->external_id);
    add_jsonb_if(&columns[U_PROPERTIES], fields->has & DBK_HAS_PROPERTIES,
                 changed_properties(fields));
}

static void add_text(struct pg_array *column, struct dbk_slice text)
{
    add_text_if(column, text.length > 0, text);
}

static void fill_inserted(struct pg_array *columns, const struct fold_person *person)
{
    const struct dbk_person_fields *fields = &person->fields;

    pg_array_uuid(&columns[ID], &person->id);
    pg_array_int8(&columns[SEQUENCE], (int64_t)person->sequence);
    pg_array_int8(&columns[CREATED_SEQUENCE], (int64_t)person->created_sequence);
    pg_array_timestamp(&columns[CREATED], person->datetime_created);
    pg_array_timestamp(&columns[MODIFIED], person->datetime_modified);
    add_text(&columns[EMAIL], fields->email);
    add_text(&columns[FIRST_NAME], fields->first_name);
    add_text(&columns[LAST_NAME], fields->last_name);
    pg_array_text(&columns[ROLE], dbk_slice(dbk_role_name(fields->role)));
    add_text(&columns[EXTERNAL_ID], fields->external_id);
    add_jsonb_if(&columns[PROPERTIES], fields->properties.length > 0,
                 fields->properties);
}

static void fill(struct table_rows rows[TABLE_KINDS], const struct fold *fold)
{
    for (size_t i = 0; i < fold->person_count; i++) {
        const struct fold_person *person = &fold->persons[i];

        if (person->fate == FOLD_INSERT)
            fill_inserted(rows[TABLE_INSERT].columns, person);
        else if (person->fate == FOLD_UPDATE)
            fill_updated(rows[TABLE_UPDATE].columns, person);
    }
}

static void copy_text(struct copy_rows *copy, struct dbk_slice text)
{
    if (text.length > 0)
        copy_rows_text(copy, text);
    else
        copy_rows_null(copy);
}

static enum dbk_code copy_person(struct copy_rows *copy,
                                 const struct fold_person *person,
                                 struct dbk_error *err)
{
    const struct dbk_person_fields *fields = &person->fields;

    copy_rows_begin(copy, COLUMNS);
    copy_rows_uuid(copy, &person->id);
    copy_rows_int8(copy, (int64_t)person->sequence);
    copy_rows_int8(copy, (int64_t)person->created_sequence);
    copy_rows_timestamp(copy, person->datetime_created);
    copy_rows_timestamp(copy, person->datetime_modified);
    copy_text(copy, fields->email);
    copy_text(copy, fields->first_name);
    copy_text(copy, fields->last_name);
    copy_rows_text(copy, dbk_slice(dbk_role_name(fields->role)));
    copy_text(copy, fields->external_id);
    if (fields->properties.length > 0)
        copy_rows_jsonb(copy, fields->properties);
    else
        copy_rows_null(copy);
    return copy_rows_end(copy, err);
}

const struct table table_person = {
    .name = "person",
    .person = "id",
    .changes =
        {[TABLE_FORGET] = {.statement = {"person_delete", sql_person_delete},
                           .columns = {PG_UUID},
                           .missing = "the person"},
         [TABLE_UPDATE] = {.statement = {"person_update", sql_person_update},
                           .columns = {[U_ID] = PG_UUID,
                                       [U_SEQUENCE] = PG_INT8,
                                       [U_MODIFIED] = PG_TIMESTAMP,
                                       [U_EMAIL] = PG_TEXT,
                                       [U_FIRST_NAME] = PG_TEXT,
                                       [U_LAST_NAME] = PG_TEXT,
                                       [U_ROLE] = PG_TEXT,
                                       [U_EXTERNAL_ID] = PG_TEXT,
                                       [U_PROPERTIES] = PG_JSONB},
                           .missing = "the person"},
         [TABLE_INSERT] = {.statement = {"person_insert", sql_person_insert},
                           .columns = {[ID] = PG_UUID,
                                       [SEQUENCE] = PG_INT8,
                                       [CREATED_SEQUENCE] = PG_INT8,
                                       [CREATED] = PG_TIMESTAMP,
                                       [MODIFIED] = PG_TIMESTAMP,
                                       [EMAIL] = PG_TEXT,
                                       [FIRST_NAME] = PG_TEXT,
                                       [LAST_NAME] = PG_TEXT,
                                       [ROLE] = PG_TEXT,
                                       [EXTERNAL_ID] = PG_TEXT,
                                       [PROPERTIES] = PG_JSONB}}},
    .fill = fill,
    .drop = {"person_drop", sql_person_drop},
    .truncate = sql_load_truncate_person,
    .copy = sql_copy_person,
    .analyze = sql_load_analyze_person,
    .copy_person = copy_person,
};
