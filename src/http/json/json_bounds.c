#include "json_bounds.h"

#include "json_walk.h"
#include "store/record.h"

#include <stdio.h>

bool properties_fit(struct dbk_slice object, char why[PROPERTIES_WHY_MAX])
{
    struct json_extent extent = json_measure(object);

    if (extent.compact > DBK_PROPERTIES_MAX)
        snprintf(why, PROPERTIES_WHY_MAX, "must have at most %d bytes, not %zu",
                 DBK_PROPERTIES_MAX, extent.compact);
    else if (extent.written > DBK_PROPERTIES_MAX)
        snprintf(why, PROPERTIES_WHY_MAX,
                 "must have at most %d bytes with its numbers written out, not %zu",
                 DBK_PROPERTIES_MAX, extent.written);
    else if (extent.depth > PROPERTIES_DEPTH_MAX)
        snprintf(why, PROPERTIES_WHY_MAX, "must not nest deeper than %d levels",
                 PROPERTIES_DEPTH_MAX);
    else
        return true;
    return false;
}
