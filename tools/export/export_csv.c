#include "export_csv.h"

#include <inttypes.h>
#include <stdio.h>

/* Each put_ function writes one field, and a comma behind it. */

static bool needs_quotes(struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"' || text.data[i] == ',' || text.data[i] == '\n' ||
            text.data[i] == '\r')
            return true;
    }
    return false;
}

static char *put_text(char *out, struct dbk_slice text)
{
    bool quoted = needs_quotes(text);

    if (quoted)
        *out++ = '"';
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            *out++ = '"';
        *out++ = text.data[i];
    }
    if (quoted)
        *out++ = '"';
    *out++ = ',';
    return out;
}

static char *put_time(char *out, bool there, dbk_timestamp at)
{
    if (there) {
        dbk_timestamp_format(at, out);
        out += DBK_TIMESTAMP_TEXT;
    }
    *out++ = ',';
    return out;
}

static char *put_id(char *out, const struct dbk_uuid *id)
{
    dbk_uuid_format(id, out);
    out[DBK_UUID_TEXT] = ',';
    return out + DBK_UUID_TEXT + 1;
}

size_t export_csv_row(const struct dbk_record *record, char out[EXPORT_CSV_MAX])
{
    const struct dbk_person_fields *person = &record->person;
    const char *role = person->has & DBK_HAS_ROLE ? dbk_role_name(person->role) : NULL;
    char *at = out;

    at += sprintf(at, "%" PRIu64 ",", record->sequence);
    at = put_text(at, dbk_slice(dbk_type_name(record->type)));
    at = put_time(at, true, record->recorded_at);
    at = put_id(at, &record->subject);
    at = put_id(at, dbk_record_person(record));
    at = put_text(at, person->email);
    at = put_text(at, person->first_name);
    at = put_text(at, person->last_name);
    at = put_text(at, dbk_slice(role));
    at = put_text(at, record->event_type);
    at = put_time(at, record->has_datetime_created, record->datetime_created);
    at = put_text(at, record->properties);
    at = put_text(at, record->request_id);
    at = put_text(at, record->actor);
    at = put_text(at, record->source);
    memcpy(at - 1, "\r\n", 2); /* over the last comma */
    return (size_t)(at + 1 - out);
}
