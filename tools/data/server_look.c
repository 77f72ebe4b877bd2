#include "server_look.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 2

void server_look_leave(int lock, const char *address, unsigned port)
{
    char text[128];
    int length =
        port ? snprintf(text, sizeof text, "%d\n%s %u\n", (int)getpid(), address, port)
             : snprintf(text, sizeof text, "%d\n", (int)getpid());

    if (ftruncate(lock, 0) == 0)
        (void)!pwrite(lock, text, (size_t)length, 0);
}

/* The second line of serve.lock. A server that listens at every address is asked at the
 * loopback one. */
static bool find(const char *data_dir, struct sockaddr_in *at)
{
    char path[4096], text[128] = "", address[64];
    unsigned port;
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%s/serve.lock", data_dir);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0 || sscanf(text, "%*d %63s %5u", address, &port) != 2 || port > 65535)
        return false;
    *at =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &at->sin_addr) != 1)
        return false;
    if (at->sin_addr.s_addr == htonl(INADDR_ANY))
        at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return true;
}

bool server_look_at(const char *data_dir, char *host, size_t host_size, char *port,
                    size_t port_size)
{
    struct sockaddr_in at;

    if (!find(data_dir, &at) ||
        !inet_ntop(AF_INET, &at.sin_addr, host, (socklen_t)host_size))
        return false;
    snprintf(port, port_size, "%u", (unsigned)ntohs(at.sin_port));
    return true;
}

/* A server that was killed has left its address, where nobody answers now. */
static int reach(const struct sockaddr_in *at)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) == 0)
        return fd;
    close(fd);
    return -1;
}

static size_t ask(int fd, char *answer, size_t size)
{
    static const char request[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    size_t used = 0;
    ssize_t got = send(fd, request, sizeof request - 1, MSG_NOSIGNAL);

    while (got > 0 && used < size - 1) {
        got = recv(fd, answer + used, size - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    }
    answer[used] = '\0';
    return used;
}

/* The details are text of ours: no quote stands in them but escaped. */
/* The text behind a key, which can have no quote in it; "" where there is none. */
static void read_text(const char *answer, const char *key, char *out, size_t size)
{
    const char *at = strstr(answer, key);

    if (at)
        snprintf(out, size, "%.*s", (int)strcspn(at + strlen(key), "\""),
                 at + strlen(key));
}

static void read_answer(const char *answer, struct server_look *look)
{
    static const char key[] = "\"details\":\"";
    const char *details = strstr(answer, key);

    if (sscanf(answer, "HTTP/1.1 %3d", &look->status) != 1 || !details) {
        look->status = 0;
        snprintf(look->details, sizeof look->details,
                 "GET /health was not answered within %d s", PATIENCE_S);
        return;
    }
    read_text(answer, "\"state\":\"", look->state, sizeof look->state);
    read_text(answer, "\"leader\":\"", look->leader, sizeof look->leader);
    details += strlen(key);
    snprintf(look->details, sizeof look->details, "%.*s", (int)strcspn(details, "\"\\"),
             details);
}

void server_look(const char *data_dir, struct server_look *look)
{
    char answer[8192];
    struct sockaddr_in at;
    int fd;

    *look = (struct server_look){0};
    if (!find(data_dir, &at) || (fd = reach(&at)) < 0)
        return;
    look->found = true;
    ask(fd, answer, sizeof answer);
    close(fd);
    read_answer(answer, look);
}
