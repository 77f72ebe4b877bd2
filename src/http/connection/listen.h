/* listen.h - what civetweb does not do about listening: tell a port that is taken from
 * an address that is wrong, and stop without waiting for its next look around. */
#ifndef DBK_HTTP_LISTEN_H
#define DBK_HTTP_LISTEN_H

#include "store/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Whether a server could listen there now.
 *
 * DBK_INVALID   not a numeric IPv4 address (civetweb here has no IPv6), or none of this
 *               machine
 * DBK_CONFLICT  the port is taken
 */
enum dbk_code listen_check(const char *address, unsigned port, struct dbk_error *err);

/* civetweb's listening thread sleeps up to two seconds at a time, and sees only then that
 * it is to stop. A thread that connects to it now and then wakes it. */
struct listen_waker {
    pthread_t thread;
    bool started;
    atomic_bool done;
    const char *address;
    unsigned port;
};
void listen_wake(struct listen_waker *waker, const char *address, unsigned port);
void listen_wake_end(struct listen_waker *waker);

#endif
