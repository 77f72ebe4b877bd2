#include "export_csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Of U+FF0B, U+FF0D, U+FF1D, U+FF20: + - = @ in fullwidth. */
static bool is_fullwidth_sign(const char *at, const char *end)
{
    return end - at >= 3 &&
           (!memcmp(at, "\xEF\xBC\x8B", 3) || !memcmp(at, "\xEF\xBC\x8D", 3) ||
            !memcmp(at, "\xEF\xBC\x9D", 3) || !memcmp(at, "\xEF\xBC\xA0", 3));
}

/* Whether a spreadsheet may run it. */
static bool is_formula(struct dbk_slice text)
{
    const char *at = text.data, *end = at + text.length;

    if (text.length == 0)
        return false;
    if (memchr("\t\r\n'", *at, 4))
        return true;
    while (at < end && *at == ' ')
        at++;
    return at < end && (memchr("=+-@", *at, 4) || is_fullwidth_sign(at, end));
}

static char *put_text(char *out, struct dbk_slice text, uint64_t *escaped)
{
    bool quoted = needs_quotes(text);

    if (quoted)
        *out++ = '"';
    if (is_formula(text)) {
        *out++ = '\'';
        ++*escaped;
    }
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

/* Nobody's: empty. */
static char *put_whose(char *out, const struct dbk_record *record)
{
    const struct dbk_uuid *person = dbk_record_person(record);

    if (record->format < 2 || !dbk_uuid_is_nil(person))
        return put_id(out, person);
    *out = ',';
    return out + 1;
}

size_t export_csv_row(const struct dbk_record *record, char out[EXPORT_CSV_MAX],
                      uint64_t *escaped)
{
    const struct dbk_person_fields *person = &record->person;
    const char *role = person->has & DBK_HAS_ROLE ? dbk_role_name(person->role) : NULL;
    struct dbk_slice properties =
        person->has & DBK_HAS_PROPERTIES ? person->properties : record->properties;
    char *at = out;

    at += sprintf(at, "%" PRIu64 ",", record->sequence);
    at = put_text(at, dbk_slice(dbk_type_name(record->type)), escaped);
    at = put_time(at, true, record->recorded_at);
    at = put_id(at, &record->subject);
    at = put_whose(at, record);
    at = put_text(at, person->email, escaped);
    at = put_text(at, person->first_name, escaped);
    at = put_text(at, person->last_name, escaped);
    at = put_text(at, dbk_slice(role), escaped);
    at = put_text(at, record->event_type, escaped);
    at = put_time(at, record->has_datetime_created, record->datetime_created);
    at = put_text(at, properties, escaped);
    at = put_text(at, record->request_id, escaped);
    at = put_text(at, record->actor, escaped);
    at = put_text(at, record->source, escaped);
    at = put_text(at, person->external_id, escaped);
    at = put_text(at, record->anonymous_id, escaped);
    at = put_text(at, record->clock_offset, escaped);
    at = put_text(at, record->traceparent, escaped);
    memcpy(at - 1, "\r\n", 2); /* over the last comma */
    return (size_t)(at + 1 - out);
}
