#include "rebuild_print.h"

#include "plural.h"

#include <stdio.h>

void rebuild_print_left_out(const struct dbk_rebuild_result *result)
{
    if (result->erased_persons > 0 || result->erased_events > 0)
        printf("left out      %s and %s, erased\n",
               plural(result->erased_persons, "persons").text,
               plural(result->erased_events, "events").text);
    if (result->expired_events > 0)
        printf("left out      %s, expired\n",
               plural(result->expired_events, "events").text);
}
