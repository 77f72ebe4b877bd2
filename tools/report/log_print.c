#include "log_print.h"

#include "escape.h"
#include "http/record_json.h"
#include "plural.h"
#include "store/proof/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#define CUT 60 /* bytes of properties on a line */

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
    if (person->has & DBK_HAS_EXTERNAL_ID)
        take_text(before->external_id, person->external_id, DBK_EXTERNAL_ID_MAX);
    if (person->has & DBK_HAS_ROLE)
        before->role = person->role;
}

static void print_origin(FILE *out, const char *what, struct dbk_slice text)
{
    if (text.length == 0)
        return;
    fputs(what, out);
    escape_plain(out, text);
    fputc('\n', out);
}

/* Whose it is, as the record says; in format 1 the nil UUID could be a person's. */
static const char *whose(const struct dbk_record *record, char id[DBK_UUID_TEXT + 1])
{
    const struct dbk_uuid *person = dbk_record_person(record);

    if (record->format > 1 && dbk_uuid_is_nil(person))
        return "nobody";
    dbk_uuid_format(person, id);
    return id;
}

/* As checkpoints write it. */
static void root_text(const struct dbk_record *record, char out[DBK_HASH_TEXT + 1])
{
    struct dbk_hash root = {{0}};

    if (record->root.length == sizeof root.bytes)
        memcpy(root.bytes, record->root.data, sizeof root.bytes);
    dbk_hash_format(&root, out);
}

static void print_expired(FILE *out, const struct dbk_record *record)
{
    char before[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(record->before, before);
    fprintf(out,
            "    forgot what all events said up to record %" PRIu64
            ", which were recorded before %s\n",
            record->through, before);
}

/* Who and what a record is about, and how it came to be. */
static void print_head(FILE *out, const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];

    dbk_timestamp_format(record->recorded_at, time);
    fprintf(out, "record %" PRIu64 " %s\n", record->sequence,
            dbk_type_name(record->type));
    fprintf(out, "Time:     %s\n", time);
    if (dbk_type_subject(record->type) != DBK_SUBJECT_LOG)
        fprintf(out, "Person:   %s\n", whose(record, id));
    dbk_uuid_format(&record->subject, id);
    if (dbk_type_subject(record->type) == DBK_SUBJECT_EVENT)
        fprintf(out, "Event:    %s\n", id);
    if (dbk_type_subject(record->type) == DBK_SUBJECT_LOG)
        fprintf(out, "Log:      %s\n", id);
    print_origin(out, "Anon. id: ", record->anonymous_id);
    print_origin(out, "Source:   ", record->source);
    print_origin(out, "Actor:    ", record->actor);
    print_origin(out, "Request:  ", record->request_id);
    print_origin(out, "Clock:    ", record->clock_offset);
    print_origin(out, "Trace:    ", record->traceparent);
    fputc('\n', out);
}

/* What a person.updated says of a text that it takes away. */
static struct dbk_slice or_removed(struct dbk_slice text)
{
    return text.length > 0 ? text : dbk_slice("(none)");
}

/* One field, its old value before an arrow where it is known. */
static void print_field(FILE *out, const char *name, const char *old,
                        struct dbk_slice new)
{
    fprintf(out, "    %-16s  ", name);
    escape_plain(out, dbk_slice(old));
    fputs(old ? " \xE2\x86\x92 " : "", out);
    escape_plain(out, new);
    fputc('\n', out);
}

static void print_person(FILE *out, const struct dbk_record *record,
                         const struct log_before *before)
{
    const struct dbk_person_fields *person = &record->person;
    bool anew = record->type == DBK_PERSON_CREATED;
    unsigned known = before && !anew ? before->has : 0;

    if (person->has & DBK_HAS_EMAIL)
        print_field(out, "email", known & DBK_HAS_EMAIL ? before->email : NULL,
                    or_removed(person->email));
    if (person->has & DBK_HAS_FIRST_NAME)
        print_field(out, "first_name",
                    known & DBK_HAS_FIRST_NAME ? before->first_name : NULL,
                    or_removed(person->first_name));
    if (person->has & DBK_HAS_LAST_NAME)
        print_field(out, "last_name",
                    known & DBK_HAS_LAST_NAME ? before->last_name : NULL,
                    or_removed(person->last_name));
    if (person->has & DBK_HAS_ROLE)
        print_field(out, "role",
                    known & DBK_HAS_ROLE ? dbk_role_name(before->role) : NULL,
                    dbk_slice(dbk_role_name(person->role)));
    if (person->has & DBK_HAS_EXTERNAL_ID)
        print_field(out, "external_id",
                    known & DBK_HAS_EXTERNAL_ID ? before->external_id : NULL,
                    or_removed(person->external_id));
    if (person->has & DBK_HAS_PROPERTIES)
        print_field(out, "properties", NULL, or_removed(person->properties));
}

static void print_created_at(FILE *out, const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1];

    if (!record->has_datetime_created)
        return;
    dbk_timestamp_format(record->datetime_created, time);
    print_field(out, "datetime_created", NULL, dbk_slice(time));
}

