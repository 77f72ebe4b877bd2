#include "peer_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* accept gives the lowest free descriptor, so there are no wide gaps before the last. */
#define GAP_MAX 256

static bool is_peer(int fd, const struct in_addr *address, int port)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
           peer.sin_family == AF_INET && peer.sin_addr.s_addr == address->s_addr &&
           ntohs(peer.sin_port) == port;
}

static bool is_own(int fd, int port)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &length) == 0 &&
           own.sin_family == AF_INET && ntohs(own.sin_port) == port;
}

int peer_socket(const char *address, int port, int own_port)
{
    struct in_addr wanted;
    int gap = 0;

    if (inet_pton(AF_INET, address, &wanted) != 1)
        return -1;
    for (int fd = 0; gap < GAP_MAX; fd++) {
        errno = 0;
        if (is_peer(fd, &wanted, port) && is_own(fd, own_port))
            return fd;
        gap = errno == EBADF ? gap + 1 : 0;
    }
    return -1;
}
