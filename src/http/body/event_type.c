#include "event_type.h"

enum { LENGTH_MAX = 64 };

static bool is_allowed(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_' || c == '.' || c == ':' || c == '-';
}

bool event_type_valid(struct dbk_slice text)
{
    if (text.length == 0 || text.length > LENGTH_MAX)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_allowed(text.data[i]))
            return false;
    }
    return true;
}

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
