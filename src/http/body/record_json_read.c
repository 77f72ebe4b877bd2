#include "http/record_json.h"

#include "json_base64.h"
#include "json_check.h"
#include "json_walk.h"

#include <assert.h>
#include <endian.h>

/* A text being read. Each read_ function reads what begins at `at` and leaves `at` behind
 * it; false where it is not there, and wrong says what was expected. That all is spelled
 * the one right way is checked at the end, by writing it again. */
struct reading {
    const char *text, *at, *end;
    char *start, *room; /* where the next string without its escapes goes */
    const char *wrong;
    struct dbk_record *out;
};

/* That of records whose texts are sealed (store/record.h). */
enum { SEALED_FORMAT = 4, MONTH_FORMAT = 7 };

static bool refuse(struct reading *reading, const char *expected)
{
    if (!reading->wrong)
        reading->wrong = expected;
    return false;
}

static bool skip(struct reading *reading, const char *literal)
{
    size_t length = strlen(literal);

    if ((size_t)(reading->end - reading->at) < length ||
        memcmp(reading->at, literal, length) != 0)
        return false;
    reading->at += length;
    return true;
}

static bool expect(struct reading *reading, const char *literal)
{
    return skip(reading, literal) || refuse(reading, literal);
}

static bool read_number(struct reading *reading, uint64_t *out)
{
    const char *start = reading->at;

    *out = 0;
    for (; reading->at < reading->end; reading->at++) {
        unsigned digit = (unsigned)(*reading->at - '0');
        if (digit > 9)
            break;
        if (*out > (UINT64_MAX - digit) / 10)
            return refuse(reading, "a smaller number");
        *out = *out * 10 + digit;
    }
    return reading->at > start || refuse(reading, "a number");
}

/* The control character that four hexadecimal digits stand for; 0 for any other. */
static char read_control(const char *digits)
{
    static const char hex[] = "0123456789abcdef";
    const char *low = memchr(hex, digits[3], 16);

    if (digits[0] != '0' || digits[1] != '0' || !low)
        return '\0';
    if (digits[2] == '7' && digits[3] == 'f')
        return 0x7F;
    if (digits[2] != '0' && digits[2] != '1')
        return '\0';
    return (char)((digits[2] - '0') << 4 | (int)(low - hex));
}

/* The one character that the escape at `at`, behind its backslash, stands for. */
static bool read_escape(struct reading *reading)
{
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    const char *name;
    char value = '\0';

    if (reading->at < reading->end && *reading->at == 'u') {
        if (reading->end - reading->at > 4)
            value = read_control(reading->at + 1);
        reading->at += value ? 5 : 0;
    } else if (reading->at < reading->end) {
        name = memchr(names, *reading->at, sizeof names - 1);
        value = name ? values[name - names] : '\0';
        reading->at += value ? 1 : 0;
    }
    *reading->room++ = value;
    return value || refuse(reading, "an escape that is needed");
}

static bool read_string(struct reading *reading, struct dbk_slice *out)
{
    out->data = reading->room;
    if (!expect(reading, "\""))
        return false;
    while (reading->at < reading->end && *reading->at != '"') {
        char byte = *reading->at++;
        if (byte != '\\')
            *reading->room++ = byte;
        else if (!read_escape(reading))
            return false;
    }
    out->length = (size_t)(reading->room - out->data);
    return expect(reading, "\"");
}

/* A string of a fixed length without escapes; at receives its first character. */
static bool read_fixed(struct reading *reading, size_t length, const char **at)
{
    if (!expect(reading, "\""))
        return false;
    *at = reading->at;
    if ((size_t)(reading->end - reading->at) <= length || reading->at[length] != '"')
        return refuse(reading, "a text of another length");
    reading->at += length + 1;
    return true;
}

static bool read_id(struct reading *reading, struct dbk_uuid *id)
{
    const char *at;

    if (!read_fixed(reading, DBK_UUID_TEXT, &at))
        return false;
    return dbk_uuid_parse(at, DBK_UUID_TEXT, id) || refuse(reading, "a UUID before");
}

static bool read_time(struct reading *reading, dbk_timestamp *time)
{
    const char *at;

    if (!read_fixed(reading, DBK_TIMESTAMP_TEXT, &at))
        return false;
    return dbk_timestamp_parse(at, DBK_TIMESTAMP_TEXT, time) ||
           refuse(reading, "a time before");
}

