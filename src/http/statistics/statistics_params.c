#include "statistics_params.h"

#include "event_type.h"
#include "label.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SECOND_US INT64_C(1000000)

static bool read_day(struct dbk_slice text, dbk_timestamp *out)
{
    char time[] = "YYYY-MM-DDT00:00:00";

    if (text.length != strcspn(time, "T"))
        return false;
    memcpy(time, text.data, text.length);
    return dbk_timestamp_parse(time, strlen(time), out);
}

static bool read_time(const struct params *params, const char *name, dbk_timestamp *out,
                      bool *is_day, struct dbk_field_errors *fields)
{
    struct dbk_slice text;

    *is_day = false;
    if (!params_text(params, name, &text))
        return false;
    *is_day = read_day(text, out);
    if (*is_day || dbk_timestamp_parse(text.data, text.length, out))
        return true;
    params_wrong(
        fields, dbk_slice(name),
        "a day such as 2023-10-08 or a time such as 2023-10-08T06:03:33.330037 "
        "is needed (UTC, or with an offset whose + is written %%2B)");
    return false;
}

void statistics_params_range(const struct params *params, const char *zone,
                             struct dbk_range *out, struct dbk_field_errors *fields)
{
    bool comparable;

    out->has_since =
        read_time(params, "since", &out->since, &out->since_is_day, fields);
    out->has_until =
        read_time(params, "until", &out->until, &out->until_is_day, fields);
    comparable =
        out->since_is_day == out->until_is_day || !zone || strcmp(zone, "UTC") == 0;
    if (out->has_since && out->has_until && comparable && out->until < out->since)
        params_wrong(fields, dbk_slice("until"), "must not be earlier than since");
}

void statistics_params_by(const struct params *params, bool hours, enum dbk_bucket *out,
                          struct dbk_field_errors *fields)
{
    static const char *const units[] = {"hour", "day", "week", "month", NULL};
    int which = params_choice(params, "by", hours ? units : units + 1, fields);

    if (which >= 0)
        *out = (enum dbk_bucket)(which + (hours ? DBK_BY_HOUR : DBK_BY_DAY));
}

/* Etc/GMT+12 to Etc/GMT-14: the only names of the database with digits that PostgreSQL
 * would not take for a rule of POSIX where they are not there. */
static bool is_fixed(const char *name)
{
    static const char begin[] = "Etc/GMT";
    int hours = 0, length = 0;
    char sign;

    if (strncmp(name, begin, strlen(begin)) != 0)
        return false;
    if (sscanf(name + strlen(begin), "%c%2d%n", &sign, &hours, &length) != 2)
        return false;
    return name[strlen(begin) + (size_t)length] == '\0' &&
           isdigit((unsigned char)name[strlen(begin) + 1]) &&
           ((sign == '+' && hours <= 12) || (sign == '-' && hours <= 14));
}

/* Area/Location, each of letters, _ and -. Not one of those that the database of zones has
 * twice: below right/ their midnights count leap seconds. PostgreSQL takes any case. */
static bool is_place(const char *name)
{
    bool slash = false;

    if (strncasecmp(name, "right/", 6) == 0 || strncasecmp(name, "posix/", 6) == 0)
        return false;
    for (size_t i = 0; name[i]; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c == '/' && (i == 0 || name[i - 1] == '/' || name[i + 1] == '\0'))
            return false;
        slash = slash || c == '/';
        if (c >= 0x80 || !(isalpha(c) || (i > 0 && strchr("/_-", c))))
            return false;
    }
    return slash;
}

void statistics_params_zone(const struct params *params, char out[ZONE_MAX + 1],
                            struct dbk_field_errors *fields)
{
    struct dbk_slice text;
    char name[ZONE_MAX + 1];

    strcpy(out, "UTC");
    if (!params_text(params, "tz", &text))
        return;
    if (text.length <= ZONE_MAX) {
        memcpy(name, text.data, text.length);
        name[text.length] = '\0';
        if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0)
            return;
        if (is_place(name) || is_fixed(name) || strcmp(name, "GMT") == 0) {
            strcpy(out, name);
            return;
        }
    }
    params_wrong(
        fields, dbk_slice("tz"),
        "the IANA name of a time zone is needed, such as Europe/Berlin or UTC");
}

static int64_t seconds_of(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    }
    return 0;
}

void statistics_params_within(const struct params *params, int64_t *out,
                              struct dbk_field_errors *fields)
{
    struct dbk_slice text;
    int64_t number = 0, unit;
    bool good;

    *out = 7 * 86400 * SECOND_US;
    if (!params_text(params, "within", &text))
        return;
    good = text.length >= 2 && text.length <= 10; /* so it does not overflow */
    for (size_t i = 0; good && i + 1 < text.length; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        number = number * 10 + (text.data[i] - '0');
    }
    unit = good ? seconds_of(text.data[text.length - 1]) : 0;
    if (unit == 0 || number == 0 || number * unit > WITHIN_DAYS_MAX * INT64_C(86400))
        params_wrong(fields, dbk_slice("within"),
                     "a time such as 30m, 12h, 7d or 2w is needed, of at most %d days",
                     WITHIN_DAYS_MAX);
    else
        *out = number * unit * SECOND_US;
}

void statistics_params_types(const struct params *params, const char *name,
                             size_t least, size_t most, struct type_list *out,
                             struct dbk_field_errors *fields)
{
    char why[TYPE_LIST_WHY_MAX];
    struct dbk_slice text;

    out->count = 0;
    if (!params_text(params, name, &text)) {
        if (least > 0)
            params_wrong(fields, dbk_slice(name),
                         "required: from %zu to %zu types of events, with commas "
                         "between them",
                         least, most);
        return;
    }
    if (!type_list_read(text, most, out, why))
        params_wrong(fields, dbk_slice(name), "%s", why);
    else if (out->count < least)
        params_wrong(fields, dbk_slice(name), "from %zu to %zu types are needed", least,
                     most);
}

void statistics_params_type(const struct params *params, const char *name,
                            struct dbk_slice *out, struct dbk_field_errors *fields)
{
    char why[LABEL_WHY_MAX];

    if (!params_text(params, name, out))
        params_wrong(fields, dbk_slice(name), "required: a type of events");
    else if (!label_valid(*out, EVENT_TYPE_CHARACTERS_MAX, why))
        params_wrong(fields, dbk_slice(name), "%s", why);
}
