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
    U_ROLE
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
    COLUMNS,
};

static void add_text_if(struct pg_array *column, bool there, struct dbk_slice text)
{
    if (there)
        pg_array_text(column, text);
    else
        pg_array_null(column);
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
}

static void fill_inserted(struct pg_array *columns, const struct fold_person *person)
{
    const struct dbk_person_fields *fields = &person->fields;

    pg_array_uuid(&columns[ID], &person->id);
    pg_array_int8(&columns[SEQUENCE], (int64_t)person->sequence);
    pg_array_int8(&columns[CREATED_SEQUENCE], (int64_t)person->created_sequence);
    pg_array_timestamp(&columns[CREATED], person->datetime_created);
    pg_array_timestamp(&columns[MODIFIED], person->datetime_modified);
    pg_array_text(&columns[EMAIL], fields->email);
    pg_array_text(&columns[FIRST_NAME], fields->first_name);
    pg_array_text(&columns[LAST_NAME], fields->last_name);
    pg_array_text(&columns[ROLE], dbk_slice(dbk_role_name(fields->role)));
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
    copy_rows_text(copy, fields->email);
    copy_rows_text(copy, fields->first_name);
    copy_rows_text(copy, fields->last_name);
    copy_rows_text(copy, dbk_slice(dbk_role_name(fields->role)));
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
                                       [U_ROLE] = PG_TEXT},
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
                                       [ROLE] = PG_TEXT}}},
    .fill = fill,
    .truncate = sql_load_truncate_person,
    .copy = sql_copy_person,
    .analyze = sql_load_analyze_person,
    .copy_person = copy_person,
};
