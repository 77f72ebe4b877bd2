#include "media_type.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum media_type type;
} types[] = {
    {"application/json", MEDIA_JSON},
    {"application/merge-patch+json", MEDIA_MERGE_PATCH},
    {"application/x-ndjson", MEDIA_NDJSON},
    {"text/plain", MEDIA_TEXT},
};

/* Many programs write utf8. */
static bool is_utf8(const char *value)
{
    bool quoted = *value == '"';

    value += quoted;
    if (strncasecmp(value, "utf", 3) != 0)
        return false;
    value += value[3] == '-' ? 4 : 3;
    if (*value++ != '8')
        return false;
    if (quoted && *value++ != '"')
        return false;
    return strcspn(value, "; \t") == 0; /* nothing else belongs to it */
}

/* The parameters behind the type: only a charset means anything to us. */
static bool charset_fits(const char *parameters)
{
    static const char charset[] = "charset=";

    while (*parameters) {
        parameters += strspn(parameters, "; \t");
        if (strncasecmp(parameters, charset, sizeof charset - 1) == 0 &&
            !is_utf8(parameters + sizeof charset - 1))
            return false;
        parameters += strcspn(parameters, ";");
    }
    return true;
}

enum media_type media_type_parse(const char *header)
{
    size_t length = header ? strcspn(header, "; \t") : 0;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (length == strlen(types[i].name) &&
            strncasecmp(header, types[i].name, length) == 0)
            return charset_fits(header + length) ? types[i].type : MEDIA_OTHER;
    }
    return MEDIA_OTHER;
}
