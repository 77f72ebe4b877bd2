#include "params.h"

#include "event_type.h"
#include "json_check.h"
#include "json_scalar.h"
#include "label.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void params_wrong(struct dbk_field_errors *fields, struct dbk_slice name,
                  const char *format, ...)
{
    struct dbk_field_error *one;
    va_list args;

    if (fields->count == DBK_FIELD_ERRORS_MAX)
        return;
    one = &fields->list[fields->count++];
    one->has_person_id = false;
    snprintf(one->field, sizeof one->field, "%.*s",
             (int)(name.length < 63 ? name.length : 63), name.data);
    va_start(args, format);
    vsnprintf(one->message, sizeof one->message, format, args);
    va_end(args);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool params_decode(char *text, size_t *length, bool plus_is_space)
{
    size_t out = 0;

    for (size_t at = 0; at < *length; at++) {
        char c = text[at];
        if (c == '%') {
            int high = at + 2 < *length ? hex(text[at + 1]) : -1;
            int low = high >= 0 ? hex(text[at + 2]) : -1;
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            at += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        text[out++] = c;
    }
    *length = out;
    return true;
}

static const struct param *find(const struct params *params, struct dbk_slice name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (dbk_slice_equal(params->list[i].name, name))
            return &params->list[i];
    }
    return NULL;
}

static bool is_allowed(const char *const *allowed, struct dbk_slice name)
{
    for (; *allowed; allowed++) {
        if (dbk_slice_equal(dbk_slice(*allowed), name))
            return true;
    }
    return false;
}

/* Whether one more value of a parameter is one too many; then it is told. */
static bool is_too_many(const struct params *params, struct dbk_slice name,
                        struct dbk_field_errors *fields)
{
    bool may_repeat = dbk_slice_equal(name, dbk_slice(PARAMS_REPEATED));
    size_t before = 0;

    for (size_t i = 0; i < params->count; i++)
        before += dbk_slice_equal(params->list[i].name, name);
    if (!may_repeat && before > 0)
        params_wrong(fields, name, "given more than once");
    else if (before == PARAMS_REPEATED_MAX)
        params_wrong(fields, name, "given more than %d times", PARAMS_REPEATED_MAX);
    else
        return false;
    return true;
}

/* name=value, already cut out of the query. */
static void take(struct params *params, char *text, const char *const *allowed,
                 struct dbk_field_errors *fields)
{
    char *equals = strchr(text, '=');
    char *value = equals ? equals + 1 : text + strlen(text);
    size_t name_length = equals ? (size_t)(equals - text) : strlen(text);
    size_t value_length = strlen(value);
    bool readable = params_decode(text, &name_length, true);
    struct dbk_slice name = {text, name_length};

    if (!readable || !is_allowed(allowed, name))
        params_wrong(fields, name, "no such parameter here");
    else if (is_too_many(params, name, fields))
        return;
    else if (!params_decode(value, &value_length, true))
        params_wrong(fields, name,
                     "a %% is not followed by two hex digits, or is %%00");
    else if (params->count < PARAMS_MAX)
        params->list[params->count++] = (struct param){name, {value, value_length}};
}

enum dbk_code params_parse(char *query, const char *const *allowed,
                           struct params *params, struct dbk_field_errors *fields,
                           struct dbk_error *err)
{
    char *rest = NULL;

    params->count = 0;
    for (char *one = strtok_r(query, "&", &rest); one; one = strtok_r(NULL, "&", &rest))
        take(params, one, allowed, fields);
    return params_done(fields, err);
}

enum dbk_code params_done(const struct dbk_field_errors *fields, struct dbk_error *err)
{
    if (fields->count == 0)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "Query parameter \"%s\": %s",
                    fields->list[0].field, fields->list[0].message);
}

