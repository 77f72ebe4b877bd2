/* utf8.h - one code point of UTF-8 at a time. Source: RFC 3629, section 4. */
#ifndef DBK_STORE_UTF8_H
#define DBK_STORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at `at`, which must be before end, into *point. Returns how many bytes
 * it takes, or 0 where they are not UTF-8 (cut short, overlong, a surrogate, past
 * U+10FFFF). */
size_t dbk_utf8_decode(const char *at, const char *end, uint32_t *point);

/* Whether a code point is a control character: C0, DEL or C1. */
static inline bool dbk_utf8_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

#endif
