#include "log_value.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

static uint32_t checksum(const char *bytes, size_t length)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes, length);
}

void dbk_log_value_write(char *out, const char *record, size_t length)
{
    uint32_t sum = htole32(checksum(record, length));

    memcpy(out, record, length);
    memcpy(out + length, &sum, sizeof sum);
}

bool dbk_log_value_check(const char *value, size_t size, size_t *length)
{
    uint32_t sum;

    if (size < sizeof sum)
        return false;
    *length = size - sizeof sum;
    memcpy(&sum, value + *length, sizeof sum);
    return le32toh(sum) == checksum(value, *length);
}
