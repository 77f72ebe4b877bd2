#include "head_lines.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_named(const char *line, const char *end, const char *name)
{
    size_t length = strlen(name);

    return (size_t)(end - line) > length && line[length] == ':' &&
           strncasecmp(line, name, length) == 0;
}

bool head_names(const char *head, size_t length, const char *const *names, size_t count)
{
    const char *end = head + length, *line = head;

    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        for (size_t i = 0; i < count; i++) {
            if (is_named(line, end, names[i]))
                return true;
        }
    }
    return false;
}

/* Digits, and blanks around them; whatever else there may be, its own thread refuses. */
static bool is_number(const char *at, const char *end, size_t expected)
{
    size_t number = 0, digits = 0;

    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    for (; at < end && isdigit((unsigned char)*at) && digits < 9; at++, digits++)
        number = number * 10 + (size_t)(*at - '0');
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return digits > 0 && at < end && *at == '\r' && number == expected;
}

bool head_says_length(const char *head, size_t length, size_t expected)
{
    static const char length_name[] = "Content-Length";
    const char *end = head + length, *line = head;
    size_t said = 0;

    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if (!is_named(line, end, length_name))
            continue;
        said++;
        if (!is_number(line + sizeof length_name, end, expected)) /* behind its colon */
            return false;
    }
    return said == 1;
}
