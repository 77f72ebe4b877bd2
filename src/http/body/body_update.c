/* A person as PUT and PATCH bring it. */
#include "body_event.h"
#include "body_fields.h"
#include "body_values.h"
#include "json_check.h"
#include "json_loose.h"
#include "json_walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void read_events(struct body_draft *draft, struct dbk_slice value);

/* By its external id only. */
static void read_anonymous_id(struct body_draft *draft, struct dbk_slice value)
{
    if (draft->external_id.length == 0)
        body_complain(draft, "unknown field");
    else
        body_anonymous_id_or_null(draft, value);
}

static const struct body_field put_fields[] = {
    {"email", BODY_FIELD_UNLESS_KNOWN, body_email},
    {"first_name", BODY_FIELD_UNLESS_KNOWN, body_first_name},
    {"last_name", BODY_FIELD_UNLESS_KNOWN, body_last_name},
    {"role", BODY_FIELD_UNLESS_BY_EXTERNAL_ID, body_role},
    {"external_id", BODY_FIELD_MAKES_KNOWN, body_external_id},
    {"anonymous_id", BODY_FIELD_OPTIONAL, read_anonymous_id},
    {"properties", BODY_FIELD_OPTIONAL, body_person_properties},
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {"events", BODY_FIELD_OPTIONAL, read_events},
    {"datetime_created", BODY_FIELD_OPTIONAL, body_ignored_time},
    {"datetime_modified", BODY_FIELD_OPTIONAL, body_ignored_time},
    {"events_total", BODY_FIELD_OPTIONAL, body_ignored},
    {"events_next", BODY_FIELD_OPTIONAL, body_ignored},
    {0},
};

static const struct body_field patch_fields[] = {
    {"email", BODY_FIELD_OPTIONAL, body_email},
    {"first_name", BODY_FIELD_OPTIONAL, body_first_name},
    {"last_name", BODY_FIELD_OPTIONAL, body_last_name},
    {"role", BODY_FIELD_OPTIONAL, body_role},
    {"external_id", BODY_FIELD_MAKES_KNOWN, body_external_id},
    {"properties", BODY_FIELD_OPTIONAL, body_person_properties},
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {"events", BODY_FIELD_READ_ONLY, NULL},
    {"datetime_created", BODY_FIELD_READ_ONLY, NULL},
    {"datetime_modified", BODY_FIELD_READ_ONLY, NULL},
    {0},
};

/* Read one event of the array into record, as a draft of its own that shares the block
 * of strings and the list of complaints. */
static void read_event(struct body_draft *draft, size_t index, struct dbk_slice value,
                       struct dbk_record *record)
{
    struct body_draft event = *draft;
    char prefix[40];

    *record = (struct dbk_record){.type = DBK_EVENT_RECORDED};
    event.record = record;
    event.id = NULL;
    event.person_id = draft->id;
    if (value.data[0] == '{') {
        snprintf(prefix, sizeof prefix, "events[%zu].", index);
        event.prefix = prefix;
        body_object(&event, body_event_fields_with_id, value);
    } else {
        snprintf(prefix, sizeof prefix, "events[%zu]", index);
        event.name = prefix;
        body_complain(&event, "expected an object, not %s", json_kind(value));
    }
    assert(event.copy >= draft->copy && event.complaints >= draft->complaints);
    draft->copy = event.copy;
    draft->complaints = event.complaints;
    draft->no_memory = event.no_memory;
}

struct place {
    struct dbk_uuid id;
    size_t index;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);

    if (order != 0)
        return order;
    return (a->index > b->index) - (a->index < b->index);
}

/* Complain of each event whose id an earlier one has. */
static void refuse_twice(struct body_draft *draft)
{
    struct place *places = calloc(draft->event_count, sizeof *places);
    char path[40];

    if (!places) {
        draft->no_memory = true;
        return;
    }
    for (size_t i = 0; i < draft->event_count; i++)
        places[i] = (struct place){draft->events[i].subject, i};
    qsort(places, draft->event_count, sizeof *places, compare_places);
    for (size_t i = 1; i < draft->event_count; i++) {
        if (!dbk_uuid_equal(&places[i].id, &places[i - 1].id))
            continue;
        snprintf(path, sizeof path, "events[%zu].id", places[i].index);
        draft->name = path;
        body_complain(draft, "the same id as events[%zu]", places[i - 1].index);
    }
    free(places);
}

