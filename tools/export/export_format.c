#include "export_format.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define CHECKPOINT ",\"checkpoint\":"

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

static void add(char *out, size_t *used, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *out, size_t *used, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *used += (size_t)vsnprintf(out + *used, EXPORT_TRAILER_MAX - *used, format, args);
    va_end(args);
    assert(*used < EXPORT_TRAILER_MAX);
}

static size_t begin_trailer(const struct export_trailer *trailer, int version,
                            char out[EXPORT_TRAILER_MAX])
{
    size_t used = 0;

    add(out, &used,
        "{\"export\":{\"version\":%d,\"format\":\"%s\",\"records\":%" PRIu64
        ",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"whole\":%s,\"sha256\":\"%s\"",
        version, names[trailer->format], trailer->records, trailer->first,
        trailer->last, trailer->whole ? "true" : "false", trailer->sha256);
    return used;
}

size_t export_trailer_text_1(const struct export_trailer *trailer,
                             char out[EXPORT_TRAILER_MAX])
{
    size_t used = begin_trailer(trailer, 1, out);

    add(out, &used, "}}");
    return used;
}

static void add_source(const struct export_source *source, char *out, size_t *used)
{
    char id[DBK_UUID_TEXT + 1], at[DBK_TIMESTAMP_TEXT + 1];

    dbk_uuid_format(&source->store_id, id);
    add(out, used, ",\"source\":{\"store_id\":\"%s\",\"from\":%" PRIu64 ",\"to\":", id,
        source->from);
    if (source->to == UINT64_MAX)
        add(out, used, "null");
    else
        add(out, used, "%" PRIu64, source->to);
    if (source->type)
        add(out, used, ",\"type\":\"%s\"", dbk_type_name(source->type));
    else
        add(out, used, ",\"type\":null");
    dbk_uuid_format(&source->person, id);
    if (source->has_person)
        add(out, used, ",\"person_id\":\"%s\"", id);
    else
        add(out, used, ",\"person_id\":null");
    dbk_timestamp_format(source->exported_at, at);
    add(out, used, ",\"exported_at\":\"%s\"", at);
}

/* Of the trailer before it. */
static void add_self(char *out, size_t *used)
{
    uint32_t self = (uint32_t)crc32_z(0, (const unsigned char *)out, *used);

    add(out, used, ",\"self\":\"%08" PRIx32 "\"}}", self);
}

size_t export_trailer_text(const struct export_trailer *trailer,
                           const struct export_source *source,
                           char out[EXPORT_TRAILER_MAX])
{
    size_t used = begin_trailer(trailer, 2, out);

    add_source(source, out, &used);
    add(out, &used,
        ",\"escaped\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"missing_sequences\":\"%s\"",
        trailer->escaped, trailer->missing, trailer->missing_ranges);
    if (source->unsealed)
        add(out, &used, ",\"unsealed\":true,\"erased\":%" PRIu64, trailer->erased);
    add(out, &used, "}" CHECKPOINT);
    if (*trailer->checkpoint)
        add(out, &used, "\"%s\"", trailer->checkpoint);
    else
        add(out, &used, "null");
    add_self(out, &used);
    return used;
}

/* A note has no control characters but line feeds. */
bool export_trailer_carry(struct export_trailer *trailer, struct dbk_slice note)
{
    char out[EXPORT_CHECKPOINT_MAX];
    size_t used = 0;

    for (size_t i = 0; i < note.length; i++) {
        char byte = note.data[i];

        if (used + 3 > sizeof out)
            return false;
        if (byte == '"' || byte == '\\' || byte == '\n')
            out[used++] = '\\';
        out[used++] = byte == '\n' ? 'n' : byte;
    }
    memcpy(trailer->checkpoint, out, used);
    trailer->checkpoint[used] = '\0';
    return true;
}

size_t export_trailer_note(const struct export_trailer *trailer,
                           char out[EXPORT_CHECKPOINT_MAX])
{
    size_t used = 0;

    for (const char *at = trailer->checkpoint; *at; at++) {
        bool escaped = *at == '\\' && at[1];

        at += escaped;
        out[used++] = escaped && *at == 'n' ? '\n' : *at;
    }
    return used;
}

/* What stands as the checkpoint in a trailer that is otherwise right, as it stands there.
 * False: it has no end, or is longer than any. */
static bool take_checkpoint(struct export_trailer *trailer, struct dbk_slice text)
{
    static const char name[] = "}" CHECKPOINT "\"";
    const char *end = text.data + text.length;
    const char *at = memmem(text.data, text.length, name, sizeof name - 1), *from;

    *trailer->checkpoint = '\0';
    if (!at)
        return true;
    from = at += sizeof name - 1;
    while (at < end && *at && *at != '"')
        at += *at == '\\' ? 2 : 1;
    if (at >= end || !*at || at - from >= EXPORT_CHECKPOINT_MAX)
        return false;
    memcpy(trailer->checkpoint, from, (size_t)(at - from));
    trailer->checkpoint[at - from] = '\0';
    return true;
}

bool export_trailer_fits(struct export_trailer *trailer, struct dbk_slice text)
{
    char expected[EXPORT_TRAILER_MAX];
    size_t length = export_trailer_text_1(trailer, expected), ending = 0, before;

    if (length == text.length && !memcmp(text.data, expected, length))
        return true;
    add_self(expected, &ending); /* for its length */
    length = begin_trailer(trailer, 2, expected);
    if (text.length < length + ending || text.length >= EXPORT_TRAILER_MAX ||
        memcmp(text.data, expected, length) != 0)
        return false;
    before = text.length - ending;
    memcpy(expected, text.data, before);
    add_self(expected, &before);
    return !memcmp(text.data, expected, text.length) && take_checkpoint(trailer, text);
}
