/* index_bytes.h - numbers and texts of the values of the indexes, one behind the other. */
#ifndef DBK_STORE_INDEX_BYTES_H
#define DBK_STORE_INDEX_BYTES_H

#include "store/little_endian.h"

#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <string.h>

static inline char *put_u64(char *at, uint64_t value)
{
    dbk_put_le64(at, value);
    return at + sizeof value;
}

static inline char *put_u16(char *at, size_t value)
{
    uint16_t small = htole16((uint16_t)value);

    assert(value <= UINT16_MAX);
    memcpy(at, &small, sizeof small);
    return at + sizeof small;
}

static inline char *put_bytes(char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static inline uint64_t take_u64(const char **at)
{
    uint64_t value = dbk_get_le64(*at);

    *at += sizeof value;
    return value;
}

static inline size_t take_u16(const char **at)
{
    uint16_t value;

    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return le16toh(value);
}

static inline char *put_u32(char *at, uint32_t value)
{
    dbk_put_le32(at, value);
    return at + sizeof value;
}

static inline uint32_t take_u32(const char **at)
{
    uint32_t value = dbk_get_le32(*at);

    *at += sizeof value;
    return value;
}

static inline void take_text(const char **at, size_t length, char *out)
{
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
}

#endif
