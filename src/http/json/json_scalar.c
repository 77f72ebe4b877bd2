#include "json_scalar.h"

#include <string.h>

/* Behind the text that begins at at. */
static size_t skip_text(struct dbk_slice json, size_t at)
{
    for (at++; at < json.length && json.data[at] != '"'; at++)
        at += json.data[at] == '\\';
    return at + 1;
}

static size_t skip_space(struct dbk_slice json, size_t at)
{
    while (at < json.length && strchr(" \t\r\n", json.data[at]))
        at++;
    return at;
}

bool json_has_scalar(struct dbk_slice json)
{
    for (size_t at = 0; at < json.length;) {
        if (json.data[at] == '"') {
            at = skip_space(json, skip_text(json, at));
            if (at >= json.length || json.data[at] != ':') /* it was no key */
                return true;
        } else if (strchr("{}[]:, \t\r\n", json.data[at])) {
            at++;
        } else {
            return true;
        }
    }
    return false;
}
