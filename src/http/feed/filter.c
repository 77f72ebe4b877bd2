#include "filter.h"

#include "event_type.h"
#include "label.h"

#include <stdlib.h>

/* The next of what stands between commas. False: there is none any more. */
static bool next_part(struct dbk_slice *rest, struct dbk_slice *part)
{
    const char *comma;

    if (!rest->data)
        return false;
    comma = memchr(rest->data, ',', rest->length);
    part->data = rest->data;
    part->length = comma ? (size_t)(comma - rest->data) : rest->length;
    rest->length -= part->length + (comma != NULL);
    rest->data = comma ? comma + 1 : NULL;
    return true;
}

static void read_types(const struct params *params, struct filter *out,
                       struct dbk_field_errors *fields)
{
    struct dbk_slice rest, part;
    enum dbk_type type;

    if (!params_text(params, "type", &rest))
        return;
    while (next_part(&rest, &part)) {
        if (dbk_type_parse(part.data, part.length, &type)) {
            out->types |= 1u << type;
            continue;
        }
        params_wrong(fields, dbk_slice("type"),
                     "types of records are needed, such as event.recorded, with commas "
                     "between them");
        return;
    }
}

static void read_event_types(struct filter *out, struct dbk_slice rest,
                             struct dbk_field_errors *fields)
{
    char why[LABEL_WHY_MAX];
    struct dbk_slice part;

    while (next_part(&rest, &part)) {
        if (out->event_types == FILTER_EVENT_TYPES_MAX) {
            params_wrong(fields, dbk_slice("event_type"), "there are at most %d",
                         FILTER_EVENT_TYPES_MAX);
            return;
        }
        if (!label_valid(part, EVENT_TYPE_CHARACTERS_MAX, why)) {
            params_wrong(fields, dbk_slice("event_type"), "%s", why);
            return;
        }
        out->list[out->event_types++] = part;
    }
}

enum dbk_code filter_read(const struct params *params, struct filter *out,
                          struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct dbk_slice value;

    *out = (struct filter){0};
    read_types(params, out, fields);
    out->has_person = params_uuid(params, "person_id", &out->person, fields);
    if (!params_text(params, "event_type", &value))
        return DBK_OK;
    out->text = malloc(value.length + 1);
    if (!out->text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a stream");
    if (value.length > 0)
        memcpy(out->text, value.data, value.length);
    read_event_types(out, (struct dbk_slice){out->text, value.length}, fields);
    return DBK_OK;
}

void filter_finish(struct filter *filter)
{
    free(filter->text);
    *filter = (struct filter){0};
}

static bool has_event_type(const struct filter *filter, struct dbk_slice event_type)
{
    for (size_t i = 0; i < filter->event_types; i++) {
        if (dbk_slice_equal(filter->list[i], event_type))
            return true;
    }
    return false;
}

bool filter_lets(const struct filter *filter, const struct seen *seen)
{
    if (filter->types && !(filter->types & 1u << seen->type))
        return false;
    if (filter->event_types && !has_event_type(filter, seen->event_type))
        return false;
    return !filter->has_person || dbk_uuid_equal(&filter->person, &seen->person) ||
           (!dbk_uuid_is_nil(&seen->owner) &&
            dbk_uuid_equal(&filter->person, &seen->owner));
}