bool params_unsigned(const struct params *params, const char *name, uint64_t least,
                     uint64_t most, uint64_t *out, struct dbk_field_errors *fields)
{
    const struct param *param = find(params, dbk_slice(name));
    uint64_t number = 0;
    bool good;

    if (!param)
        return false;
    good = param->value.length >= 1 && param->value.length <= 19;
    for (size_t i = 0; good && i < param->value.length; i++) {
        good = param->value.data[i] >= '0' && param->value.data[i] <= '9';
        number = number * 10 + (uint64_t)(param->value.data[i] - '0');
    }
    if (!good || number < least || number > most) {
        params_wrong(fields, param->name, "a whole number from %llu to %llu is needed",
                     (unsigned long long)least, (unsigned long long)most);
        return false;
    }
    *out = number;
    return true;
}

bool params_uuid(const struct params *params, const char *name, struct dbk_uuid *out,
                 struct dbk_field_errors *fields)
{
    const struct param *param = find(params, dbk_slice(name));

    if (!param)
        return false;
    if (dbk_uuid_parse(param->value.data, param->value.length, out))
        return true;
    params_wrong(fields, param->name, "a UUID of 8-4-4-4-12 hex digits is needed");
    return false;
}

bool params_timestamp(const struct params *params, const char *name, dbk_timestamp *out,
                      struct dbk_field_errors *fields)
{
    const struct param *param = find(params, dbk_slice(name));

    if (!param)
        return false;
    if (dbk_timestamp_parse(param->value.data, param->value.length, out))
        return true;
    params_wrong(fields, param->name,
                 "a time such as 2023-10-08T06:03:33.330037 is needed (UTC, or with an "
                 "offset whose + is written %%2B)");
    return false;
}

size_t params_event_types(const struct params *params,
                          struct dbk_slice out[PARAMS_REPEATED_MAX],
                          struct dbk_field_errors *fields)
{
    char why[LABEL_WHY_MAX];
    size_t count = 0;

    for (size_t i = 0; i < params->count; i++) {
        const struct param *param = &params->list[i];
        if (!dbk_slice_equal(param->name, dbk_slice(PARAMS_REPEATED)))
            continue;
        if (label_valid(param->value, EVENT_TYPE_CHARACTERS_MAX, why))
            out[count++] = param->value;
        else
            params_wrong(fields, param->name, "%s", why);
    }
    assert(count <= PARAMS_REPEATED_MAX); /* params_parse takes no more */
    return count;
}

bool params_text(const struct params *params, const char *name, struct dbk_slice *out)
{
    const struct param *param = find(params, dbk_slice(name));

    if (param)
        *out = param->value;
    return param != NULL;
}

int params_choice(const struct params *params, const char *name,
                  const char *const *choices, struct dbk_field_errors *fields)
{
    const struct param *param = find(params, dbk_slice(name));
    char list[64] = "";

    for (int i = 0; param && choices[i]; i++) {
        if (dbk_slice_equal(param->value, dbk_slice(choices[i])))
            return i;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                 i ? " or " : "", choices[i]);
    }
    if (param)
        params_wrong(fields, param->name, "%s is needed", list);
    return -1;
}

bool params_object(const struct params *params, const char *name, struct dbk_slice *out,
                   struct dbk_field_errors *fields)
{
    const struct param *param = find(params, dbk_slice(name));
    struct dbk_error why;

    if (!param)
        return false;
    if (json_check(param->value.data, param->value.length, JSON_VALUES_MAX, &why) !=
        DBK_OK) {
        params_wrong(fields, param->name, "not JSON: %.120s", why.text);
        return false;
    }
    if (param->value.data[strspn(param->value.data, " \t\r\n")] != '{') {
        params_wrong(fields, param->name, "a JSON object is needed");
        return false;
    }
    *out = param->value;
    return true;
}

bool params_contained(const struct params *params, const char *name,
                      struct dbk_slice *out, struct dbk_field_errors *fields)
{
    struct dbk_slice object;

    if (!params_object(params, name, &object, fields))
        return false;
    if (!json_has_scalar(object)) {
        params_wrong(
            fields, dbk_slice(name),
            "a text, number, true, false or null must be in it, for it is found by "
            "these alone; without one, say whose, too");
        return false;
    }
    *out = object;
    return true;
}
