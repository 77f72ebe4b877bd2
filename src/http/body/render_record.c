/* A record of the log as JSON: its seven names, and the names of its data. */
#include "render_record.h"

#include "http/record_json.h"
#include "json_base64.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>

/* What is written of a record. */
enum manner {
    SHOWN,  /* on a line each, as GET /log does */
    EXACT,  /* with nothing lost */
    SEALED, /* that, and what is sealed as it lies there */
};

/* Members of an object, with a comma before all but the first. */
struct members {
    struct dbk_render *render;
    enum manner manner;
    bool any;
};

/* A member's name, given as it stands between two members: ",\"email\":". Inlined by
 * force, so that its length is known where it is compiled: this is most of what GET /log
 * and exports spend their time on. */
__attribute__((always_inline)) static inline void key(struct members *members,
                                                      const char *name)
{
    size_t skip = !members->any;

    dbk_render_raw(members->render, name + skip, strlen(name) - skip);
    members->any = true;
}

__attribute__((always_inline)) static inline void
string_member(struct members *members, const char *name, struct dbk_slice text)
{
    key(members, name);
    dbk_render_string(members->render, text);
}

static void time_member(struct members *members, const struct dbk_record *record)
{
    if (!record->has_datetime_created)
        return;
    key(members, ",\"datetime_created\":");
    dbk_render_timestamp(members->render, record->datetime_created);
}

/* A text that a person may have none of: null where it was removed. */
__attribute__((always_inline)) static inline void
optional_member(struct members *members, const char *name, struct dbk_slice text,
                const struct dbk_record *record)
{
    key(members, name);
    if (text.length == 0 && record->format > 1)
        dbk_render_text(members->render, "null");
    else
        dbk_render_string(members->render, text);
}

static bool has_line_break(struct dbk_slice text)
{
    return memchr(text.data, '\n', text.length) || memchr(text.data, '\r', text.length);
}

static void properties_members(struct members *members, struct dbk_slice properties)
{
    key(members, ",\"properties\":");
    if (!has_line_break(properties)) {
        dbk_render_raw(members->render, properties.data, properties.length);
        return;
    }
    dbk_render_json(members->render, properties);
    if (members->manner != SHOWN)
        string_member(members, ",\"properties_text\":", properties);
}

static void person_properties(struct members *members, struct dbk_slice properties)
{
    if (properties.length > 0) {
        properties_members(members, properties);
        return;
    }
    key(members, ",\"properties\":");
    dbk_render_text(members->render, "null");
}

static void person_members(struct members *members, const struct dbk_record *record)
{
    const struct dbk_person_fields *person = &record->person;

    if (person->has & DBK_HAS_EMAIL)
        optional_member(members, ",\"email\":", person->email, record);
    if (person->has & DBK_HAS_FIRST_NAME)
        optional_member(members, ",\"first_name\":", person->first_name, record);
    if (person->has & DBK_HAS_LAST_NAME)
        optional_member(members, ",\"last_name\":", person->last_name, record);
    if (person->has & DBK_HAS_ROLE)
        string_member(members, ",\"role\":", dbk_slice(dbk_role_name(person->role)));
    if (person->has & DBK_HAS_PROPERTIES)
        person_properties(members, person->properties);
}

static void external_id_member(struct members *members, const struct dbk_record *record)
{
    if (record->person.has & DBK_HAS_EXTERNAL_ID)
        optional_member(members, ",\"external_id\":", record->person.external_id,
                        record);
}

/* Nobody's is null; in format 1 the nil UUID was a person's like any other. */
static void person_id_member(struct members *members, const struct dbk_record *record)
{
    key(members, ",\"person_id\":");
    if (record->format > 1 && dbk_uuid_is_nil(&record->person_id))
        dbk_render_text(members->render, "null");
    else
        dbk_render_uuid(members->render, &record->person_id);
}

static void event_members(struct members *members, const struct dbk_record *record)
{
    person_id_member(members, record);
    string_member(members, ",\"event_type\":", record->event_type);
    if (record->properties.length > 0)
        properties_members(members, record->properties);
}

/* Eight bytes each, as store/record.h has them. */
static void keys_member(struct members *members, struct dbk_slice keys)
{
    uint64_t number;

    key(members, ",\"keys\":");
    for (size_t at = 0; at + sizeof number <= keys.length; at += sizeof number) {
        memcpy(&number, keys.data + at, sizeof number);
        dbk_render_text(members->render, at == 0 ? "[" : ",");
        dbk_render_number(members->render, be64toh(number));
    }
    dbk_render_text(members->render, "]");
}

/* Whose records those before it were. */
static void resealed_members(struct members *members, const struct dbk_record *record)
{
    key(members, ",\"size\":");
    dbk_render_number(members->render, record->size);
    key(members, ",\"root\":");
    json_base64_render(members->render, record->root);
    if (record->checkpoint.length > 0)
        string_member(members, ",\"checkpoint\":", record->checkpoint);
}

static void expired_members(struct members *members, const struct dbk_record *record)
{
    keys_member(members, record->keys);
    key(members, ",\"through\":");
    dbk_render_number(members->render, record->through);
    key(members, ",\"before\":");
    dbk_render_timestamp(members->render, record->before);
}

/* What there is to say of one whose key is gone, damaged, or not here, or that is not to be
 * shown. */
