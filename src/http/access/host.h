/* host.h - whether a request means this machine. */
#ifndef DBK_HTTP_HOST_H
#define DBK_HTTP_HOST_H

#include <stdbool.h>

/* Whether the value of a Host header, with its port or without, is a name or address of
 * this machine's own: localhost, anything.localhost, 127.x.x.x or [::1].
 *
 * A browser sends the name in its address bar. Whoever owns another name can let it
 * point here, and the scripts of his page read as if they were ours. */
bool host_is_loopback(const char *host);

#endif
