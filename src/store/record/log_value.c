#include "log_value.h"

#include <endian.h>
#include <libdeflate.h>
#include <string.h>

void log_value_write(char *out, const char *record, size_t length)
{
    uint32_t sum = htole32(libdeflate_crc32(0, record, length));

    memcpy(out, record, length);
    memcpy(out + length, &sum, sizeof sum);
}

uint32_t log_value_checksum(const char *value, size_t length)
{
    uint32_t sum;

    memcpy(&sum, value + length, sizeof sum);
    return le32toh(sum);
}

bool log_value_check(const char *value, size_t size, size_t *length)
{
    if (size < LOG_VALUE_CHECKSUM)
        return false;
    *length = size - LOG_VALUE_CHECKSUM;
    return log_value_checksum(value, *length) == libdeflate_crc32(0, value, *length);
}