static void shut_members(struct members *members, const struct dbk_record *record)
{
    if (dbk_type_subject(record->type) == DBK_SUBJECT_EVENT)
        person_id_member(members, record);
    if (!record->withheld && record->damaged > 0) {
        key(members, ",\"damaged_key\":");
        dbk_render_number(members->render, record->damaged);
        return;
    }
    key(members, record->withheld ? ",\"restricted\":"
                 : record->erased ? ",\"erased\":"
                                  : ",\"sealed\":");
    dbk_render_text(members->render, "true");
}

/* The very bytes, from which the record can be made again. */
static void sealed_members(struct members *members, const struct dbk_record *record)
{
    if (dbk_type_subject(record->type) == DBK_SUBJECT_EVENT)
        person_id_member(members, record);
    key(members, ",\"key\":");
    dbk_render_number(members->render, record->key);
    key(members, ",\"sealed\":");
    json_base64_render(members->render, record->sealed);
    if (record->month > 0) {
        key(members, ",\"month\":");
        dbk_render_number(members->render, record->month);
    }
}

static void render_data(struct dbk_render *render, const struct dbk_record *record,
                        enum manner manner)
{
    struct members members = {.render = render, .manner = manner};

    if (record->sealed.length > 0 && manner == SEALED) {
        sealed_members(&members, record);
        return;
    }
    if (record->withheld || (record->sealed.length > 0 && !record->opened)) {
        shut_members(&members, record);
        return;
    }
    switch (record->type) {
    case DBK_PERSON_CREATED:
        person_members(&members, record);
        time_member(&members, record);
        external_id_member(&members, record);
        break;
    case DBK_PERSON_UPDATED:
        person_members(&members, record);
        external_id_member(&members, record);
        break;
    case DBK_PERSON_DELETED:
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        break;
    case DBK_PERSON_ERASED:
        keys_member(&members, record->keys);
        break;
    case DBK_LOG_RESEALED:
        resealed_members(&members, record);
        break;
    case DBK_EVENTS_EXPIRED:
        expired_members(&members, record);
        break;
    case DBK_EVENT_RECORDED:
        event_members(&members, record);
        time_member(&members, record);
        if (record->anonymous_id.length > 0)
            string_member(&members, ",\"anonymous_id\":", record->anonymous_id);
        break;
    case DBK_EVENT_DELETED:
        person_id_member(&members, record);
        break;
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        string_member(&members, ",\"anonymous_id\":", record->anonymous_id);
        break;
    }
}

static void render_meta(struct dbk_render *render, const struct dbk_record *record)
{
    struct members members = {.render = render};

    if (record->request_id.length > 0)
        string_member(&members, ",\"request_id\":", record->request_id);
    if (record->actor.length > 0)
        string_member(&members, ",\"actor\":", record->actor);
    if (record->source.length > 0)
        string_member(&members, ",\"source\":", record->source);
    if (record->clock_offset.length > 0)
        string_member(&members, ",\"clock_offset\":", record->clock_offset);
    if (record->traceparent.length > 0)
        string_member(&members, ",\"traceparent\":", record->traceparent);
}

static void render_record(struct dbk_render *render, const struct dbk_record *record,
                          enum manner manner)
{
    dbk_render_text(render, "{\"format\":");
    dbk_render_number(render, record->format);
    dbk_render_text(render, ",\"type\":\"");
    dbk_render_text(render, dbk_type_name(record->type));
    dbk_render_text(render, "\",\"sequence\":");
    dbk_render_number(render, record->sequence);
    dbk_render_text(render, ",\"recorded_at\":");
    dbk_render_timestamp(render, record->recorded_at);
    dbk_render_text(render, ",\"subject_id\":");
    dbk_render_uuid(render, &record->subject);
    dbk_render_text(render, ",\"data\":{");
    render_data(render, record, manner);
    dbk_render_text(render, "},\"meta\":{");
    render_meta(render, record);
    dbk_render_text(render, "}}");
}

void render_record_shown(struct dbk_render *render, const struct dbk_record *record)
{
    render_record(render, record, SHOWN);
}

static enum dbk_code write_as(enum manner manner, const struct dbk_record *record,
                              char *out, size_t size, size_t *length,
                              struct dbk_error *err)
{
    /* A buffer as large as its limit never grows: it stays the caller's. */
    struct dbk_render render = {.text = out, .size = size, .limit = size};

    render_record(&render, record, manner);
    assert(render.text == out && render.size == size);
    *length = render.length;
    if (render.replaced)
        return dbk_fail(err, DBK_INVALID,
                        "record %" PRIu64 " holds text that is not UTF-8",
                        record->sequence);
    if (dbk_render_code(&render) != DBK_OK)
        return dbk_fail(err, DBK_TOO_LARGE,
                        "record %" PRIu64 " does not fit %zu bytes of JSON",
                        record->sequence, size);
    return DBK_OK;
}

enum dbk_code dbk_record_json_write(const struct dbk_record *record, char *out,
                                    size_t size, size_t *length, struct dbk_error *err)
{
    return write_as(SEALED, record, out, size, length, err);
}

enum dbk_code dbk_record_json_write_opened(const struct dbk_record *record, char *out,
                                           size_t size, size_t *length,
                                           struct dbk_error *err)
{
    return write_as(EXACT, record, out, size, length, err);
}
