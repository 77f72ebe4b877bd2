#include "traceparent.h"

#include <string.h>

enum { TRACE_AT = 3, SPAN_AT = 36, SPAN_TEXT = 16, FLAGS_AT = 53 };

/* length digits in lower case, and a dash or the end behind them. */
static bool is_part(const char *at, size_t length)
{
    return strspn(at, "0123456789abcdef") == length &&
           (at[length] == '-' || at[length] == '\0');
}

static bool is_id(const char *at, size_t length)
{
    return is_part(at, length) && strspn(at, "0") < length;
}

static bool is_right(const char *value)
{
    return strlen(value) >= TRACEPARENT_TEXT && is_part(value, 2) &&
           memcmp(value, "ff", 2) != 0 && is_id(value + TRACE_AT, TRACE_ID_TEXT) &&
           is_id(value + SPAN_AT, SPAN_TEXT) && is_part(value + FLAGS_AT, 2) &&
           (value[TRACEPARENT_TEXT] == '\0' || memcmp(value, "00", 2) != 0);
}

void traceparent_read(const struct head *head, char out[TRACEPARENT_TEXT + 1])
{
    unsigned count;
    const char *value = head_field(head, "traceparent", &count);

    out[0] = '\0';
    if (count != 1 || !is_right(value))
        return;
    memcpy(out, value, TRACEPARENT_TEXT);
    out[TRACEPARENT_TEXT] = '\0';
}

void traceparent_trace_id(const char *traceparent, char out[TRACE_ID_TEXT + 1])
{
    size_t length = *traceparent ? TRACE_ID_TEXT : 0;

    if (length > 0)
        memcpy(out, traceparent + TRACE_AT, length);
    out[length] = '\0';
}
