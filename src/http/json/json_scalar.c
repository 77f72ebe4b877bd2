#include "json_scalar.h"

#include "json_walk.h"

#include <string.h>

/* Behind the text that begins at at. */
static size_t skip_text(struct dbk_slice json, size_t at)
{
    for (at++; at < json.length && json.data[at] != '"'; at++)
        at += json.data[at] == '\\';
    return at + 1;
}

bool json_has_scalar(struct dbk_slice json)
{
    for (size_t at = 0; at < json.length;) {
        if (json.data[at] == '"') {
            at = skip_text(json, at);
            while (at < json.length && json_is_space(json.data[at]))
                at++;
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
