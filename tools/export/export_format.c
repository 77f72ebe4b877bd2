#include "export_format.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const char *const names[] = {
    [EXPORT_NDJSON] = "ndjson", [EXPORT_MSGPACK] = "msgpack", [EXPORT_CSV] = "csv"};

bool export_format_parse(const char *text, enum export_format *out)
{
    for (*out = EXPORT_NDJSON; *out <= EXPORT_CSV; (*out)++) {
        if (!strcmp(text, names[*out]))
            return true;
    }
    return false;
}

void export_put_number(char out[4], uint32_t number)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(unsigned char)(number >> (24 - 8 * i));
}

uint32_t export_get_number(const char bytes[4])
{
    uint32_t number = 0;

    for (int i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

void export_block_add(struct export_block *block, uint32_t sum, size_t bytes)
{
    assert(block->records < EXPORT_BLOCK_RECORDS); /* else a check line comes first */
    block->sums[block->records++] = sum;
    block->bytes += bytes;
}

bool export_block_full(const struct export_block *block)
{
    return block->records == EXPORT_BLOCK_RECORDS || block->bytes >= EXPORT_BLOCK_BYTES;
}

static char *put_hex(char *out, uint32_t number)
{
    static const char hex[] = "0123456789abcdef";

    for (int i = 28; i >= 0; i -= 4)
        *out++ = hex[number >> i & 15];
    return out;
}

size_t export_block_line(const struct export_block *block, char out[EXPORT_CHECK_MAX])
{
    char *at = out;
    uint32_t self;

    at += sprintf(at, "{\"check\":{\"records\":%zu,\"crc32\":\"", block->records);
    for (size_t i = 0; i < block->records; i++)
        at = put_hex(at, block->sums[i]);
    *at++ = '"';
    self = (uint32_t)crc32_z(0, (const unsigned char *)out, (size_t)(at - out));
    at += sprintf(at, ",\"self\":\"");
    at = put_hex(at, self);
    at += sprintf(at, "\"}}\n");
    assert(at < out + EXPORT_CHECK_MAX);
    return (size_t)(at - out);
}

size_t export_trailer_text(const struct export_trailer *trailer,
                           char out[EXPORT_TRAILER_MAX])
{
    return (size_t)snprintf(out, EXPORT_TRAILER_MAX,
                            "{\"export\":{\"version\":1,\"format\":\"%s\","
                            "\"records\":%" PRIu64 ",\"first\":%" PRIu64
                            ",\"last\":%" PRIu64 ",\"whole\":%s,\"sha256\":\"%s\"}}",
                            names[trailer->format], trailer->records, trailer->first,
                            trailer->last, trailer->whole ? "true" : "false",
                            trailer->sha256);
}
