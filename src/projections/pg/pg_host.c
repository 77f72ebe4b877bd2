/* host:port, as settings have it. */
#include "projections/database.h"

#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
    size_t length = strlen(text);

    return length >= 1 && length <= 5 && strspn(text, "0123456789") == length &&
           atoi(text) >= 1 && atoi(text) <= 65535;
}

bool dbk_database_host(const char *text, struct dbk_slice *host, const char **port)
{
    const char *begin = text, *end = text + strlen(text);

    *port = NULL;
    if (*text == '[') {
        begin = text + 1;
        end = strchr(begin, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        *port = end[1] == ':' ? end + 2 : NULL;
    } else if (strrchr(text, ':')) {
        end = strrchr(text, ':');
        *port = end + 1;
        if (memchr(text, ':', (size_t)(end - text)))
            return false; /* an IPv6 address wants its brackets, an URI is none */
    }
    *host = (struct dbk_slice){begin, (size_t)(end - begin)};
    return host->length > 0 && strcspn(begin, " ,") >= host->length &&
           (!*port || is_port(*port));
}
