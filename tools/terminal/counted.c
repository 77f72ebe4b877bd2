#include "counted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct counted counted(uint64_t count, const char *many)
{
    size_t length = strlen(many);
    struct counted counted;

    if (count == 1 && length > 3 && !strcmp(many + length - 3, "xes"))
        length -= 2;
    else if (count == 1 && length > 1 && many[length - 1] == 's')
        length--;
    snprintf(counted.text, sizeof counted.text, "%" PRIu64 " %.*s", count, (int)length,
             many);
    return counted;
}