static bool read_type(struct reading *reading)
{
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++) {
        if (skip(reading, dbk_type_name(type))) {
            reading->out->type = type;
            return true;
        }
    }
    return refuse(reading, "a type of record");
}

/* The name of a member that may be there, given with comma and colon: ",\"email\":". The
 * comma is missing at the front of an object. */
static bool skip_name(struct reading *reading, const char *name)
{
    assert(reading->at > reading->text);
    return skip(reading, reading->at[-1] == '{' ? name + 1 : name);
}

/* A string that is there when its name is; *bits then has bit. */
static bool read_text(struct reading *reading, const char *name, struct dbk_slice *out,
                      unsigned *bits, unsigned bit)
{
    if (!skip_name(reading, name))
        return true;
    *bits |= bit;
    return read_string(reading, out);
}

/* The same where null may stand instead, for what was removed. */
static bool read_optional(struct reading *reading, const char *name,
                          struct dbk_slice *out, unsigned bit)
{
    unsigned *has = &reading->out->person.has;

    if (!skip_name(reading, name))
        return true;
    *has |= bit;
    return skip(reading, "null") || read_string(reading, out);
}

static bool read_role(struct reading *reading)
{
    struct dbk_person_fields *person = &reading->out->person;
    struct dbk_slice role;

    if (!read_text(reading, ",\"role\":", &role, &person->has, DBK_HAS_ROLE))
        return false;
    return !(person->has & DBK_HAS_ROLE) ||
           dbk_role_parse(role.data, role.length, &person->role) ||
           refuse(reading, "\"user\" or \"admin\" before");
}

static bool read_properties(struct reading *reading, struct dbk_slice *properties)
{
    unsigned there = 0;

    if (reading->at == reading->end || *reading->at != '{')
        return refuse(reading, "{");
    properties->data = reading->at;
    properties->length = json_span(reading->at, reading->end);
    if (json_check(properties->data, properties->length, SIZE_MAX, NULL) != DBK_OK)
        return refuse(reading, "a JSON object");
    reading->at += properties->length;
    return read_text(reading, ",\"properties_text\":", properties, &there, 1);
}

static bool read_person_properties(struct reading *reading)
{
    struct dbk_person_fields *person = &reading->out->person;

    if (!skip_name(reading, ",\"properties\":"))
        return true;
    person->has |= DBK_HAS_PROPERTIES;
    return skip(reading, "null") || read_properties(reading, &person->properties);
}

static bool read_person(struct reading *reading)
{
    struct dbk_person_fields *person = &reading->out->person;

    return read_optional(reading, ",\"email\":", &person->email, DBK_HAS_EMAIL) &&
           read_optional(reading, ",\"first_name\":", &person->first_name,
                         DBK_HAS_FIRST_NAME) &&
           read_optional(reading, ",\"last_name\":", &person->last_name,
                         DBK_HAS_LAST_NAME) &&
           read_role(reading) && read_person_properties(reading);
}

static bool read_external_id(struct reading *reading)
{
    return read_optional(reading,
                         ",\"external_id\":", &reading->out->person.external_id,
                         DBK_HAS_EXTERNAL_ID);
}

/* What a new person does not have is not there. */
static bool has_no_null(struct reading *reading)
{
    const struct dbk_person_fields *person = &reading->out->person;
    const struct {
        unsigned bit;
        size_t length;
    } texts[] = {
        {DBK_HAS_EMAIL, person->email.length},
        {DBK_HAS_FIRST_NAME, person->first_name.length},
        {DBK_HAS_LAST_NAME, person->last_name.length},
        {DBK_HAS_PROPERTIES, person->properties.length},
        {DBK_HAS_EXTERNAL_ID, person->external_id.length},
    };

    for (size_t i = 0; reading->out->format > 1 && i < sizeof texts / sizeof *texts;
         i++)
        if (person->has & texts[i].bit && texts[i].length == 0)
            return refuse(reading, "no null before");
    return true;
}

static bool read_anonymous_id(struct reading *reading)
{
    return expect(reading, "\"anonymous_id\":") &&
           read_string(reading, &reading->out->anonymous_id);
}

