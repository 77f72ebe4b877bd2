#include "records.h"

#include <stdlib.h>
#include <string.h>

static bool room_for_bytes(struct records *records, size_t length)
{
    size_t size = records->bytes_size ? records->bytes_size : 65536;
    char *bytes;

    while (size - records->bytes_used < length)
        size *= 2;
    if (size == records->bytes_size)
        return true;
    bytes = realloc(records->bytes, size);
    if (!bytes)
        return false;
    records->bytes = bytes;
    records->bytes_size = size;
    return true;
}

static bool room_for_part(struct records *records)
{
    size_t size = records->parts_size ? records->parts_size * 2 : 256;
    struct records_part *parts;

    if (records->count < records->parts_size)
        return true;
    parts = realloc(records->parts, size * sizeof *parts);
    if (!parts)
        return false;
    records->parts = parts;
    records->parts_size = size;
    return true;
}

bool records_add(struct records *records, const char *bytes, size_t length)
{
    if (!room_for_bytes(records, length) || !room_for_part(records))
        return false;
    memcpy(records->bytes + records->bytes_used, bytes, length);
    records->parts[records->count++] =
        (struct records_part){records->bytes_used, length};
    records->bytes_used += length;
    return true;
}

void records_clear(struct records *records)
{
    records->count = records->bytes_used = 0;
}

void records_finish(struct records *records)
{
    free(records->parts);
    free(records->bytes);
    *records = (struct records){0};
}
