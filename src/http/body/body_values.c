#include "body_values.h"

#include "body_time.h"
#include "email.h"
#include "event_type.h"
#include "json_bounds.h"
#include "json_string.h"
#include "json_walk.h"
#include "label.h"
#include "name.h"

#include <assert.h>
#include <stdio.h>

bool body_string(struct body_draft *draft, struct dbk_slice value,
                 struct dbk_slice *out)
{
    if (value.data[0] == 'n') {
        body_complain(draft, "must not be null");
        return false;
    }
    if (value.data[0] != '"') {
        body_complain(draft, "expected a string, not %s", json_kind(value));
        return false;
    }
    assert(value.length <= (size_t)(draft->end - draft->copy));
    *out = json_string_read(value, draft->copy);
    return true;
}

/* Copy a text that must outlive the body; it may be there already. */
static struct dbk_slice keep(struct body_draft *draft, struct dbk_slice text)
{
    struct dbk_slice kept = {draft->copy, text.length};

    assert(text.length <= (size_t)(draft->end - draft->copy)); /* as long as the body */
    memmove(draft->copy, text.data, text.length);
    draft->copy += text.length;
    return kept;
}

static bool read_uuid(struct body_draft *draft, struct dbk_slice value,
                      const struct dbk_uuid *expected, struct dbk_uuid *out)
{
    struct dbk_slice text;
    char wanted[DBK_UUID_TEXT + 1];

    if (!body_string(draft, value, &text))
        return false;
    if (!dbk_uuid_parse(text.data, text.length, out)) {
        body_complain(draft, "must be a UUID");
        return false;
    }
    if (expected && !dbk_uuid_equal(out, expected)) {
        dbk_uuid_format(expected, wanted);
        body_complain(draft, "must be %s, %s", wanted,
                      draft->external_id.length > 0 ? "who has this external_id"
                                                    : "as in the path");
        return false;
    }
    return true;
}

void body_id(struct body_draft *draft, struct dbk_slice value)
{
    if (read_uuid(draft, value, draft->id, &draft->record->subject))
        draft->has_id = true;
}

void body_person_id(struct body_draft *draft, struct dbk_slice value)
{
    if (read_uuid(draft, value, draft->person_id, &draft->record->person_id))
        draft->has_person_id = true;
}

/* null, where a person may be without the field: taken away, or left out. */
static bool read_none(struct body_draft *draft, struct dbk_slice value, unsigned has)
{
    if (value.data[0] != 'n')
        return false;
    if (draft->removes)
        draft->record->person.has |= has;
    return true;
}

/* The same of what only a person may be without who is known by something else. */
static bool read_none_if_known(struct body_draft *draft, struct dbk_slice value,
                               unsigned has)
{
    if (draft->known || value.data[0] != 'n')
        return read_none(draft, value, has);
    body_complain_unknown(draft, "must not be null");
    return true;
}

void body_email(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_slice text;

    if (read_none_if_known(draft, value, DBK_HAS_EMAIL))
        return;
    if (!body_string(draft, value, &text))
        return;
    if (!email_valid(text)) {
        body_complain(draft, "must be an email address such as name@example.com, of "
                             "at most 254 bytes");
        return;
    }
    draft->record->person.email = keep(draft, text);
    draft->record->person.has |= DBK_HAS_EMAIL;
}

static void read_name(struct body_draft *draft, struct dbk_slice value, unsigned has,
                      struct dbk_slice *out)
{
    struct dbk_slice text, name;
    const char *wrong;

    if (read_none_if_known(draft, value, has))
        return;
    if (!body_string(draft, value, &text))
        return;
    wrong = name_trim(text, &name);
    if (wrong) {
        body_complain(draft, "%s", wrong);
        return;
    }
    *out = keep(draft, name);
    draft->record->person.has |= has;
}

void body_first_name(struct body_draft *draft, struct dbk_slice value)
{
    read_name(draft, value, DBK_HAS_FIRST_NAME, &draft->record->person.first_name);
}

void body_last_name(struct body_draft *draft, struct dbk_slice value)
{
    read_name(draft, value, DBK_HAS_LAST_NAME, &draft->record->person.last_name);
}

void body_role(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_slice text;

    if (!body_string(draft, value, &text))
        return;
    if (!dbk_role_parse(text.data, text.length, &draft->record->person.role)) {
        body_complain(draft, "must be \"user\" or \"admin\"");
        return;
    }
    draft->record->person.has |= DBK_HAS_ROLE;
}

