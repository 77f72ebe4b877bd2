#include "leader_ask.h"

#include "server_look.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* A hand-over that does not come about is told within 15 s. */
enum { PATIENCE_S = 20, ANSWER_BYTES = 16384 };

struct place {
    char host[256], port[8];
};

/* http://host[:port], as CLUSTER_URL may be. */
static bool read_url(const char *url, struct place *out)
{
    static const char scheme[] = "http://";
    const char *host = url + sizeof scheme - 1, *colon;
    size_t length;

    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    length = strlen(host);
    colon = memrchr(host, ':', length);
    if (colon && strchr(colon, ']'))
        colon = NULL;
    if (colon)
        length = (size_t)(colon - host);
    if (*host == '[' && length > 2) {
        host++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof out->host ||
        (colon && strlen(colon + 1) >= sizeof out->port))
        return false;
    memcpy(out->host, host, length);
    out->host[length] = '\0';
    snprintf(out->port, sizeof out->port, "%s", colon ? colon + 1 : "80");
    return true;
}

static enum dbk_code find_place(const char *data_dir, const char *own,
                                const struct dbk_replica_members *members,
                                struct place *out, struct dbk_error *err)
{
    const char *leader = members->leader, *url = members->leader_url;

    if (!strcmp(leader, own) && server_look_at(data_dir, out->host, sizeof out->host,
                                               out->port, sizeof out->port))
        return DBK_OK;
    if (read_url(url, out))
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "%s leads, and is reached at %.200s: run this on it, or POST "
                    "{\"node\":\"...\"} to %.200s/admin/cluster/hand-over",
                    leader, url, url);
}

static int reach_one(const struct addrinfo *at)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    close(fd);
    return -1;
}

static enum dbk_code reach(const struct place *place, int *fd, struct dbk_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(place->host, place->port, &hints, &list);

    *fd = -1;
    errno = 0;
    for (const struct addrinfo *at = list; at && *fd < 0; at = at->ai_next)
        *fd = reach_one(at);
    if (list)
        freeaddrinfo(list);
    if (*fd >= 0)
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE, "the leader at %s:%s does not answer: %s",
                    place->host, place->port,
                    rc != 0 ? gai_strerror(rc) : strerror(errno));
}

static bool send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* What could end the header is in no token. */
static bool token_line(char *out, size_t size, struct dbk_error *err)
{
    const char *token = getenv("DAYBOOK_TOKEN");

    *out = '\0';
    if (!token || !*token)
        return true;
    if (strlen(token) > 128 || token[strcspn(token, "\r\n")]) {
        dbk_fail(err, DBK_INVALID, "DAYBOOK_TOKEN is no token");
        return false;
    }
    snprintf(out, size, "Authorization: Bearer %s\r\n", token);
    return true;
}

static enum dbk_code ask(int fd, const struct place *place, const char *node,
                         char answer[ANSWER_BYTES], struct dbk_error *err)
{
    char body[DBK_REPLICA_NAME_MAX + 32], token[256], request[1024];
    size_t used = 0;
    ssize_t got = 1;
    int length;

    if (!token_line(token, sizeof token, err))
        return err->code;
    snprintf(body, sizeof body, "{\"node\":\"%s\"}", node);
    length = snprintf(request, sizeof request,
                      "POST /admin/cluster/hand-over HTTP/1.1\r\nHost: %s:%s\r\n"
                      "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                      "%sConnection: close\r\n\r\n%s",
                      place->host, place->port, strlen(body), token, body);
    if (send_all(fd, request, (size_t)length)) {
        while (got > 0 && used < ANSWER_BYTES - 1) {
            got = recv(fd, answer + used, ANSWER_BYTES - 1 - used, 0);
            used += got > 0 ? (size_t)got : 0;
        }
    }
    explicit_bzero(request, sizeof request);
    explicit_bzero(token, sizeof token);
    answer[used] = '\0';
    if (used > 0)
        return DBK_OK;
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "the leader has not answered within %d s: daybook cluster status "
                    "tells who leads",
                    PATIENCE_S);
}

/* The string behind a key, of which nothing but quotes and backslashes is escaped. */
static void read_string(const char *answer, const char *key, char *out, size_t size)
{
    const char *at = strstr(answer, key);
    size_t used = 0;

    if (at)
        at += strlen(key);
    for (; at && *at && *at != '"' && used + 1 < size; at++) {
        at += *at == '\\' && at[1];
        out[used++] = *at;
    }
    out[used] = '\0';
}

static enum dbk_code judge(const char *answer, struct dbk_error *err)
{
    char details[400];
    int status = 0;

    if (sscanf(answer, "HTTP/1.1 %3d", &status) == 1 && status == 200)
        return DBK_OK;
    if (status == 401 || status == 403)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the leader asks for a token with the scope admin: put one into "
            "the environment, as DAYBOOK_TOKEN");
    read_string(answer, "\"details\":\"", details, sizeof details);
    return dbk_fail(err, status == 404 || status == 400 ? DBK_INVALID : DBK_UNSUPPORTED,
                    "the leader has answered %d: %s", status, details);
}

enum dbk_code leader_ask_hand_over(const char *data_dir, const char *own,
                                   const struct dbk_replica_members *members,
                                   const char *node, struct dbk_error *err)
{
    char *answer;
    struct place place;
    enum dbk_code code;
    int fd;

    if (!*members->leader)
        return dbk_fail(err, DBK_UNAVAILABLE, "nobody leads now");
    if (find_place(data_dir, own, members, &place, err) != DBK_OK ||
        reach(&place, &fd, err) != DBK_OK)
        return err->code;
    answer = malloc(ANSWER_BYTES);
    code = answer ? ask(fd, &place, node, answer, err)
                  : dbk_fail(err, DBK_NO_MEMORY, "ask the leader: out of memory");
    close(fd);
    if (code == DBK_OK)
        code = judge(answer, err);
    free(answer);
    return code;
}
