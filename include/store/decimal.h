/* decimal.h - numbers as text, without printf: every answer has several. */
#ifndef DBK_STORE_DECIMAL_H
#define DBK_STORE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX 20 /* 2^64 has 20 digits */

/* Write the digits into out, with a NUL behind them. Returns how many there are. */
static inline size_t decimal_format(uint64_t number, char out[DECIMAL_MAX + 1])
{
    char digits[DECIMAL_MAX], *at = digits + sizeof digits;
    size_t length;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    length = (size_t)(digits + sizeof digits - at);
    for (size_t i = 0; i < length; i++)
        out[i] = at[i];
    out[length] = '\0';
    return length;
}

#endif
