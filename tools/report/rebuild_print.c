#include "rebuild_print.h"

#include "plural.h"

#include <stdio.h>

void rebuild_print_erased(const struct dbk_rebuild_result *result)
{
    if (result->erased_persons == 0 && result->erased_events == 0)
        return;
    printf("left out      %s and %s, erased\n",
           plural(result->erased_persons, "persons").text,
           plural(result->erased_events, "events").text);
}
