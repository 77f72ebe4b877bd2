/* peer_socket.h - finds the socket of a connection that civetweb keeps to itself. */
#ifndef DBK_HTTP_PEER_SOCKET_H
#define DBK_HTTP_PEER_SOCKET_H

/* The descriptor of this process's TCP connection between own_port and the peer at this
 * numeric IPv4 address and port, or -1. Addresses and ports name one connection only, so
 * it is the right one for as long as that connection is open. */
int peer_socket(const char *address, int port, int own_port);

#endif
