/* pack.h - writes msgpack bytes into a buffer of fixed size.
 *
 * The counterpart of walk.h: only what records hold, each in its shortest form, as
 * msgpack-c writes it (a test compares them). That library calls back for every byte or
 * two; a record has fifty such pieces. Private to the store. Format: the msgpack
 * specification, https://msgpack.org.
 */
#ifndef DBK_PACK_H
#define DBK_PACK_H

#include "store/slice.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct dbk_pack {
    char *at;
    char *end;
    bool full; /* something did not fit: what was written is of no use */
};

static inline void dbk_pack_raw(struct dbk_pack *pack, const void *bytes, size_t length)
{
    if (length == 0) /* of nothing, which may be NULL */
        return;
    if (length > (size_t)(pack->end - pack->at)) {
        pack->full = true;
        return;
    }
    memcpy(pack->at, bytes, length);
    pack->at += length;
}

static inline void dbk_pack_byte(struct dbk_pack *pack, unsigned byte)
{
    char c = (char)(unsigned char)byte;

    dbk_pack_raw(pack, &c, 1);
}

/* A marker, and the number behind it in its size of 1, 2, 4 or 8 bytes. */
static inline void dbk_pack_number(struct dbk_pack *pack, unsigned marker, size_t size,
                                   uint64_t number)
{
    uint64_t big_endian = htobe64(number);
    char bytes[9];

    bytes[0] = (char)(unsigned char)marker;
    memcpy(bytes + 1, (const char *)&big_endian + 8 - size, size);
    dbk_pack_raw(pack, bytes, 1 + size);
}

/* Fewer than 16. */
static inline void dbk_pack_array(struct dbk_pack *pack, size_t count)
{
    dbk_pack_byte(pack, 0x90 | (unsigned)count);
}

static inline void dbk_pack_map(struct dbk_pack *pack, size_t count)
{
    dbk_pack_byte(pack, 0x80 | (unsigned)count);
}

static inline void dbk_pack_str(struct dbk_pack *pack, struct dbk_slice text)
{
    if (text.length < 32)
        dbk_pack_byte(pack, 0xa0 | (unsigned)text.length);
    else if (text.length <= UINT8_MAX)
        dbk_pack_number(pack, 0xd9, 1, text.length);
    else if (text.length <= UINT16_MAX)
        dbk_pack_number(pack, 0xda, 2, text.length);
    else
        dbk_pack_number(pack, 0xdb, 4, text.length);
    dbk_pack_raw(pack, text.data, text.length);
}

/* At most 255 bytes. */
static inline void dbk_pack_bin(struct dbk_pack *pack, const void *bytes, size_t length)
{
    dbk_pack_number(pack, 0xc4, 1, length);
    dbk_pack_raw(pack, bytes, length);
}

static inline void dbk_pack_uint(struct dbk_pack *pack, uint64_t number)
{
    if (number < 0x80)
        dbk_pack_byte(pack, (unsigned)number);
    else if (number <= UINT8_MAX)
        dbk_pack_number(pack, 0xcc, 1, number);
    else if (number <= UINT16_MAX)
        dbk_pack_number(pack, 0xcd, 2, number);
    else if (number <= UINT32_MAX)
        dbk_pack_number(pack, 0xce, 4, number);
    else
        dbk_pack_number(pack, 0xcf, 8, number);
}

static inline void dbk_pack_int(struct dbk_pack *pack, int64_t number)
{
    if (number >= 0)
        dbk_pack_uint(pack, (uint64_t)number);
    else if (number >= -32)
        dbk_pack_byte(pack, (unsigned)(number + 256));
    else if (number >= INT8_MIN)
        dbk_pack_number(pack, 0xd0, 1, (uint64_t)number);
    else if (number >= INT16_MIN)
        dbk_pack_number(pack, 0xd1, 2, (uint64_t)number);
    else if (number >= INT32_MIN)
        dbk_pack_number(pack, 0xd2, 4, (uint64_t)number);
    else
        dbk_pack_number(pack, 0xd3, 8, (uint64_t)number);
}

#endif