/* Numbers, which become 8 bytes each. */
static bool read_keys(struct reading *reading)
{
    struct dbk_slice *keys = &reading->out->keys;
    uint64_t number;

    if (!expect(reading, "\"keys\":["))
        return false;
    keys->data = reading->room;
    do {
        if (keys->length == DBK_KEYS_MAX)
            return refuse(reading, "fewer keys");
        if (!read_number(reading, &number))
            return false;
        number = htobe64(number);
        memcpy(reading->room, &number, sizeof number);
        reading->room += sizeof number;
        keys->length += sizeof number;
    } while (skip(reading, ","));
    return expect(reading, "]");
}

static bool read_person_id(struct reading *reading)
{
    return expect(reading, "\"person_id\":") &&
           (skip(reading, "null") || read_id(reading, &reading->out->person_id));
}

static bool read_event(struct reading *reading)
{
    struct dbk_record *out = reading->out;

    return read_person_id(reading) && expect(reading, ",\"event_type\":") &&
           read_string(reading, &out->event_type) &&
           (!skip_name(reading, ",\"properties\":") ||
            read_properties(reading, &out->properties));
}

static bool read_created_at(struct reading *reading)
{
    struct dbk_record *out = reading->out;

    out->datetime_created = out->recorded_at; /* as decoding gives it */
    out->has_datetime_created = skip_name(reading, ",\"datetime_created\":");
    return !out->has_datetime_created || read_time(reading, &out->datetime_created);
}

/* Its bytes, which become as many fewer as base64 has more. */
static bool read_base64(struct reading *reading, struct dbk_slice *bytes)
{
    struct dbk_slice text = {reading->at, 0};
    const char *end = memchr(reading->at, '"', (size_t)(reading->end - reading->at));

    if (!end)
        return refuse(reading, "the end of a text");
    text.length = (size_t)(end - text.data);
    bytes->data = reading->room;
    if (!json_base64_read(text, reading->room, &bytes->length) || bytes->length == 0)
        return refuse(reading, "base64, as an export has it");
    reading->room += bytes->length;
    reading->at = end;
    return expect(reading, "\"");
}

static bool read_from_1(struct reading *reading, const char *name, uint64_t *number)
{
    return expect(reading, name) && read_number(reading, number) &&
           (*number > 0 || refuse(reading, "a number from 1 before"));
}

/* Whoever has it opened, and not as it lies there, made it by export --unseal. */
static bool read_sealed(struct reading *reading)
{
    struct dbk_record *out = reading->out;

    out->datetime_created = out->recorded_at; /* as decoding gives it */
    if (dbk_type_subject(out->type) == DBK_SUBJECT_EVENT &&
        !(read_person_id(reading) && expect(reading, ",")))
        return false;
    if (!skip(reading, "\"key\":"))
        return refuse(reading,
                      "\"key\": an export that was made with --unseal cannot be "
                      "imported; make one without");
    if (!read_number(reading, &out->key))
        return false;
    if (out->key == 0)
        return refuse(reading, "a key from 1 before");
    return expect(reading, ",\"sealed\":\"") && read_base64(reading, &out->sealed) &&
           (out->format != MONTH_FORMAT ||
            read_from_1(reading, ",\"month\":", &out->month));
}

static bool read_expired(struct reading *reading)
{
    struct dbk_record *out = reading->out;

    return read_keys(reading) && read_from_1(reading, ",\"through\":", &out->through) &&
           expect(reading, ",\"before\":") && read_time(reading, &out->before);
}

static bool read_resealed(struct reading *reading)
{
    struct dbk_record *out = reading->out;
    unsigned there = 0;

    if (!expect(reading, "\"size\":") || !read_number(reading, &out->size))
        return false;
    if (out->size == 0)
        return refuse(reading, "a size from 1 before");
    if (!expect(reading, ",\"root\":\"") || !read_base64(reading, &out->root))
        return false;
    if (out->root.length != DBK_ROOT_BYTES)
        return refuse(reading, "a root of 32 bytes before");
    return read_text(reading, ",\"checkpoint\":", &out->checkpoint, &there, 1);
}

