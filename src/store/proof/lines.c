#include "lines.h"

bool lines_next(struct dbk_slice *text, struct dbk_slice *line)
{
    const char *feed = text->length > 0 ? memchr(text->data, '\n', text->length) : NULL;

    if (!feed)
        return false;
    *line = (struct dbk_slice){text->data, (size_t)(feed - text->data)};
    text->data = feed + 1;
    text->length -= line->length + 1;
    return true;
}

bool lines_number(struct dbk_slice text, uint64_t max, uint64_t *out)
{
    *out = 0;
    if (text.length == 0 || (text.length > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');

        if (text.data[i] < '0' || text.data[i] > '9' || digit > max ||
            *out > (max - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}