static bool read_label(struct body_draft *draft, struct dbk_slice value,
                       size_t characters_max, struct dbk_slice *out)
{
    char why[LABEL_WHY_MAX];
    struct dbk_slice text;

    if (!body_string(draft, value, &text))
        return false;
    if (!label_valid(text, characters_max, why)) {
        body_complain(draft, "%s", why);
        return false;
    }
    *out = keep(draft, text);
    return true;
}

void body_external_id(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_slice wanted = draft->external_id, *out;

    out = &draft->record->person.external_id;
    if (wanted.length == 0 && read_none(draft, value, DBK_HAS_EXTERNAL_ID))
        return;
    if (!read_label(draft, value, EXTERNAL_ID_CHARACTERS_MAX, out))
        return;
    if (wanted.length > 0 && !dbk_slice_equal(*out, wanted))
        body_complain(draft, "must be as in the path");
    draft->record->person.has |= DBK_HAS_EXTERNAL_ID;
}

void body_anonymous_id(struct body_draft *draft, struct dbk_slice value)
{
    read_label(draft, value, ANONYMOUS_ID_CHARACTERS_MAX, &draft->record->anonymous_id);
}

void body_anonymous_id_or_null(struct body_draft *draft, struct dbk_slice value)
{
    if (value.data[0] != 'n')
        body_anonymous_id(draft, value);
}

static void complain_type(struct body_draft *draft, const char *const *types)
{
    char list[256] = "";
    size_t used = 0;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller has some */
    for (size_t i = 0; types[i] && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 types[i]);
    body_complain(draft, "must be one of: %s", list);
}

void body_event_type(struct body_draft *draft, struct dbk_slice value)
{
    const char *const *types = draft->rules ? draft->rules->event_types : NULL;
    char why[LABEL_WHY_MAX];
    struct dbk_slice text;

    if (!body_string(draft, value, &text))
        return;
    if (!label_valid(text, EVENT_TYPE_CHARACTERS_MAX, why))
        body_complain(draft, "%s", why);
    else if (!event_type_allowed(text, types))
        complain_type(draft, types);
    else
        draft->record->event_type = keep(draft, text);
}

static bool has_members(struct dbk_slice object)
{
    struct json_walk walk;
    struct dbk_slice value;

    json_walk_start(&walk, object);
    return json_walk_next(&walk, &value);
}

/* A text that is too long for its record is kept in fewer bytes that say the same. */
static struct dbk_slice keep_object(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_slice kept = keep(draft, value);

    if (kept.length <= DBK_PROPERTIES_MAX)
        return kept;
    kept.length = json_compact(value, draft->copy - value.length);
    return kept;
}

/* *out: length 0 where it has no members. False: it was complained of. */
static bool read_object(struct body_draft *draft, struct dbk_slice value,
                        struct dbk_slice *out)
{
    char why[PROPERTIES_WHY_MAX];

    if (value.data[0] != '{')
        body_complain(draft, "expected an object, not %s", json_kind(value));
    else if (!properties_fit(value, why))
        body_complain(draft, "%s", why);
    else {
        if (has_members(value))
            *out = keep_object(draft, value);
        return true;
    }
    return false;
}

void body_properties(struct body_draft *draft, struct dbk_slice value)
{
    read_object(draft, value, &draft->record->properties);
}

/* Those of what is there already may be emptied; a patch without members changes nothing. */
void body_person_properties(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_person_fields *person = &draft->record->person;

    if (read_none(draft, value, DBK_HAS_PROPERTIES) ||
        !read_object(draft, value, &person->properties))
        return;
    if (person->properties.length > 0 || (draft->removes && !draft->merges))
        person->has |= DBK_HAS_PROPERTIES;
}

static bool read_time(struct body_draft *draft, struct dbk_slice value,
                      dbk_timestamp *out)
{
    char kind = value.data[0];

    if (kind == '{' || kind == '[' || kind == 't' || kind == 'f' || kind == 'n') {
        body_complain(draft, "expected a string, or a number of milliseconds, not %s",
                      json_kind(value));
        return false;
    }
    if (body_time(value, draft->copy, out))
        return true;
    body_complain(draft, BODY_TIME_EXPECTED);
    return false;
}

void body_datetime_created(struct body_draft *draft, struct dbk_slice value)
{
    if (read_time(draft, value, &draft->record->datetime_created))
        draft->record->has_datetime_created = true;
}

void body_ignored_time(struct body_draft *draft, struct dbk_slice value)
{
    dbk_timestamp ignored;

    read_time(draft, value, &ignored);
}

void body_ignored(struct body_draft *draft, struct dbk_slice value)
{
    (void)draft, (void)value;
}