/* As a checkpoint is read: a line each. */
static void print_checkpoint(FILE *out, struct dbk_slice text)
{
    while (text.length > 0) {
        const char *end = memchr(text.data, '\n', text.length);
        struct dbk_slice line = {text.data,
                                 end ? (size_t)(end - text.data) : text.length};
        size_t taken = line.length + (end != NULL);

        if (line.length > 0)
            print_field(out, "checkpoint", NULL, line);
        text.data += taken;
        text.length -= taken;
    }
}

static void print_resealed(FILE *out, const struct dbk_record *record)
{
    char root[DBK_HASH_TEXT + 1];

    root_text(record, root);
    fprintf(out, "    the %s before it were those of this log, sealed anew here\n",
            plural(record->size, "records").text);
    print_field(out, "root", NULL, dbk_slice(root));
    print_checkpoint(out, record->checkpoint);
}

void log_print_block(FILE *out, const struct dbk_record *record,
                     const struct log_before *before)
{
    print_head(out, record);
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
        print_person(out, record, before);
        print_created_at(out, record);
        break;
    case DBK_EVENT_RECORDED:
        print_field(out, "event_type", NULL, record->event_type);
        print_created_at(out, record);
        if (record->properties.length > 0)
            print_field(out, "properties", NULL, record->properties);
        break;
    case DBK_PERSON_DELETED:
        fputs("    deleted, with all events\n", out);
        break;
    case DBK_PERSON_ERASED:
        fputs("    erased for good, with all events\n", out);
        break;
    case DBK_PERSON_RESTRICTED:
        fputs("    kept, but shown to nobody but admins from here on\n", out);
        break;
    case DBK_PERSON_UNRESTRICTED:
        fputs("    shown again\n", out);
        break;
    case DBK_EVENT_DELETED:
        fputs("    deleted\n", out);
        break;
    case DBK_PERSON_ALIASED:
        fputs("    is the person's from here on\n", out);
        break;
    case DBK_PERSON_UNALIASED:
        fputs("    is nobody's from here on\n", out);
        break;
    case DBK_LOG_RESEALED:
        print_resealed(out, record);
        break;
    case DBK_EVENTS_EXPIRED:
        print_expired(out, record);
        break;
    }
    fputc('\n', out);
}

static void print_pair(FILE *out, unsigned has, const char *name,
                       struct dbk_slice value)
{
    if (!has)
        return;
    fprintf(out, " %s=", name);
    escape_plain(out, value);
}

static void print_word(FILE *out, struct dbk_slice value)
{
    fputc(' ', out);
    escape_plain(out, value);
}

/* In brief. */
static void print_properties(FILE *out, struct dbk_slice whole)
{
    struct dbk_slice properties = whole;

    if (properties.length > CUT) {
        properties.length = CUT;
        while ((properties.data[properties.length] & 0xC0) == 0x80)
            properties.length--; /* not within a character */
    }
    if (properties.length > 0)
        print_word(out, properties);
    if (properties.length < whole.length)
        fputs("\xE2\x80\xA6", out);
}

/* The last part of a line: what a record says, in brief. */
static void print_brief(FILE *out, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;

    print_pair(out, person->has & DBK_HAS_EMAIL, "email", person->email);
    print_pair(out, person->has & DBK_HAS_FIRST_NAME, "first_name", person->first_name);
    print_pair(out, person->has & DBK_HAS_LAST_NAME, "last_name", person->last_name);
    print_pair(out, person->has & DBK_HAS_ROLE, "role",
               dbk_slice(dbk_role_name(person->role)));
    print_pair(out, person->has & DBK_HAS_EXTERNAL_ID, "external_id",
               person->external_id);
    print_pair(out, record->anonymous_id.length > 0, "anonymous_id",
               record->anonymous_id);
    if (record->event_type.length > 0)
        print_word(out, record->event_type);
    print_properties(out, record->properties.length > 0 ? record->properties
                                                        : person->properties);
}

void log_print_line(FILE *out, const struct dbk_record *record)
{
    char time[DBK_TIMESTAMP_TEXT + 1], id[DBK_UUID_TEXT + 1];

    dbk_timestamp_format(record->recorded_at, time);
    fprintf(out, "%" PRIu64 "  %s  %s  ", record->sequence, time,
            dbk_type_name(record->type));
    if (dbk_type_subject(record->type) == DBK_SUBJECT_LOG) {
        dbk_uuid_format(&record->subject, id);
        fprintf(out, "log %s", id);
        if (record->type == DBK_LOG_RESEALED)
            fprintf(out, " size=%" PRIu64, record->size);
        else
            fprintf(out, " through=%" PRIu64, record->through);
    } else {
        fprintf(out, "person %s", whose(record, id));
    }
    print_brief(out, record);
    fputc('\n', out);
}

enum dbk_code log_print_json(FILE *out, const struct dbk_record *record, char *room,
                             struct dbk_error *err)
{
    struct dbk_slice json = {.data = room};

    if (dbk_record_json_write_opened(record, room, DBK_RECORD_JSON_MAX, &json.length,
                                     err) != DBK_OK)
        return err->code;
    escape_json(out, json);
    fputc('\n', out);
    return DBK_OK;
}
