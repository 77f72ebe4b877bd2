/* fuzz_position.c - whatever --from and --to are: a sequence is the number it looks like,
 * a time is what the C library makes of the same digits, and a range is in order. */
#include "fuzz.h"
#include "position.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* Only digits, and a number that fits 64 bits. */
static bool is_number(const char *text, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

/* The microseconds of ".123" at *at, which moves behind it; those cut off are none. */
static int64_t naive_fraction(const char **at)
{
    int64_t value = 0, unit = 100000;

    if (**at != '.')
        return 0;
    for (++*at; isdigit((unsigned char)**at); ++*at, unit /= 10)
        value += (**at - '0') * unit;
    return value;
}

static int64_t naive_offset(const char *at)
{
    int hours = 0, minutes = 0;

    if (*at != '+' && *at != '-')
        return 0;
    require(sscanf(at + 1, "%2d:%2d", &hours, &minutes) == 2);
    return (int64_t)(hours * 60 + minutes) * (*at == '-' ? -60 : 60);
}

/* Of a text that was taken for a time. */
static dbk_timestamp naive_time(const char *text)
{
    struct tm tm = {0};
    int64_t microseconds = 0, offset = 0;
    int end = 0;

    require(sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end) ==
            3);
    if (text[end] != '\0') {
        const char *at = text + end + 1;
        require(sscanf(at, "%2d:%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
                       &end) == 3);
        at += end;
        microseconds = naive_fraction(&at);
        offset = naive_offset(at);
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return ((int64_t)timegm(&tm) - offset) * 1000000 + microseconds;
}

static void require_same(const struct position *position, const char *text)
{
    struct position again;

    require(position_parse(text, &again, NULL) == DBK_OK);
    require(again.is_time == position->is_time);
    require(again.sequence == position->sequence && again.time == position->time);
}

/* Whether it is a position; it then is the right one. */
static bool try_one(const char *text, struct position *position)
{
    char written[DBK_TIMESTAMP_TEXT + 1];
    struct dbk_error err = {0};
    uint64_t number = 0;
    bool numeric = is_number(text, &number);

    if (position_parse(text, position, &err) != DBK_OK) {
        require(err.code == DBK_INVALID);
        require_reason(&err);
        require(!numeric || number == 0);
        return false;
    }
    if (position->is_time) {
        require(position->time == naive_time(text));
        dbk_timestamp_format(position->time, written);
    } else {
        require(position->sequence > 0 && position->time == 0);
        require(!numeric || position->sequence == number);
        snprintf(written, sizeof written, "%llu",
                 (unsigned long long)position->sequence);
    }
    require_same(position, written);
    return true;
}

static bool in_order(const struct position *from, const struct position *to)
{
    if (from->is_time != to->is_time)
        return true; /* only a log can tell */
    return from->is_time ? from->time <= to->time : from->sequence <= to->sequence;
}

static void try_range(const char *from, const char *to)
{
    struct position_range range;
    struct position first, last;
    struct dbk_error err = {0};
    bool good = try_one(from, &first);

    good = try_one(to, &last) && good;
    good = good && in_order(&first, &last);
    require((position_range_parse(from, to, &range, &err) == DBK_OK) == good);
    if (!good)
        require_reason(&err);
    require(strncmp(err.text, "--", good ? 0 : 2) == 0);
}

/* A line for --from, the rest for --to. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *from = copy_text(data, size);
    char *feed = strchr(from, '\n');
    char *to = copy_text(feed ? feed + 1 : "", feed ? strlen(feed + 1) : 0);

    if (feed)
        *feed = '\0';
    try_range(from, to);
    free(from);
    free(to);
    return 0;
}
