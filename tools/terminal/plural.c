#include "plural.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct plural plural(uint64_t count, const char *many)
{
    size_t length = strlen(many);
    struct plural plural;

    if (count == 1 && length > 3 && !strcmp(many + length - 3, "xes"))
        length -= 2;
    else if (count == 1 && length > 1 && many[length - 1] == 's')
        length--;
    snprintf(plural.text, sizeof plural.text, "%" PRIu64 " %.*s", count, (int)length,
             many);
    return plural;
}
