/* Sockets with little room: preloaded into the program, what is sent without waiting is
 * taken in part, and then for a while not at all. What waits until it is taken is not
 * concerned. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define ROOM 100 /* bytes */

static atomic_uint calls;

ssize_t send(int sock, const void *bytes, size_t length, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);

    if (!real)
        real = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    if (!(flags & MSG_DONTWAIT) || length <= ROOM)
        return real(sock, bytes, length, flags);
    if (atomic_fetch_add(&calls, 1) % 2 == 1) {
        errno = EAGAIN;
        return -1;
    }
    return real(sock, bytes, ROOM, flags);
}
