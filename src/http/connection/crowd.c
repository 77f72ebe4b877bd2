#include "crowd.h"

#include "peer_socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct visitor {
    int fd;
    uint32_t address;
    uint16_t port;
    bool over;    /* above the bound of its address, once and for all */
    bool leaving; /* must be ended now */
    enum crowd_state state;
    int64_t since; /* NEW: nothing of it waits to be read; READING, WRITING: it began */
};

struct crowd {
    unsigned threads, queue, bound;
    atomic_int highest;
    size_t room, count, before_count;
    struct visitor *list, *before; /* by descriptor */
    struct visitor **order;        /* by address, and those that stay first */
};

struct crowd *crowd_create(unsigned threads, unsigned queue, unsigned bound)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    if (!crowd)
        return NULL;
    crowd->threads = threads;
    crowd->queue = queue;
    crowd->bound = bound;
    /* One more is accepted and stands before a full queue; and some are being closed. */
    crowd->room = (size_t)threads * 2 + queue + 1;
    crowd->list = calloc(crowd->room, sizeof *crowd->list);
    crowd->before = calloc(crowd->room, sizeof *crowd->before);
    crowd->order = calloc(crowd->room, sizeof *crowd->order);
    if (crowd->list && crowd->before && crowd->order)
        return crowd;
    crowd_destroy(crowd);
    return NULL;
}

void crowd_destroy(struct crowd *crowd)
{
    if (!crowd)
        return;
    free(crowd->list);
    free(crowd->before);
    free(crowd->order);
    free(crowd);
}

bool crowd_waits(const struct crowd *crowd)
{
    return crowd->count > crowd->threads;
}

void crowd_forget(struct crowd *crowd)
{
    crowd->count = 0;
}

static void begin_look(struct crowd *crowd)
{
    struct visitor *list = crowd->before;

    crowd->before = crowd->list;
    crowd->before_count = crowd->count;
    crowd->list = list;
    crowd->count = 0;
}

/* *at moves along in what was seen before, as both are by descriptor. */
static const struct visitor *seen_before(const struct crowd *crowd,
                                         const struct visitor *one, size_t *at)
{
    while (*at < crowd->before_count && crowd->before[*at].fd < one->fd)
        ++*at;
    if (*at == crowd->before_count || crowd->before[*at].fd != one->fd ||
        crowd->before[*at].port != one->port ||
        crowd->before[*at].address != one->address)
        return NULL;
    return &crowd->before[*at];
}

/* One that waits for a thread has sent what it had to send, and nobody reads it. */
static bool is_quiet(int fd)
{
    int waiting = 0;

    return ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0;
}

void crowd_look(struct crowd *crowd, int own_port, int64_t now)
{
    struct peer_walk walk = {
        .own_port = own_port, .highest = &crowd->highest, .fd = -1};
    struct sockaddr_in peer;
    size_t at = 0;

    begin_look(crowd);
    while (crowd->count < crowd->room && peer_walk(&walk, &peer)) {
        struct visitor *one = &crowd->list[crowd->count++];
        const struct visitor *before;
        *one = (struct visitor){.fd = walk.fd,
                                .address = peer.sin_addr.s_addr,
                                .port = peer.sin_port,
                                .since = now};
        before = seen_before(crowd, one, &at);
        if (!before)
            continue;
        one->over = before->over;
        if (before->state == CROWD_NEW && is_quiet(one->fd))
            one->since = before->since;
    }
}

static struct visitor *find(const struct crowd *crowd, int fd)
{
    size_t low = 0, high = crowd->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (crowd->list[middle].fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return low < crowd->count && crowd->list[low].fd == fd ? &crowd->list[low] : NULL;
}

void crowd_tell(struct crowd *crowd, int fd, enum crowd_state state, int64_t since)
{
    struct visitor *one = find(crowd, fd);

    if (!one)
        return;
    one->state = state;
    one->since = since;
}

bool crowd_is_over(const struct crowd *crowd, int fd, uint16_t port)
{
    const struct visitor *one = find(crowd, fd);

    return one && one->port == port && one->over;
}

/* Of one address: those over the bound before stay so, and newcomers come last. */
static int rank(const struct visitor *one)
{
    return one->over * 2 + (one->state == CROWD_NEW);
}

static int compare(const void *a, const void *b)
{
    const struct visitor *one = *(struct visitor *const *)a;
    const struct visitor *other = *(struct visitor *const *)b;

    if (one->address != other->address)
        return one->address < other->address ? -1 : 1;
    if (rank(one) != rank(other))
        return rank(one) - rank(other);
    return one->fd - other->fd;
}

static size_t sort(struct crowd *crowd)
{
    size_t newcomers = 0;

    for (size_t i = 0; i < crowd->count; i++) {
        crowd->order[i] = &crowd->list[i];
        newcomers += crowd->list[i].state == CROWD_NEW;
    }
    qsort(crowd->order, crowd->count, sizeof *crowd->order, compare);
    return newcomers;
}

/* A request under way is left alone for a while, and our own work to its end. */
static bool must_leave(const struct visitor *one, int64_t now)
{
    switch (one->state) {
    case CROWD_NEW:
        return one->over || now - one->since >= CROWD_QUIET_MS;
    case CROWD_IDLE:
        return one->over;
    case CROWD_READING:
    case CROWD_WRITING:
        return one->over && now - one->since >= CROWD_BUSY_MS;
    case CROWD_WORKING:
        return false;
    }
    return false;
}

/* The visitors of one address, of all the newcomers that there are. */
static void bound_address(const struct crowd *crowd, struct visitor **own, size_t count,
                          size_t newcomers)
{
    size_t own_newcomers = 0;
    bool full = crowd->count >= (size_t)crowd->threads + crowd->queue;

    for (size_t i = 0; i < count; i++)
        own_newcomers += own[i]->state == CROWD_NEW;
    if (newcomers == own_newcomers && !full)
        return;
    for (size_t i = crowd->bound; i < count; i++)
        own[i]->over = true;
}

static void bound_addresses(struct crowd *crowd)
{
    size_t newcomers = sort(crowd), end;

    for (size_t i = 0; i < crowd->count; i = end) {
        for (end = i + 1; end < crowd->count &&
                          crowd->order[end]->address == crowd->order[i]->address;)
            end++;
        bound_address(crowd, crowd->order + i, end - i, newcomers);
    }
}

void crowd_decide(struct crowd *crowd, int64_t now)
{
    if (!crowd_waits(crowd))
        return;
    if (crowd->bound > 0)
        bound_addresses(crowd);
    for (size_t i = 0; i < crowd->count; i++)
        crowd->list[i].leaving = must_leave(&crowd->list[i], now);
}

/* Its thread may close it at any time, and the descriptor then be another's: so look at
 * whom a duplicate is connected to, which stays what it is. It comes behind the one that
 * peer_socket must find. */
static void end(const struct visitor *one, int own_port)
{
    int fd = fcntl(one->fd, F_DUPFD_CLOEXEC, one->fd + 1);
    struct sockaddr_in peer;

    if (fd < 0)
        return;
    if (peer_address(fd, own_port, &peer) && peer.sin_port == one->port &&
        peer.sin_addr.s_addr == one->address)
        shutdown(fd, one->state == CROWD_WRITING ? SHUT_RDWR : SHUT_RD);
    close(fd);
}

void crowd_end(const struct crowd *crowd, int own_port)
{
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->list[i].leaving)
            end(&crowd->list[i], own_port);
    }
}
