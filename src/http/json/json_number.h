/* json_number.h - numbers as JSON spells them, and their exact value. Private to
 * src/http.
 *
 * One rule says which are taken: those of at most JSON_NUMBER_DIGITS digits, as they are
 * sent and as they are written out without an exponent, and not past what a double holds,
 * so that whoever reads them again can. PostgreSQL's jsonb keeps each of them exactly.
 */
#ifndef DBK_HTTP_JSON_NUMBER_H
#define DBK_HTTP_JSON_NUMBER_H

#include "store/slice.h"

#define JSON_NUMBER_DIGITS 1000

/* How many bytes the number takes that begins at `at`, which must be before end. Where
 * there is none, or one of too many digits, *message says why, and it is untouched
 * otherwise. */
size_t json_number_scan(const char *at, const char *end, const char **message);

/* A number in parts. */
struct json_number {
    bool negative;
    struct dbk_slice mantissa; /* its digits, and the point where it has one */
    int digits, whole;         /* of the mantissa; whole: before the point */
    int point;                 /* where the exponent moves the point to: behind so many
                                  digits, or before the first where it is below 1 */
    int first; /* the place of the first digit that is not 0; digits: none */
};

/* Take a number apart, scanned before. */
void json_number_read(struct dbk_slice text, struct json_number *out);

/* The digit at a place counted from the first; zeros stand around them. */
char json_number_digit(const struct json_number *number, int place);

/* How many digits it has before the point and behind it, written out without an exponent:
 * 12.5e-1 is 1.25. */
int json_number_before(const struct json_number *number);
int json_number_behind(const struct json_number *number);

/* Whether a number, scanned before, is past what a double holds: past 1.79e308. */
bool json_number_is_huge(struct dbk_slice number);

/* Write a number, scanned before, so that those of the same value are the same text: 1,
 * 1.0 and 10e-1 are. Of all its digits, as PostgreSQL's jsonb keeps them. Returns how
 * many bytes. */
#define JSON_NUMBER_NORMAL (JSON_NUMBER_DIGITS + 16)
size_t json_number_normal(struct dbk_slice number, char normal[JSON_NUMBER_NORMAL]);

#endif
