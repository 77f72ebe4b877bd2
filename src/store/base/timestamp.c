#include "store/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define FIRST (INT64_C(-62135596800) * SECOND)    /* 0001-01-01T00:00:00 */
#define LAST (INT64_C(253402300800) * SECOND - 1) /* 9999-12-31T23:59:59.999999 */

dbk_timestamp dbk_timestamp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

bool dbk_timestamp_valid(dbk_timestamp at)
{
    return at >= FIRST && at <= LAST;
}

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar, counting years
 * from March so that the leap day comes last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t leap_days = y / 4 - y / 100 + y / 400;

    return y * 365 + leap_days + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t since = days + 719468; /* from 0000-03-01; not negative for our years */
    int64_t era = since / 146097;
    int64_t day_of_era = since % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
        365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

/* The day in which it is. */
static int64_t day_of(dbk_timestamp at)
{
    return at / DAY - (at % DAY < 0);
}

dbk_timestamp dbk_timestamp_month(dbk_timestamp at)
{
    int64_t days = day_of(at), year, month, day;

    date_from_days(days, &year, &month, &day);
    return (days - (day - 1)) * DAY;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* What is left to read of a text. */
struct reader {
    const char *at;
    const char *end;
};

static bool read_digits(struct reader *r, int count, int64_t low, int64_t high,
                        int64_t *out)
{
    int64_t value = 0;

    for (int i = 0; i < count; i++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9')
            return false;
        value = value * 10 + (*r->at++ - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

static bool read_one_of(struct reader *r, const char *set, char *out)
{
    for (; r->at != r->end && *set; set++) {
        if (*r->at == *set) {
            *out = *r->at++;
            return true;
        }
    }
    return false;
}

static bool read_date(struct reader *r, int64_t *days)
{
    int64_t year, month, day;
    char c;

    if (!read_digits(r, 4, 1, 9999, &year) || !read_one_of(r, "-", &c) ||
        !read_digits(r, 2, 1, 12, &month) || !read_one_of(r, "-", &c) ||
        !read_digits(r, 2, 1, days_in_month(year, month), &day))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool read_fraction(struct reader *r, int64_t *microseconds)
{
    int64_t value = 0;
    size_t digits = 0;
    char c;

    *microseconds = 0;
    if (!read_one_of(r, ".", &c))
        return true;
    while (read_one_of(r, "0123456789", &c)) {
        if (digits++ < 6) /* cut, not rounded: nothing is later than it was */
            value = value * 10 + (c - '0');
    }
    if (digits == 0)
        return false;
    for (; digits < 6; digits++)
        value *= 10;
    *microseconds = value;
    return true;
}

static bool read_time(struct reader *r, int64_t *microseconds)
{
    int64_t hour, minute, second, fraction;
    char c;

    if (!read_digits(r, 2, 0, 23, &hour) || !read_one_of(r, ":", &c) ||
        !read_digits(r, 2, 0, 59, &minute) || !read_one_of(r, ":", &c) ||
        !read_digits(r, 2, 0, 59, &second) || !read_fraction(r, &fraction))
        return false;
    *microseconds = ((hour * 60 + minute) * 60 + second) * SECOND + fraction;
    return true;
}

static bool read_zone(struct reader *r, int64_t *microseconds)
{
    int64_t hour, minute;
    char c;

    *microseconds = 0;
    if (r->at == r->end)
        return true;
    if (read_one_of(r, "Zz", &c))
        return r->at == r->end;
    if (!read_one_of(r, "+-", &c))
        return false;
    bool east = c == '+';
    if (!read_digits(r, 2, 0, 23, &hour) || !read_one_of(r, ":", &c) ||
        !read_digits(r, 2, 0, 59, &minute) || r->at != r->end)
        return false;
    *microseconds = (hour * 60 + minute) * 60 * SECOND * (east ? 1 : -1);
    return true;
}

bool dbk_timestamp_parse(const char *text, size_t length, dbk_timestamp *out)
{
    struct reader r = {text, text + length};
    int64_t days, time, offset;
    char c;

    if (!read_date(&r, &days) || !read_one_of(&r, "Tt ", &c) || !read_time(&r, &time) ||
        !read_zone(&r, &offset))
        return false;
    *out = days * DAY + time - offset;
    return dbk_timestamp_valid(*out);
}

/* Two digits and what stands behind them. */
static inline void write_two(char *at, uint32_t number, char after)
{
    at[0] = (char)('0' + number / 10);
    at[1] = (char)('0' + number % 10);
    at[2] = after;
}

#define DAY_TEXT 11 /* "2023-10-08T" */

static void write_day(int64_t days, char out[DAY_TEXT])
{
    int64_t year, month, day;

    date_from_days(days, &year, &month, &day);
    write_two(out, (uint32_t)year / 100, '0');
    write_two(out + 2, (uint32_t)year % 100, '-');
    write_two(out + 5, (uint32_t)month, '-');
    write_two(out + 8, (uint32_t)day, 'T');
}

void dbk_timestamp_format(dbk_timestamp at, char out[DBK_TIMESTAMP_TEXT + 1])
{
    /* Of two times in a row most are of one day, and the calendar is half the work. */
    static _Thread_local struct {
        int64_t days;
        char text[DAY_TEXT];
    } last = {.days = INT64_MIN};
    int64_t days = at / DAY, rest = at % DAY;
    uint32_t seconds, micro;

    if (rest < 0) {
        rest += DAY;
        days--;
    }
    if (days != last.days) {
        write_day(days, last.text);
        last.days = days;
    }
    seconds = (uint32_t)(rest / SECOND);
    micro = (uint32_t)(rest % SECOND);
    memcpy(out, last.text, DAY_TEXT);
    write_two(out + 11, seconds / 3600, ':');
    write_two(out + 14, seconds / 60 % 60, ':');
    write_two(out + 17, seconds % 60, '.');
    write_two(out + 20, micro / 10000, '0');
    write_two(out + 22, micro / 100 % 100, '0');
    write_two(out + 24, micro % 100, '\0');
}

void dbk_month_format(dbk_timestamp at, char out[DBK_MONTH_TEXT + 1])
{
    char text[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(at, text);
    memcpy(out, text, DBK_MONTH_TEXT);
    out[DBK_MONTH_TEXT] = '\0';
}

bool dbk_month_parse(const char *text, dbk_timestamp *out)
{
    char first[32];

    *out = 0;
    return strlen(text) == DBK_MONTH_TEXT &&
           snprintf(first, sizeof first, "%s-01T00:00:00", text) > 0 &&
           dbk_timestamp_parse(first, strlen(first), out);
}
