#include "host.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LENGTH 253

static bool is_port(const char *text)
{
    return *text == '\0' ||
           (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

static bool is_name(const char *name, size_t length)
{
    static const char local[] = "localhost";
    size_t end = sizeof local - 1;

    if (length < end || strncasecmp(name + length - end, local, end) != 0)
        return false;
    return length == end || name[length - end - 1] == '.';
}

static bool is_address(const char *name, size_t length)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr in;

    if (length >= sizeof text)
        return false;
    memcpy(text, name, length);
    text[length] = '\0';
    return inet_pton(AF_INET, text, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}

bool host_is_loopback(const char *host)
{
    static const char six[] = "[::1]";
    size_t length = strcspn(host, ":");

    if (strncmp(host, six, sizeof six - 1) == 0)
        return is_port(host + sizeof six - 1);
    return length <= NAME_MAX_LENGTH && is_port(host + length) &&
           (is_address(host, length) || is_name(host, length));
}
