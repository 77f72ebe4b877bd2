#include "name.h"

#include "store/utf8.h"

/* Source: PropList.txt of Unicode 15, property White_Space. */
static bool is_space(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 ||
           point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
           point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
           point == 0x3000;
}

/* C0, DEL, C1, and the separators that end a line as they do. */
static bool is_control(uint32_t point)
{
    return dbk_utf8_is_control(point) || point == 0x2028 || point == 0x2029;
}

const char *name_trim(struct dbk_slice text, struct dbk_slice *name)
{
    const char *at = text.data, *end = text.data + text.length;
    const char *first = NULL, *behind = NULL; /* of the trimmed name */
    size_t count = 0, trimmed_count = 0;
    bool control = false, trimmed_control = false;

    *name = (struct dbk_slice){0};
    while (at < end) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);
        if (length == 0)
            return "not UTF-8";
        if (!first && !is_space(point))
            first = at;
        if (first) {
            count++;
            control = control || is_control(point);
        }
        at += length;
        if (first && !is_space(point)) {
            behind = at;
            trimmed_count = count;
            trimmed_control = control;
        }
    }
    if (!first)
        return "must not be empty";
    if (trimmed_count > NAME_CHARACTERS_MAX)
        return "must have at most 100 characters";
    if (trimmed_control)
        return "must not contain control characters";
    *name = (struct dbk_slice){first, (size_t)(behind - first)};
    return NULL;
}
