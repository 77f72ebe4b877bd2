#include "store/utf8.h"

#include <stdbool.h>

/* Adds the low six bits of each of count continuation bytes. */
static bool take_rest(const char *at, size_t count, uint32_t *point)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)at[i];
        if ((byte & 0xC0) != 0x80)
            return false;
        *point = (*point << 6) | (byte & 0x3FU);
    }
    return true;
}

size_t dbk_utf8_decode(const char *at, const char *end, uint32_t *point)
{
    unsigned char first = (unsigned char)*at;
    size_t length;
    uint32_t least; /* below it a shorter form exists */

    if (first < 0x80) {
        *point = first;
        return 1;
    }
    if ((first & 0xE0) == 0xC0) {
        length = 2;
        least = 0x80;
        *point = first & 0x1FU;
    } else if ((first & 0xF0) == 0xE0) {
        length = 3;
        least = 0x800;
        *point = first & 0x0FU;
    } else if ((first & 0xF8) == 0xF0) {
        length = 4;
        least = 0x10000;
        *point = first & 0x07U;
    } else {
        return 0;
    }
    if ((size_t)(end - at) < length || !take_rest(at + 1, length - 1, point))
        return 0;
    if (*point < least || *point > 0x10FFFF || (*point >= 0xD800 && *point <= 0xDFFF))
        return 0;
    return length;
}
