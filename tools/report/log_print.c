#include "log_print.h"

#include "escape.h"
#include "http/record_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CUT 60 /* bytes of properties on a line */

struct log_printer {
    FILE *out;
    char plain[DBK_PROPERTIES_MAX + 1];    /* a value with a NUL behind it */
    char safe[4 * DBK_PROPERTIES_MAX + 1]; /* the same, escaped */
    char json[DBK_RECORD_JSON_MAX + 1];
};

enum dbk_code log_printer_create(FILE *out, struct log_printer **printer,
                                 struct dbk_error *err)
{
    *printer = calloc(1, sizeof **printer);
    if (!*printer)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    (*printer)->out = out;
    return DBK_OK;
}

void log_printer_destroy(struct log_printer *printer)
{
    free(printer);
}

/* The text, safe to print; valid until the next call. */
static const char *safe(struct log_printer *printer, struct dbk_slice text)
{
    struct line line = {.text = printer->safe, .size = sizeof printer->safe};
    size_t length = text.length < DBK_PROPERTIES_MAX ? text.length : DBK_PROPERTIES_MAX;

    if (length > 0)
        memcpy(printer->plain, text.data, length);
    printer->plain[length] = '\0';
    printer->safe[0] = '\0';
    line_add_plain(&line, printer->plain);
    return printer->safe;
}

static void take_text(char *to, struct dbk_slice from, size_t max)
{
    size_t length = from.length < max ? from.length : max;

    if (length > 0)
        memcpy(to, from.data, length);
    to[length] = '\0';
}

void log_before_take(struct log_before *before, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;

    before->has |= person->has;
    if (person->has & DBK_HAS_EMAIL)
        take_text(before->email, person->email, DBK_EMAIL_MAX);
    if (person->has & DBK_HAS_FIRST_NAME)
        take_text(before->first_name, person->first_name, DBK_NAME_MAX);
    if (person->has & DBK_HAS_LAST_NAME)
        take_text(before->last_name, person->last_name, DBK_NAME_MAX);
    if (person->has & DBK_HAS_ROLE)
        before->role = person->role;
}

/* Who and what a record is about, and how it came to be. */
static void print_head(struct log_printer *printer, const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];
    const struct dbk_uuid *person = dbk_record_person(record);

    dbk_timestamp_format(record->recorded_at, time);
    fprintf(printer->out, "record %" PRIu64 " %s\n", record->sequence,
            dbk_type_name(record->type));
    fprintf(printer->out, "Time:     %s\n", time);
    dbk_uuid_format(person, id);
    fprintf(printer->out, "Person:   %s\n", id);
    dbk_uuid_format(&record->subject, id);
    if (person != &record->subject)
        fprintf(printer->out, "Event:    %s\n", id);
    if (record->source.length > 0)
        fprintf(printer->out, "Source:   %s\n", safe(printer, record->source));
    if (record->actor.length > 0)
        fprintf(printer->out, "Actor:    %s\n", safe(printer, record->actor));
    if (record->request_id.length > 0)
        fprintf(printer->out, "Request:  %s\n", safe(printer, record->request_id));
    fputc('\n', printer->out);
}

/* One field, its old value before an arrow where it is known. */
static void print_field(struct log_printer *printer, const char *name, const char *old,
                        struct dbk_slice new)
{
    fprintf(printer->out, "    %-16s  ", name);
    if (old)
        fprintf(printer->out, "%s \xE2\x86\x92 ", safe(printer, dbk_slice(old)));
    fprintf(printer->out, "%s\n", safe(printer, new));
}

static void print_person(struct log_printer *printer, const struct dbk_record *record,
                         const struct log_before *before)
{
    const struct dbk_person_fields *person = &record->person;
    bool anew = record->type == DBK_PERSON_CREATED;
    unsigned known = before && !anew ? before->has : 0;

    if (person->has & DBK_HAS_EMAIL)
        print_field(printer, "email", known & DBK_HAS_EMAIL ? before->email : NULL,
                    person->email);
    if (person->has & DBK_HAS_FIRST_NAME)
        print_field(printer, "first_name",
                    known & DBK_HAS_FIRST_NAME ? before->first_name : NULL,
                    person->first_name);
    if (person->has & DBK_HAS_LAST_NAME)
        print_field(printer, "last_name",
                    known & DBK_HAS_LAST_NAME ? before->last_name : NULL,
                    person->last_name);
    if (person->has & DBK_HAS_ROLE)
        print_field(printer, "role",
                    known & DBK_HAS_ROLE ? dbk_role_name(before->role) : NULL,
                    dbk_slice(dbk_role_name(person->role)));
}

static void print_created_at(struct log_printer *printer,
                             const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1];

    if (!record->has_datetime_created)
        return;
    dbk_timestamp_format(record->datetime_created, time);
    print_field(printer, "datetime_created", NULL, dbk_slice(time));
}

void log_print_block(struct log_printer *printer, const struct dbk_record *record,
                     const struct log_before *before)
{
    print_head(printer, record);
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
        print_person(printer, record, before);
        print_created_at(printer, record);
        break;
    case DBK_EVENT_RECORDED:
        print_field(printer, "event_type", NULL, record->event_type);
        print_created_at(printer, record);
        if (record->properties.length > 0)
            print_field(printer, "properties", NULL, record->properties);
        break;
    case DBK_PERSON_DELETED:
        fputs("    deleted, with all events\n", printer->out);
        break;
    case DBK_EVENT_DELETED:
        fputs("    deleted\n", printer->out);
        break;
    }
    fputc('\n', printer->out);
}

static void print_pair(struct log_printer *printer, unsigned has, const char *name,
                       struct dbk_slice value)
{
    if (has)
        fprintf(printer->out, " %s=%s", name, safe(printer, value));
}

/* The last part of a line: what a record says, in brief. */
static void print_brief(struct log_printer *printer, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;
    struct dbk_slice properties = record->properties;

    print_pair(printer, person->has & DBK_HAS_EMAIL, "email", person->email);
    print_pair(printer, person->has & DBK_HAS_FIRST_NAME, "first_name",
               person->first_name);
    print_pair(printer, person->has & DBK_HAS_LAST_NAME, "last_name",
               person->last_name);
    print_pair(printer, person->has & DBK_HAS_ROLE, "role",
               dbk_slice(dbk_role_name(person->role)));
    if (record->event_type.length > 0)
        fprintf(printer->out, " %s", safe(printer, record->event_type));
    if (properties.length > CUT) {
        properties.length = CUT;
        while ((properties.data[properties.length] & 0xC0) == 0x80)
            properties.length--; /* not within a character */
        fprintf(printer->out, " %s\xE2\x80\xA6", safe(printer, properties));
    } else if (properties.length > 0) {
        fprintf(printer->out, " %s", safe(printer, properties));
    }
}

void log_print_line(struct log_printer *printer, const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];

    dbk_timestamp_format(record->recorded_at, time);
    dbk_uuid_format(dbk_record_person(record), id);
    fprintf(printer->out, "%" PRIu64 "  %s  %s  person %s", record->sequence, time,
            dbk_type_name(record->type), id);
    print_brief(printer, record);
    fputc('\n', printer->out);
}

enum dbk_code log_print_json(struct log_printer *printer,
                             const struct dbk_record *record, struct dbk_error *err)
{
    size_t length;

    if (dbk_record_json_write(record, printer->json, DBK_RECORD_JSON_MAX, &length,
                              err) != DBK_OK)
        return err->code;
    printer->json[length] = '\0';
    escape_json(printer->out, printer->json);
    fputc('\n', printer->out);
    return DBK_OK;
}
