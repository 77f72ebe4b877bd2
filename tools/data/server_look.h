/* server_look.h - what a running server says of itself, for those who look from beside. */
#ifndef DBK_TOOLS_SERVER_LOOK_H
#define DBK_TOOLS_SERVER_LOOK_H

#include <stdbool.h>
#include <stddef.h>

/* Note in serve.lock, whose descriptor it is, where the server can be asked; port 0: not any
 * more. Where it cannot be noted, nobody asks: that is no reason not to serve. */
void server_look_leave(int lock, const char *address, unsigned port);

struct server_look {
    bool found;        /* one answers there, or holds the connection */
    int status;        /* of GET /health; 0: it did not answer in time */
    char details[512]; /* its words, or why there are none */
    /* Of a member of a cluster: what it does there, as "leads", and who leads; else "". */
    char state[16], leader[80];
};

/* Ask the server of this data directory, if one runs, how it is. Takes 2 s at most. */
void server_look(const char *data_dir, struct server_look *look);

/* Where the server of this data directory listens, or listened when it was killed. False:
 * none does. */
bool server_look_at(const char *data_dir, char *host, size_t host_size, char *port,
                    size_t port_size);

#endif
