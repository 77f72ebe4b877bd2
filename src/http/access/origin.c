#include "http/tokens.h"

#include <string.h>

static bool is_port(const char *text, const char *own)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && !text[digits] && *text != '0' &&
           strcmp(text, own) != 0;
}

bool dbk_origin_valid(const char *text)
{
    bool safe = !strncmp(text, "https://", 8);
    size_t name;

    if (!safe && strncmp(text, "http://", 7) != 0)
        return false;
    text += safe ? 8 : 7;
    name = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
    if (name == 0 || !text[name])
        return name > 0;
    return text[name] == ':' && is_port(text + name + 1, safe ? "443" : "80");
}
