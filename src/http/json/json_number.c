#include "json_number.h"

#include "json_check.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DOUBLE_DIGITS 17

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Whether the digits of an integer fit 64 bits with a sign. */
static bool integer_fits(const char *digits, size_t count, bool negative)
{
    const char *limit = negative ? "9223372036854775808" : "9223372036854775807";

    if (count != 19)
        return count < 19;
    return memcmp(digits, limit, 19) <= 0;
}

/* How many digits count: without the zeros before them and behind. */
static size_t significant(const char *at, const char *end)
{
    size_t digits = 0, zeros = 0; /* zeros: seen since the last that counts */

    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '0' && digits > 0) {
            zeros++;
        } else if (*at >= '1' && *at <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

/* The value of an exponent's digits, cut at what is surely too large. */
static int exponent_value(const char *at, const char *end)
{
    int value = 0;

    for (; at < end && value <= JSON_EXPONENT_MAX; at++)
        value = value * 10 + (*at - '0');
    return value;
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
    if (exponent_value(digits, behind) > JSON_EXPONENT_MAX) {
        *message = "an exponent past 308";
        return NULL;
    }
    return behind;
}

/* Zeros that a number is written out with, and an exponent would spare. */
static size_t spared(const char *digits, const char *integer, const char *end)
{
    const char *at = integer;
    size_t zeros = 0;

    if (integer == end) { /* 100000 */
        while (at > digits + 1 && at[-1] == '0')
            at--;
        return (size_t)(integer - at);
    }
    if (*digits == '0' && *integer == '.') { /* 0.00001 */
        while (integer + 1 + zeros < end && integer[1 + zeros] == '0')
            zeros++;
    }
    return zeros;
}

/* What PostgreSQL shows of it, without an exponent, is an integer of more than 64 bits.
 * One of no more digits than a double has is another's way to write a double. */
static bool is_too_large(const char *digits, const char *integer, const char *fraction,
                         const char *end, bool negative)
{
    size_t whole = (size_t)(integer - digits);
    size_t decimals = fraction > integer ? (size_t)(fraction - integer) - 1 : 0;
    size_t power = 0;

    if (fraction < end && fraction[1] == '-')
        return false; /* its last digits stand behind the point */
    if (fraction < end)
        power = (size_t)exponent_value(fraction + 1 + (fraction[1] == '+'), end);
    if (power < decimals || (power == 0 && fraction > integer) ||
        significant(digits, end) <= DOUBLE_DIGITS)
        return false;
    return power == 0 ? !integer_fits(digits, whole, negative)
                      : whole + power > 19 && whole + power <= JSON_EXPONENT_MAX;
}

size_t json_number_scan(const char *at, const char *end, const char **message)
{
    const char *digits, *integer, *fraction, *behind;
    bool negative;

    assert(at < end);
    negative = *at == '-';
    digits = at + negative;
    integer = scan_integer(digits, end, message);
    if (!integer)
        return 0;
    fraction = scan_fraction(integer, end, message);
    behind = fraction ? scan_exponent(fraction, end, message) : NULL;
    if (!behind)
        return 0;
    if (behind - at > JSON_NUMBER_LONGEST ||
        (size_t)(behind - at) - spared(digits, integer, behind) > JSON_NUMBER_MAX)
        *message = "a number of more than 100 characters";
    else if (behind - at > 18 &&
             is_too_large(digits, integer, fraction, behind, negative))
        *message = "an integer beyond 64 bits";
    return (size_t)(behind - at);
}

bool json_number_is_huge(struct dbk_slice number)
{
    char text[JSON_NUMBER_LONGEST + 1];

    assert(number.length < sizeof text);
    if (number.length <= JSON_EXPONENT_MAX &&
        !memchr(number.data, 'e', number.length) &&
        !memchr(number.data, 'E', number.length))
        return false; /* has not so many digits */
    memcpy(text, number.data, number.length);
    text[number.length] = '\0';
    return isinf(strtod(text, NULL)) != 0;
}

/* 0.digits * 10^exponent, without zeros at either end of the digits. Zero has no
 * digits.
 */
struct decimal {
    bool negative;
    int exponent;
    size_t count;
    char digits[JSON_NUMBER_LONGEST];
};

static void add_digits(struct decimal *decimal, const char **at, const char *end)
{
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        assert(decimal->count < sizeof decimal->digits);
        decimal->digits[decimal->count++] = **at;
    }
}

static void strip_zeros(struct decimal *decimal)
{
    size_t leading = 0;

    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0')
        decimal->count--;
    while (leading < decimal->count && decimal->digits[leading] == '0')
        leading++;
    decimal->count -= leading;
    decimal->exponent -= (int)leading;
    memmove(decimal->digits, decimal->digits + leading, decimal->count);
    if (decimal->count == 0) {
        decimal->negative = false;
        decimal->exponent = 0;
    }
}

static void read_decimal(struct dbk_slice text, struct decimal *out)
{
    const char *at = text.data, *end = text.data + text.length;

    *out = (struct decimal){.negative = at < end && *at == '-'};
    if (out->negative)
        at++;
    add_digits(out, &at, end);
    out->exponent = (int)out->count;
    if (at < end && *at == '.') {
        at++;
        add_digits(out, &at, end);
    }
    if (at < end) { /* e or E */
        bool negative = ++at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        out->exponent += negative ? -exponent_value(at, end) : exponent_value(at, end);
    }
    strip_zeros(out);
}

size_t json_number_normal(struct dbk_slice number, char normal[JSON_NUMBER_NORMAL])
{
    struct decimal decimal;

    read_decimal(number, &decimal);
    return (size_t)snprintf(normal, JSON_NUMBER_NORMAL, "%s%.*se%d",
                            decimal.negative ? "-" : "", (int)decimal.count,
                            decimal.digits, decimal.exponent);
}
