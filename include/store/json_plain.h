/* json_plain.h - the bytes inside JSON strings that mean themselves: ASCII but control
 * characters, the quote, the backslash and DEL. Most strings have no others, and are
 * stepped over eight bytes at a time. */
#ifndef DBK_STORE_JSON_PLAIN_H
#define DBK_STORE_JSON_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool dbk_json_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* Marks in eight bytes, of which the lowest is in the first byte that is not plain; 0
 * where all are. What is above the lowest may be wrong. Source of the test for a byte
 * below n: S. E. Anderson, "Bit Twiddling Hacks". */
static inline uint64_t dbk_json_marks(const char *at)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t word, quote, backslash, delete;

    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    quote = word ^ (ones * '"');
    backslash = word ^ (ones * '\\');
    delete = word ^ (ones * 0x7F);
    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) |
            (delete - ones) | word) &
           tops;
}

/* How many bytes from `at` on are plain. */
static inline size_t dbk_json_plain(const char *at, const char *end)
{
    const char *start = at;

    for (; end - at >= 8; at += 8) {
        uint64_t marks = dbk_json_marks(at);
        if (marks != 0)
            return (size_t)(at - start) + (size_t)__builtin_ctzll(marks) / 8;
    }
    while (at < end && dbk_json_is_plain((unsigned char)*at))
        at++;
    return (size_t)(at - start);
}

#endif
