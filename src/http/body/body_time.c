#include "body_time.h"

#include "json_number.h"
#include "json_string.h"

#define DIGITS_MAX                                                                     \
    18 /* of microseconds: more are past the year 9999, and fit 64 bits */
#define MICROSECONDS 3 /* digits of them in a millisecond */

static bool read_milliseconds(struct dbk_slice text, dbk_timestamp *out)
{
    struct json_number number;
    int end;
    bool finer = false;

    *out = 0;
    json_number_read(text, &number);
    end = number.point + MICROSECONDS;
    if (end - number.first > DIGITS_MAX && number.first < number.digits)
        return false;
    for (int i = number.first; i < number.digits || i < end; i++) {
        char digit = json_number_digit(&number, i);
        if (i < end)
            *out = *out * 10 + (digit - '0');
        else
            finer = finer || digit != '0';
    }
    if (number.negative)
        *out = -*out - finer;
    return true;
}

bool body_time(struct dbk_slice value, char *room, dbk_timestamp *out)
{
    struct dbk_slice text;
    bool read;

    if (value.data[0] == '"') {
        text = json_string_read(value, room);
        read = dbk_timestamp_parse(text.data, text.length, out);
    } else {
        read =
            (value.data[0] == '-' || (value.data[0] >= '0' && value.data[0] <= '9')) &&
            read_milliseconds(value, out);
    }
    return read && dbk_timestamp_valid(*out);
}
