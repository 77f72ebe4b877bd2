/* probe - one client with one connection, which tells how long things take.
 *
 *   probe post PORT SECONDS BODY   POST /events, one after the other: sent to answered
 *   probe read PORT SECONDS BODY   POST /events, then read a list of its person, which
 *                                  waits for it: answered to answered
 *
 * Prints one JSON object of percentiles. wrk corrects its latencies for what it takes for
 * its own delay, and Python is slower than what is measured: hence a client of our own.
 */
#include "latency.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 30 /* seconds until what was written must be read */

struct client {
    int fd;
    char answer[65536]; /* head and body, NUL-terminated */
};

static void give_up(const char *why, const char *detail)
{
    fprintf(stderr, "probe: %s: %s\n", why, detail);
    exit(1);
}

static void connect_to(struct client *client, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&at, sizeof at) != 0)
        give_up("connect", "refused");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Whether the answer is whole. */
static bool complete(const char *answer, size_t length)
{
    const char *body = strstr(answer, "\r\n\r\n");
    const char *field = strcasestr(answer, "\r\nContent-Length:");

    return body && field &&
           length >= (size_t)(body + 4 - answer) + strtoul(field + 17, NULL, 10);
}

/* Send the request, and return the status of its answer. */
static int ask(struct client *client, const char *request, size_t length)
{
    size_t used = 0;

    if (send(client->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        give_up("send", "cut off");
    do {
        ssize_t n = recv(client->fd, client->answer + used,
                         sizeof client->answer - 1 - used, 0);
        if (n <= 0)
            give_up("receive", "cut off");
        used += (size_t)n;
        client->answer[used] = '\0';
    } while (!complete(client->answer, used));
    return atoi(client->answer + sizeof "HTTP/1.1");
}

static unsigned long long number_after(const struct client *client, const char *what)
{
    const char *found = strcasestr(client->answer, what);

    if (!found)
        give_up("no such thing in the answer", what);
    return strtoull(found + strlen(what), NULL, 10);
}

static void post(struct client *client, const char *request)
{
    if (ask(client, request, strlen(request)) != 201)
        give_up("POST /events", client->answer);
}

/* The newest event of whom the body names. */
static void make_list(const char *body, char *out, size_t size)
{
    static const char key[] = "\"person_id\":\"";
    const char *person = strstr(body, key);

    if (!person)
        give_up("no person in", body);
    snprintf(out, size,
             "GET /events?limit=1&person_id=%.36s HTTP/1.1\r\nHost: localhost\r\n\r\n",
             person + sizeof key - 1);
}

/* Again where it waited in vain, for as long as a read waits. */
static void read_list(struct client *client, const char *list,
                      unsigned long long sequence)
{
    double until = latency_now() + PATIENCE;

    do {
        if (ask(client, list, strlen(list)) != 200)
            give_up("GET /events", client->answer);
        if (latency_now() > until)
            give_up("the list has not", "what was written");
    } while (number_after(client, "Daybook-Projected-Sequence:") < sequence);
}

static void run(const char *mode, int port, double seconds, const char *body)
{
    bool list = !strcmp(mode, "read");
    static struct client client;
    char request[8192], list_request[256];
    struct latency latency = {0};
    double start = latency_now(), at = start;

    snprintf(
        request, sizeof request,
        "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        strlen(body), body);
    if (list)
        make_list(body, list_request, sizeof list_request);
    connect_to(&client, port);
    while (at < start + seconds) {
        at = latency_now();
        post(&client, request);
        if (list) {
            unsigned long long sequence = number_after(&client, "Daybook-Sequence:");

            at = latency_now();
            read_list(&client, list_request, sequence);
        }
        latency_add(&latency, latency_now() - at);
        at = latency_now();
    }
    latency_print(&latency, stdout);
    latency_finish(&latency);
    close(client.fd);
}

int main(int argc, char **argv)
{
    if (argc != 5 || (strcmp(argv[1], "post") != 0 && strcmp(argv[1], "read") != 0)) {
        fputs("usage: probe post|read PORT SECONDS BODY\n", stderr);
        return 2;
    }
    run(argv[1], atoi(argv[2]), strtod(argv[3], NULL), argv[4]);
    return 0;
}
