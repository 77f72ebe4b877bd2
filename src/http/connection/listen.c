#include "listen.h"

#include "store/clock.h"
#include "store/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAKE_EVERY_MS 10

static bool make_address(const char *text, unsigned port, struct sockaddr_in *out)
{
    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    out->sin_port = htons((uint16_t)port);
    return port <= UINT16_MAX && inet_pton(AF_INET, text, &out->sin_addr) == 1;
}

static enum dbk_code refused(int error, const char *address, unsigned port,
                             struct dbk_error *err)
{
    if (error == EADDRINUSE)
        return dbk_fail(err, DBK_CONFLICT,
                        "port %u on %s is taken by another program; stop it, or choose "
                        "another port",
                        port, address);
    if (error == EACCES)
        return dbk_fail(err, DBK_INVALID,
                        "port %u may not be listened on by this user; choose one above "
                        "1023",
                        port);
    return dbk_fail(err, DBK_INVALID, "cannot listen on %s:%u: %s", address, port,
                    strerror(error));
}

enum dbk_code listen_check(const char *address, unsigned port, struct dbk_error *err)
{
    struct sockaddr_in where;
    int fd, on = 1, error = 0;

    if (!make_address(address, port, &where))
        return dbk_fail(err, DBK_INVALID,
                        "\"%s\" port %u is not a numeric IPv4 address and a port",
                        address, port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return dbk_fail(err, DBK_IO, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&where, sizeof where) != 0 || listen(fd, 1) != 0)
        error = errno;
    close(fd);
    return error == 0 ? DBK_OK : refused(error, address, port, err);
}

static void *wake(void *argument)
{
    struct listen_waker *waker = argument;
    struct sockaddr_in where;

    make_address(waker->address, waker->port, &where);
    if (where.sin_addr.s_addr == htonl(INADDR_ANY))
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (!atomic_load(&waker->done)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0) {
            (void)connect(fd, (struct sockaddr *)&where, sizeof where); /* or in time */
            close(fd);
        }
        dbk_sleep_ms(WAKE_EVERY_MS);
    }
    return NULL;
}

void listen_wake(struct listen_waker *waker, const char *address, unsigned port)
{
    waker->address = address;
    waker->port = port;
    atomic_init(&waker->done, false);
    waker->started =
        dbk_thread_start(&waker->thread, "dbk-waker", wake, waker, NULL) == DBK_OK;
}

void listen_wake_end(struct listen_waker *waker)
{
    atomic_store(&waker->done, true);
    if (waker->started)
        pthread_join(waker->thread, NULL);
}
