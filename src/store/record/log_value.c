#include "log_value.h"

#include "store/little_endian.h"

#include <libdeflate.h>

void log_value_write(char *out, const char *record, size_t length)
{
    memcpy(out, record, length);
    dbk_put_le32(out + length, libdeflate_crc32(0, record, length));
}

uint32_t log_value_checksum(const char *value, size_t length)
{
    return dbk_get_le32(value + length);
}

bool log_value_check(const char *value, size_t size, size_t *length)
{
    if (size < LOG_VALUE_CHECKSUM)
        return false;
    *length = size - LOG_VALUE_CHECKSUM;
    return log_value_checksum(value, *length) == libdeflate_crc32(0, value, *length);
}