static bool read_data(struct reading *reading)
{
    struct dbk_record *out = reading->out;
    unsigned there = 0;

    if ((out->format == SEALED_FORMAT && dbk_type_is_sealed(out->type)) ||
        (out->format == MONTH_FORMAT && out->type == DBK_EVENT_RECORDED))
        return read_sealed(reading);
    switch (out->type) {
    case DBK_PERSON_CREATED:
        return read_person(reading) &&
               (out->person.has & DBK_HAS_ROLE || refuse(reading, "a role")) &&
               read_created_at(reading) && read_external_id(reading) &&
               has_no_null(reading);
    case DBK_PERSON_UPDATED:
        return read_person(reading) && read_external_id(reading);
    case DBK_PERSON_DELETED:
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        return true;
    case DBK_PERSON_ERASED:
        return read_keys(reading);
    case DBK_LOG_RESEALED:
        return read_resealed(reading);
    case DBK_EVENTS_EXPIRED:
        return read_expired(reading);
    case DBK_EVENT_RECORDED:
        return read_event(reading) && read_created_at(reading) &&
               read_text(reading, ",\"anonymous_id\":", &out->anonymous_id, &there, 1);
    case DBK_EVENT_DELETED:
        return read_person_id(reading);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        return read_anonymous_id(reading);
    }
    return false;
}

static bool read_meta(struct reading *reading)
{
    struct dbk_record *out = reading->out;
    unsigned there = 0;

    return read_text(reading, ",\"request_id\":", &out->request_id, &there, 1) &&
           read_text(reading, ",\"actor\":", &out->actor, &there, 2) &&
           read_text(reading, ",\"source\":", &out->source, &there, 4) &&
           read_text(reading, ",\"clock_offset\":", &out->clock_offset, &there, 8) &&
           read_text(reading, ",\"traceparent\":", &out->traceparent, &there, 16);
}

static bool read_record(struct reading *reading)
{
    struct dbk_record *out = reading->out;

    return expect(reading, ",\"type\":\"") && read_type(reading) &&
           expect(reading, "\",\"sequence\":") &&
           read_number(reading, &out->sequence) &&
           expect(reading, ",\"recorded_at\":") &&
           read_time(reading, &out->recorded_at) &&
           expect(reading, ",\"subject_id\":") && read_id(reading, &out->subject) &&
           expect(reading, ",\"data\":{") && read_data(reading) &&
           expect(reading, "},\"meta\":{") && read_meta(reading) &&
           expect(reading, "}}") &&
           (reading->at == reading->end || refuse(reading, "the end of the line"));
}

static enum dbk_code fail_at(const char *text, const char *at, const char *expected,
                             struct dbk_error *err)
{
    return dbk_fail(err, DBK_INVALID, "column %zu: expected %s",
                    (size_t)(at - text) + 1, expected);
}

/* Write what was read again: it must come out as it went in. */
static enum dbk_code compare(const struct reading *reading, struct dbk_error *err)
{
    size_t length = (size_t)(reading->end - reading->text), same = 0, written;
    size_t used = (size_t)(reading->room - reading->start);
    char *again = reading->room;

    /* No string is longer than its JSON: the other half of the room is left. */
    assert(used <= length + DBK_KEYS_MAX);
    if (dbk_record_json_write(reading->out, again, DBK_RECORD_JSON_ROOM - used,
                              &written, err) != DBK_OK)
        return err ? err->code : DBK_INVALID;
    if (written == length && !memcmp(again, reading->text, length))
        return DBK_OK;
    while (same < length && same < written && again[same] == reading->text[same])
        same++;
    return fail_at(reading->text, reading->text + same,
                   "what an export has for this record", err);
}

enum dbk_code dbk_record_json_read(const char *text, size_t length, char *room,
                                   struct dbk_record *out, struct dbk_error *err)
{
    struct reading reading = {.text = text,
                              .at = text,
                              .end = text + length,
                              .start = room,
                              .room = room,
                              .out = out};
    uint64_t format;

    memset(out, 0, sizeof *out);
    if (length > DBK_RECORD_JSON_MAX)
        return dbk_fail(err, DBK_INVALID, "more than %zu bytes in one line",
                        DBK_RECORD_JSON_MAX);
    if (!expect(&reading, "{\"format\":") || !read_number(&reading, &format))
        return fail_at(text, reading.at, reading.wrong, err);
    if (format > DBK_RECORD_FORMAT)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "record format %llu is newer than this program's %d",
                        (unsigned long long)format, DBK_RECORD_FORMAT);
    out->format = (unsigned)format;
    if (format == 0)
        return fail_at(text, text + strlen("{\"format\":"), "a format from 1", err);
    if (!read_record(&reading))
        return fail_at(text, reading.at, reading.wrong, err);
    if (dbk_record_format(out) != out->format)
        return fail_at(text, text + strlen("{\"format\":"),
                       "the format in which such a record is written", err);
    return compare(&reading, err);
}
