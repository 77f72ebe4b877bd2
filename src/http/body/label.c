#include "label.h"

#include "store/utf8.h"

#include <stdio.h>

static bool refuse(char why[LABEL_WHY_MAX], const char *expected)
{
    snprintf(why, LABEL_WHY_MAX, "%s", expected);
    return false;
}

bool label_valid(struct dbk_slice text, size_t characters_max, char why[LABEL_WHY_MAX])
{
    const char *at = text.data, *end = text.data + text.length;
    size_t count = 0;

    for (; at < end; count++) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);
        if (length == 0)
            return refuse(why, "not UTF-8");
        if (dbk_utf8_is_control(point))
            return refuse(why, "must not contain control characters");
        at += length;
    }
    if (count == 0)
        return refuse(why, "must not be empty");
    if (count <= characters_max)
        return true;
    snprintf(why, LABEL_WHY_MAX, "must have at most %zu characters", characters_max);
    return false;
}
