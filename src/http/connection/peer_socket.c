#include "peer_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#define GAP_MAX 256

bool peer_address(int fd, int own_port, struct sockaddr_in *peer)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;

    if (getpeername(fd, (struct sockaddr *)peer, &(socklen_t){sizeof *peer}) != 0)
        return false;
    return peer->sin_family == AF_INET &&
           getsockname(fd, (struct sockaddr *)&own, &length) == 0 &&
           own.sin_family == AF_INET && ntohs(own.sin_port) == own_port;
}

static void note(atomic_int *highest, int fd)
{
    int known = atomic_load(highest);

    while (known < fd && !atomic_compare_exchange_weak(highest, &known, fd))
        continue;
}

bool peer_walk(struct peer_walk *walk, struct sockaddr_in *peer)
{
    while (walk->gap < GAP_MAX || walk->fd < atomic_load(walk->highest)) {
        walk->fd++;
        errno = 0;
        if (peer_address(walk->fd, walk->own_port, peer)) {
            walk->gap = 0;
            note(walk->highest, walk->fd);
            if (!parked_has(walk->parked, walk->fd))
                return true;
            continue;
        }
        walk->gap = errno == EBADF ? walk->gap + 1 : 0;
    }
    return false;
}

int peer_socket(const char *address, int port, int own_port, atomic_int *highest,
                struct parked *parked)
{
    struct peer_walk walk = {
        .own_port = own_port, .highest = highest, .parked = parked, .fd = -1};
    struct sockaddr_in peer;
    struct in_addr wanted;

    if (inet_pton(AF_INET, address, &wanted) != 1)
        return -1;
    while (peer_walk(&walk, &peer)) {
        if (peer.sin_addr.s_addr == wanted.s_addr && ntohs(peer.sin_port) == port)
            return walk.fd;
    }
    return -1;
}
