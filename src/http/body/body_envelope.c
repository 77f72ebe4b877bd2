/* A batch that is an object: its items, and what they share. */
#include "body_event.h"
#include "body_fields.h"
#include "body_time.h"
#include "json_bounds.h"
#include "json_check.h"
#include "json_walk.h"

#include <stdio.h>

#define TIME_MAX 256 /* bytes of sent_at where it is a string: escapes are taken, too */

/* What has been read of the object. */
struct envelope {
    struct body_items *items;
    struct dbk_slice array;
    struct dbk_field_errors *fields;
};

typedef bool member_reader(struct envelope *envelope, struct dbk_slice value,
                           struct dbk_error *why);

/* Each fills in why where the value is not what it should be. */
static member_reader read_context, read_items, read_sent_at;

static const struct member {
    struct dbk_slice key; /* with its quotes */
    member_reader *read;
} members[] = {
    {{"\"context\"", 9}, read_context},
    {{"\"items\"", 7}, read_items},
    {{"\"sent_at\"", 9}, read_sent_at},
};

#define MEMBERS (sizeof members / sizeof *members)

static bool refuse(struct dbk_error *why, const char *text)
{
    dbk_fail(why, DBK_INVALID, "%s", text);
    return false;
}

static bool refuse_kind(struct dbk_error *why, const char *expected,
                        struct dbk_slice value)
{
    dbk_fail(why, DBK_INVALID, "expected %s, not %s", expected, json_kind(value));
    return false;
}

static bool has_members(struct dbk_slice object)
{
    struct json_walk walk;
    struct dbk_slice value;

    json_walk_start(&walk, object);
    return json_walk_next(&walk, &value);
}

static bool read_context(struct envelope *envelope, struct dbk_slice value,
                         struct dbk_error *why)
{
    char bound[PROPERTIES_WHY_MAX];
    struct dbk_slice object;

    if (json_accept(value.data, value.length, &object, why) != DBK_OK)
        return false;
    if (object.data[0] != '{')
        return refuse_kind(why, "an object", object);
    if (!properties_fit(object, bound))
        return refuse(why, bound);
    if (has_members(object))
        envelope->items->context = object;
    return true;
}

static bool read_items(struct envelope *envelope, struct dbk_slice value,
                       struct dbk_error *why)
{
    if (value.data[0] != '[')
        return refuse_kind(why, "an array", value);
    envelope->array = value;
    return true;
}

static bool read_sent_at(struct envelope *envelope, struct dbk_slice value,
                         struct dbk_error *why)
{
    char room[TIME_MAX];
    struct dbk_slice time;

    if (json_accept(value.data, value.length, &time, why) != DBK_OK)
        return false;
    if ((time.data[0] == '"' && time.length > sizeof room) ||
        !body_time(time, room, &envelope->items->sent_at))
        return refuse(why, BODY_TIME_EXPECTED);
    envelope->items->has_sent_at = true;
    return true;
}

/* A member's name in the answer: without its quotes, and never as an escape. */
static enum dbk_code complain(struct envelope *envelope, struct dbk_slice key,
                              const char *message, struct dbk_error *err)
{
    struct dbk_field_errors *fields = envelope->fields;
    struct dbk_field_error *error = &fields->list[0];
    size_t length = key.length - 2;

    if (length >= sizeof error->field)
        length = sizeof error->field - 1;
    while (length > 0 && ((unsigned char)key.data[1 + length] & 0xC0) == 0x80)
        length--; /* not through the middle of a character */
    memcpy(error->field, key.data + 1, length);
    error->field[length] = '\0';
    error->has_person_id = false;
    snprintf(error->message, sizeof error->message, "%.*s",
             (int)sizeof error->message - 1, message);
    fields->count = 1;
    return dbk_fail(err, DBK_INVALID, "%s: %s", error->field, error->message);
}

/* Whether the object that begins with this key is an item, sent without its brackets. */
static bool is_of_item(struct dbk_slice key)
{
    struct dbk_slice name = {key.data + 1, key.length - 2};

    for (const struct body_field *field = body_event_fields; field->name; field++) {
        if (dbk_slice_equal(name, dbk_slice(field->name)))
            return true;
    }
    return body_item_names_kind(key);
}

static enum dbk_code read_member(struct envelope *envelope, struct dbk_slice key,
                                 struct dbk_slice value, unsigned *seen,
                                 struct dbk_error *err)
{
    struct dbk_error why = {0};
    size_t i = 0;

    while (i < MEMBERS && !dbk_slice_equal(members[i].key, key))
        i++;
    if (i == MEMBERS && *seen == 0 && is_of_item(key))
        return dbk_fail(
            err, DBK_INVALID,
            "A batch is an array of items, or an object {\"items\": [...]}: "
            "send a single event to /events, or as an array of one");
    if (i == MEMBERS)
        return complain(envelope, key, "unknown field", err);
    if (*seen & (1U << i))
        return complain(envelope, key, "duplicate key", err);
    *seen |= 1U << i;
    if (members[i].read(envelope, value, &why))
        return DBK_OK;
    if (why.code != DBK_INVALID) { /* no memory */
        if (err)
            *err = why;
        return why.code;
    }
    return complain(envelope, key, why.text, err);
}

bool body_items_shared(struct dbk_slice text)
{
    const char *end = text.data + text.length, *at = json_skip_space(text.data, end);

    if (at == end || *at != '{')
        return false;
    at = json_skip_space(at + 1, end);
    for (size_t i = 0; i < MEMBERS; i++) {
        if ((size_t)(end - at) >= members[i].key.length &&
            !memcmp(at, members[i].key.data, members[i].key.length))
            return true;
    }
    return false;
}

enum dbk_code body_envelope(const char *text, struct dbk_slice object,
                            struct body_items *items, struct dbk_field_errors *fields,
                            struct dbk_error *err)
{
    struct envelope envelope = {.items = items, .fields = fields};
    struct json_loose loose;
    struct dbk_slice value;
    unsigned seen = 0;

    json_loose_start(&loose, object);
    while (json_loose_next(&loose, &value)) {
        enum dbk_code code = read_member(&envelope, loose.key, value, &seen, err);
        if (code != DBK_OK)
            return code;
    }
    if (loose.wrong)
        return json_fail_at(text, loose.at, loose.wrong, err);
    if (!json_loose_ends(&loose))
        return json_fail_at(text, loose.at, "trailing bytes after the JSON value", err);
    if (envelope.array.length == 0)
        return complain(&envelope, members[1].key, "required", err);
    json_loose_start(&items->array, envelope.array);
    return DBK_OK;
}
