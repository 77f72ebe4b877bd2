#include "json_number.h"

#include <assert.h>
#include <stdio.h>

#define EXPONENT_CUT 10000 /* past it no number is taken, of whatever digits */
#define SURE 18 /* characters, in which no bound can be passed without an e */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* What stands behind an e, cut. */
static int exponent_value(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    int value = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && value < EXPONENT_CUT; at++)
        value = value * 10 + (*at - '0');
    if (value > EXPONENT_CUT)
        value = EXPONENT_CUT;
    return negative ? -value : value;
}

/* The integer part; NULL with a message where it is none. */
static const char *scan_integer(const char *at, const char *end, const char **message)
{
    const char *behind = skip_digits(at, end);

    if (behind == at) {
        *message = "expected a digit";
        return NULL;
    }
    if (*at == '0' && behind - at > 1) {
        *message = "a number must not begin with 0";
        return NULL;
    }
    return behind;
}

static const char *scan_fraction(const char *at, const char *end, const char **message)
{
    const char *behind;

    if (at == end || *at != '.')
        return at;
    behind = skip_digits(at + 1, end);
    if (behind == at + 1) {
        *message = "expected a digit behind the decimal point";
        return NULL;
    }
    return behind;
}

static const char *scan_exponent(const char *at, const char *end, const char **message)
{
    const char *digits, *behind;

    if (at == end || (*at != 'e' && *at != 'E'))
        return at;
    digits = at + 1;
    if (digits < end && (*digits == '+' || *digits == '-'))
        digits++;
    behind = skip_digits(digits, end);
    if (behind == digits) {
        *message = "expected a digit in the exponent";
        return NULL;
    }
    return behind;
}

/* The numbers of digits are cut to what an int holds: so many are too many anyway. */
static int count_of(ptrdiff_t count)
{
    return count > EXPONENT_CUT ? EXPONENT_CUT : (int)count;
}

static void take_apart(const char *at, const char *integer, const char *fraction,
                       const char *end, struct json_number *out)
{
    out->negative = *at == '-';
    at += out->negative;
    out->mantissa = (struct dbk_slice){at, (size_t)(fraction - at)};
    out->whole = count_of(integer - at);
    out->digits = count_of(fraction - at - (fraction > integer));
    out->point = out->whole + (fraction < end ? exponent_value(fraction + 1, end) : 0);
    out->first = 0;
    while (out->first < out->digits && json_number_digit(out, out->first) == '0')
        out->first++;
}

/* Zero, too, is held to its exponent: 0e2000 is written out as no one needs it. */
static bool has_too_many_digits(const struct json_number *number)
{
    int before = json_number_before(number);

    if (number->first == number->digits && number->point > before)
        before = number->point;
    return number->digits > JSON_NUMBER_DIGITS ||
           before + json_number_behind(number) > JSON_NUMBER_DIGITS;
}

size_t json_number_scan(const char *at, const char *end, const char **message)
{
    const char *integer, *fraction, *behind;
    struct json_number number;

    assert(at < end);
    integer = scan_integer(at + (*at == '-'), end, message);
    fraction = integer ? scan_fraction(integer, end, message) : NULL;
    behind = fraction ? scan_exponent(fraction, end, message) : NULL;
    if (!behind)
        return 0;
    if (behind == fraction && behind - at <= SURE)
        return (size_t)(behind - at);
    take_apart(at, integer, fraction, behind, &number);
    if (has_too_many_digits(&number))
        *message = "a number of more than 1000 digits, written out";
    return (size_t)(behind - at);
}

void json_number_read(struct dbk_slice text, struct json_number *out)
{
    const char *end = text.data + text.length;
    const char *integer = skip_digits(text.data + (*text.data == '-'), end);
    const char *fraction =
        integer < end && *integer == '.' ? skip_digits(integer + 1, end) : integer;

    take_apart(text.data, integer, fraction, end, out);
}

char json_number_digit(const struct json_number *number, int place)
{
    if (place < 0 || place >= number->digits)
        return '0';
    return number->mantissa.data[place < number->whole ? place : place + 1];
}

int json_number_before(const struct json_number *number)
{
    int before = number->point - number->first;

    return before > 0 && number->first < number->digits ? before : 1;
}

int json_number_behind(const struct json_number *number)
{
    return number->point < number->digits ? number->digits - number->point : 0;
}

/* 2^1024 - 2^970, the first that is rounded to no double (IEEE 754). */
static const char beyond[] =
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750"
    "946649017977587207096330286416692887910946555547851940402630657488671505820681908"
    "902000708383676273854845817711531764475730270069855571366959622842914819860834936"
    "475292719074168444365510704342711559699508093042880177904174497792";

bool json_number_is_huge(struct dbk_slice text)
{
    enum { DIGITS = sizeof beyond - 1 };
    struct json_number number;
    int before, i = 0;

    if (text.length <= SURE && !memchr(text.data, 'e', text.length) &&
        !memchr(text.data, 'E', text.length))
        return false;
    json_number_read(text, &number);
    before = json_number_before(&number);
    if (before != DIGITS)
        return before > DIGITS;
    while (i < DIGITS && json_number_digit(&number, number.first + i) == beyond[i])
        i++;
    return i == DIGITS || json_number_digit(&number, number.first + i) > beyond[i];
}

size_t json_number_normal(struct dbk_slice text, char normal[JSON_NUMBER_NORMAL])
{
    struct json_number number;
    int last;
    size_t length = 0;

    json_number_read(text, &number);
    assert(number.digits <= JSON_NUMBER_DIGITS); /* else it was not scanned */
    last = number.digits;
    while (last > number.first && json_number_digit(&number, last - 1) == '0')
        last--;
    if (number.first == number.digits) { /* zero has no digits, and no sign */
        normal[0] = '0';
        return 1;
    }
    if (number.negative)
        normal[length++] = '-';
    for (int place = number.first; place < last; place++)
        normal[length++] = json_number_digit(&number, place);
    return length + (size_t)snprintf(normal + length, JSON_NUMBER_NORMAL - length,
                                     "e%d", number.point - number.first);
}
