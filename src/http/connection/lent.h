/* lent.h - a connection whose request another thread answers than its own (reactor.h).
 *
 * That thread never waits for the client: what the socket does not take is kept, and the
 * connection's own thread sends it. So a client that does not read holds up nobody else.
 */
#ifndef DBK_HTTP_LENT_H
#define DBK_HTTP_LENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahead;
struct guarded;

/* Used by one thread at a time. */
struct lent {
    int fd;
    int64_t since; /* the coarse clock: its own thread has seen nothing of it since */
    struct guarded *guarded;
    struct ahead *ahead; /* what was read for its request (ahead.h); NULL: nothing */
    bool end;            /* the connection is to end once all is sent, */
    int linger_ms;       /* and what still comes for so long is dropped before */
    char *unsent;        /* what the socket did not take; owned, NULL: nothing */
    size_t unsent_length;
};

/* Send, or keep what cannot be sent now. False: the client is gone, or no memory. */
bool lent_send(struct lent *lent, const char *bytes, size_t length);

/* Send what is kept, as long as that takes; the guard ends it where it takes too long.
 * False: the client is gone. Either way nothing is kept then. */
bool lent_flush(struct lent *lent);

#endif
