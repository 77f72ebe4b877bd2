/* client_address.h - who asks: the peer, or whom a proxy that is trusted says it asks for.
 */
#ifndef DBK_HTTP_CLIENT_ADDRESS_H
#define DBK_HTTP_CLIENT_ADDRESS_H

#include <stdint.h>

#define CLIENT_ADDRESS_TEXT 46 /* bytes, with the NUL */

/* Write the client's numeric address to out: the last one in forwarded (a value of
 * X-Forwarded-For, or NULL) where the peer is a trusted proxy, for it has put that one there
 * itself; else, and where that is no address, the peer's. trusted: addresses with commas
 * between; NULL or "": none. */
void client_address(const char *peer, const char *trusted, const char *forwarded,
                    char out[CLIENT_ADDRESS_TEXT]);

/* A number to count an address by: IPv4's own; of IPv6 the network's, for one client has
 * 2^64 addresses there. Different networks may share one. */
uint32_t client_address_key(const char *address);

#endif
