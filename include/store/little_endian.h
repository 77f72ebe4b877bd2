/* little_endian.h - numbers in files and messages that a machine of the other order may
 * read: the lowest byte first, at any address. */
#ifndef DBK_STORE_LITTLE_ENDIAN_H
#define DBK_STORE_LITTLE_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void dbk_put_le32(void *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof number);
}

static inline void dbk_put_le64(void *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof number);
}

static inline uint32_t dbk_get_le32(const void *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

static inline uint64_t dbk_get_le64(const void *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof number);
    return le64toh(number);
}

#endif
