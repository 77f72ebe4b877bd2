/* slice.h - bytes that somebody else owns. */
#ifndef DBK_STORE_SLICE_H
#define DBK_STORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* data is borrowed, not NUL-terminated, and may be NULL where length is 0. */
struct dbk_slice {
    const char *data;
    size_t length;
};

static inline struct dbk_slice dbk_slice(const char *text)
{
    return (struct dbk_slice){text, text ? strlen(text) : 0};
}

static inline bool dbk_slice_equal(struct dbk_slice a, struct dbk_slice b)
{
    return a.length == b.length && (a.length == 0 || !memcmp(a.data, b.data, a.length));
}

#endif