static void read_events(struct body_draft *draft, struct dbk_slice value)
{
    size_t complaints = draft->complaints, count, read = 0;
    struct json_walk walk;
    struct dbk_slice event;

    if (value.data[0] != '[') {
        body_complain(draft, "expected an array, not %s", json_kind(value));
        return;
    }
    if (!draft->id && json_count(value) > 0) {
        body_complain(draft, "nobody has this external id yet: a new person has none");
        return;
    }
    count = json_count(value);
    if (count == 0)
        return;
    draft->events = calloc(count, sizeof *draft->events);
    if (!draft->events) {
        draft->no_memory = true;
        return;
    }
    draft->event_count = count;
    json_walk_start(&walk, value);
    while (read < count && json_walk_next(&walk, &event)) {
        read_event(draft, read, event, &draft->events[read]);
        read++;
    }
    assert(read == count);
    if (draft->complaints == complaints && !draft->no_memory)
        refuse_twice(draft);
}

void body_update_finish(struct body_update *update)
{
    free(update->events);
    free(update->memory);
    *update = (struct body_update){0};
}

/* Where "events" begins in the text of a body; length 0: nowhere. */
static struct dbk_slice find_events(const char *text, size_t length)
{
    const struct dbk_slice none = {NULL, 0}, key = {"\"events\"", 8};
    const char *brace = length > 0 ? memchr(text, '{', length) : NULL;
    struct json_loose loose;
    struct dbk_slice value;

    if (!brace)
        return none;
    json_loose_start(&loose,
                     (struct dbk_slice){brace, length - (size_t)(brace - text)});
    while (json_loose_next(&loose, &value)) {
        if (dbk_slice_equal(loose.key, key) && value.data[0] == '[')
            return value;
    }
    return none;
}

/* The body is not JSON that we read: where that is the fault of one of its events, the
 * event is named besides line and column. */
static void name_event(const char *text, size_t length, struct body_draft *draft,
                       struct dbk_error *err)
{
    struct dbk_slice events = find_events(text, length), event, value;
    char message[160], path[40];
    struct json_loose loose;
    size_t index = 0;

    if (events.length == 0)
        return;
    json_loose_start(&loose, events);
    while (json_loose_next(&loose, &event) &&
           json_accept(event.data, event.length, &value, NULL) == DBK_OK)
        index++;
    if (loose.wrong || loose.at == events.data + events.length)
        return;
    snprintf(path, sizeof path, "events[%zu]", index);
    snprintf(message, sizeof message, "%.150s", err->text);
    draft->name = path;
    body_complain(draft, "%s", message);
    dbk_fail(err, DBK_INVALID, "%s: %s", path, message);
}

static enum dbk_code read_update(const char *text, size_t length,
                                 const struct body_field *table,
                                 struct body_draft *draft, struct body_update *update,
                                 struct dbk_error *err)
{
    enum dbk_code code;

    *update = (struct body_update){.record.type = DBK_PERSON_UPDATED};
    draft->record = &update->record;
    draft->removes = true;
    code = body_read(text, length, table, draft, &update->memory, err);
    update->merges = draft->merges;
    update->events = draft->events;
    update->event_count = draft->event_count;
    if (code == DBK_INVALID && draft->complaints == 0 && err)
        name_event(text, length, draft, err);
    if (code != DBK_OK)
        body_update_finish(update);
    else if (draft->id)
        update->record.subject = *draft->id;
    return code;
}

/* What a PUT does not say is taken away; where that may not be it was refused. */
static void put_whole(struct dbk_person_fields *person)
{
    person->has |= DBK_HAS_EMAIL | DBK_HAS_FIRST_NAME | DBK_HAS_LAST_NAME;
}

enum dbk_code body_put_person(const char *text, size_t length,
                              const struct dbk_uuid *id, bool known,
                              const struct dbk_body_rules *rules,
                              struct body_update *update,
                              struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {
        .id = id, .known = known, .rules = rules, .fields = fields};

    if (read_update(text, length, put_fields, &draft, update, err) != DBK_OK)
        return err->code;
    put_whole(&update->record.person);
    return DBK_OK;
}

enum dbk_code body_put_person_by(const char *text, size_t length,
                                 struct dbk_slice external_id,
                                 const struct dbk_uuid *id,
                                 const struct dbk_body_rules *rules,
                                 struct body_update *update,
                                 struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {.id = id,
                               .external_id = external_id,
                               .known = true,
                               .rules = rules,
                               .fields = fields};

    if (read_update(text, length, put_fields, &draft, update, err) != DBK_OK)
        return err->code;
    if (!id && !draft.has_id)
        update->record.subject = dbk_uuid_new();
    put_whole(&update->record.person);
    update->record.person.has &= ~(unsigned)DBK_HAS_EXTERNAL_ID;
    return DBK_OK;
}

enum dbk_code body_patch_person(const char *text, size_t length,
                                const struct dbk_uuid *id, bool known,
                                struct body_update *update,
                                struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct body_draft draft = {
        .id = id, .known = known, .merges = true, .fields = fields};

    return read_update(text, length, patch_fields, &draft, update, err);
}
