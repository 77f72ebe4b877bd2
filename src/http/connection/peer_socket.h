/* peer_socket.h - finds the sockets of connections that civetweb keeps to itself. */
#ifndef DBK_HTTP_PEER_SOCKET_H
#define DBK_HTTP_PEER_SOCKET_H

#include "parked.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Walks this process's descriptors from the lowest to the last that may be a connection.
 * A new descriptor is the lowest free one, so behind the highest that was one there is
 * no wide gap. */
struct peer_walk {
    int own_port;
    atomic_int *highest;   /* that was ever found; shared by the walks of a server */
    struct parked *parked; /* these are passed over; or NULL */
    int fd;                /* where it stands; begin with -1 */
    int gap;
};

/* Go on to the next TCP connection at own_port, and tell who is at its other end. False:
 * there is none any more. It may be closed at any time by the thread that has it. */
bool peer_walk(struct peer_walk *walk, struct sockaddr_in *peer);

/* The descriptor of this process's TCP connection between own_port and the peer at this
 * numeric IPv4 address and port, or -1. Our own address is not compared, for civetweb does
 * not tell it: where we listen at several, a peer may have a connection to each from one
 * port. Then this is the first of them. */
int peer_socket(const char *address, int port, int own_port, atomic_int *highest,
                struct parked *parked);

/* Whether the descriptor is a TCP connection at own_port; if so, with whom. */
bool peer_address(int fd, int own_port, struct sockaddr_in *peer);

#endif
