/* parked.h - connections of this server that need no thread of civetweb's: streams. Who
 * looks for those that wait for a thread (overload.h), or for the socket of one that has
 * just come (peer_socket.h), passes over them. */
#ifndef DBK_HTTP_PARKED_H
#define DBK_HTTP_PARKED_H

#include <stdbool.h>

struct parked; /* a set of descriptors; safe to share between threads */

struct parked *parked_create(void);         /* NULL: out of memory */
void parked_destroy(struct parked *parked); /* NULL is fine */

/* False: no memory, and it is not in. */
bool parked_add(struct parked *parked, int fd);
void parked_remove(struct parked *parked, int fd); /* before it is closed */

/* Of NULL, none is in. */
bool parked_has(struct parked *parked, int fd);

#endif
