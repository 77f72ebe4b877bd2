#include "jsonb_bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { EXPONENT_MAX = 1 << 20 }; /* far past what PostgreSQL takes */

struct reader {
    const char *at, *end;
    bool failed;
};

static char peek(const struct reader *reader)
{
    return reader->at < reader->end ? *reader->at : '\0';
}

static int64_t fail(struct reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
    return 0;
}

static unsigned hex(struct reader *reader)
{
    static const char sixteen[] = "0123456789abcdef";
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char lower = (char)(peek(reader) | ' ');
        const char *found = memchr(sixteen, lower, sizeof sixteen - 1);

        if (!found)
            return (unsigned)fail(reader);
        value = value * 16 + (unsigned)(found - sixteen);
        reader->at++;
    }
    return value;
}

/* Behind the u of \uXXXX: how it is written, which is not escaped if need not be. */
static int64_t code_bytes(struct reader *reader)
{
    unsigned code = hex(reader);

    if (code < ' ')
        return code != '\0' && strchr("\b\f\n\r\t", (int)code) ? 2 : 6;
    if (code < 0x80)
        return code == '"' || code == '\\' ? 2 : 1;
    if (code < 0x800)
        return 2;
    if (code < 0xd800 || code >= 0xe000)
        return 3;
    for (const char *next = "\\u"; *next; next++) /* the other half of the pair */
        if (peek(reader) == *next)
            reader->at++;
        else
            return fail(reader);
    hex(reader);
    return 4;
}

static int64_t escape_bytes(struct reader *reader)
{
    char which = peek(reader);

    if (which == '\0' || !strchr("\"\\/bfnrtu", which))
        return fail(reader);
    reader->at++;
    if (which == 'u')
        return code_bytes(reader);
    return which == '/' ? 1 : 2;
}

/* From its opening quote to behind the closing one. */
static int64_t string_bytes(struct reader *reader)
{
    int64_t bytes = 2;
    const char *begin = ++reader->at;

    while (reader->at < reader->end) {
        char c = *reader->at;

        if ((unsigned char)c >= ' ' && c != '"' && c != '\\') {
            reader->at++;
            continue;
        }
        bytes += reader->at - begin;
        reader->at++;
        if (c == '"')
            return bytes;
        bytes += c == '\\' ? escape_bytes(reader) : fail(reader);
        begin = reader->at;
    }
    return fail(reader);
}

/* How many digits come, of which *zeros, to which it is added, are all those before the
 * first that is not 0. */
static int64_t digits(struct reader *reader, int64_t *zeros, bool *only_zeros)
{
    const char *begin = reader->at;

    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
         reader->at++) {
        *only_zeros = *only_zeros && *reader->at == '0';
        *zeros += *only_zeros;
    }
    return reader->at - begin;
}

static int64_t exponent(struct reader *reader)
{
    bool negative;
    int64_t value = 0;

    if ((peek(reader) | ' ') != 'e')
        return 0;
    reader->at++;
    negative = peek(reader) == '-';
    if (negative || peek(reader) == '+')
        reader->at++;
    for (; peek(reader) >= '0' && peek(reader) <= '9'; reader->at++) {
        value = value * 10 + (peek(reader) - '0');
        if (value > EXPONENT_MAX)
            return fail(reader);
    }
    return negative ? -value : value;
}

/* Without an exponent; all digits behind the point stay. */
static int64_t number_bytes(struct reader *reader)
{
    bool negative = peek(reader) == '-', only_zeros = true;
    int64_t before, behind = 0, zeros = 0, moved;

    reader->at += negative;
    before = digits(reader, &zeros, &only_zeros);
    if (before == 0)
        return fail(reader);
    if (peek(reader) == '.') {
        reader->at++;
        behind = digits(reader, &zeros, &only_zeros);
    }
    moved = exponent(reader);
    before += moved - zeros;
    behind -= moved;
    return (negative && !only_zeros) + (only_zeros || before < 1 ? 1 : before) +
           (behind > 0 ? 1 + behind : 0);
}

static int64_t word_bytes(struct reader *reader)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(reader->end - reader->at) >= length &&
            !memcmp(reader->at, words[i], length)) {
            reader->at += length;
            return (int64_t)length;
        }
    }
    return fail(reader);
}

static int64_t token_bytes(struct reader *reader)
{
    switch (*reader->at) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        reader->at++;
        return 0;
    case '{':
    case '}':
    case '[':
    case ']':
        reader->at++;
        return 1;
    case ',':
    case ':':
        reader->at++;
        return 2;
    case '"':
        return string_bytes(reader);
    case 't':
    case 'f':
    case 'n':
        return word_bytes(reader);
    default:
        return number_bytes(reader);
    }
}

int64_t jsonb_bytes(struct dbk_slice json)
{
    struct reader reader = {.at = json.data, .end = json.data + json.length};
    int64_t bytes = 0;

    while (reader.at < reader.end)
        bytes += token_bytes(&reader);
    return reader.failed ? -1 : bytes;
}
