#include "event_type.h"

bool event_type_allowed(struct dbk_slice text, const char *const *types)
{
    if (!types || dbk_slice_equal(text, dbk_slice(EVENT_TYPE_SIGNUP)))
        return true;
    for (; *types; types++) {
        if (dbk_slice_equal(text, dbk_slice(*types)))
            return true;
    }
    return false;
}
