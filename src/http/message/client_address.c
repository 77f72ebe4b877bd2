#include "client_address.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is behind the last comma, without blanks. False: it does not fit. */
static bool take_last(const char *list, char out[CLIENT_ADDRESS_TEXT])
{
    const char *comma = strrchr(list, ',');
    size_t length;

    list = comma ? comma + 1 : list;
    list += strspn(list, " \t");
    length = strcspn(list, " \t");
    if (length >= CLIENT_ADDRESS_TEXT || list[length + strspn(list + length, " \t")])
        return false;
    memcpy(out, list, length);
    out[length] = '\0';
    return true;
}

static bool is_address(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 ||
           inet_pton(AF_INET6, text, &address) == 1;
}

/* The list has commas between its addresses, and nothing else. */
static bool is_trusted(const char *peer, const char *list)
{
    size_t length = strlen(peer);

    while (list && *list) {
        size_t one = strcspn(list, ",");
        if (one == length && memcmp(list, peer, one) == 0)
            return true;
        list += one + (list[one] == ',');
    }
    return false;
}

void client_address(const char *peer, const char *trusted, const char *forwarded,
                    char out[CLIENT_ADDRESS_TEXT])
{
    if (forwarded && is_trusted(peer, trusted) && take_last(forwarded, out) &&
        is_address(out))
        return;
    snprintf(out, CLIENT_ADDRESS_TEXT, "%s", peer);
}

uint32_t client_address_key(const char *address)
{
    struct in6_addr six;
    struct in_addr four;
    uint32_t part, key = 0;

    if (inet_pton(AF_INET, address, &four) == 1)
        return four.s_addr;
    if (inet_pton(AF_INET6, address, &six) != 1)
        return 0;
    for (size_t i = 0; i < 8; i += sizeof part) {
        memcpy(&part, &six.s6_addr[i], sizeof part);
        key = key * 2654435761U + part;
    }
    return key;
}
