#include "overload.h"

#include "peer_socket.h"

#include <assert.h>
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
    enum overload_state state;
    int64_t since; /* NEW: nothing of it waits to be read; READING, WRITING: it began */
};

struct overload {
    unsigned threads, queue, bound;
    atomic_int highest;
    struct parked *parked; /* not its own; or NULL */
    size_t room, count, before_count;
    struct visitor *list, *before; /* by descriptor */
    struct visitor **order;        /* by address, and those that stay first */
};

struct overload *overload_create(unsigned threads, unsigned queue, unsigned bound,
                                 struct parked *parked)
{
    struct overload *overload = calloc(1, sizeof *overload);

    if (!overload)
        return NULL;
    overload->threads = threads;
    overload->queue = queue;
    overload->bound = bound;
    overload->parked = parked;
    /* One more is accepted and stands before a full queue; and some are being closed. */
    overload->room = (size_t)threads * 2 + queue + 1;
    overload->list = calloc(overload->room, sizeof *overload->list);
    overload->before = calloc(overload->room, sizeof *overload->before);
    overload->order = calloc(overload->room, sizeof *overload->order);
    if (overload->list && overload->before && overload->order)
        return overload;
    overload_destroy(overload);
    return NULL;
}

void overload_destroy(struct overload *overload)
{
    if (!overload)
        return;
    free(overload->list);
    free(overload->before);
    free(overload->order);
    free(overload);
}

bool overload_waits(const struct overload *overload)
{
    return overload->count > overload->threads;
}

void overload_forget(struct overload *overload)
{
    overload->count = 0;
}

static void begin_look(struct overload *overload)
{
    struct visitor *list = overload->before;

    overload->before = overload->list;
    overload->before_count = overload->count;
    overload->list = list;
    overload->count = 0;
}

/* *at moves along in what was seen before, as both are by descriptor. */
static const struct visitor *seen_before(const struct overload *overload,
                                         const struct visitor *one, size_t *at)
{
    while (*at < overload->before_count && overload->before[*at].fd < one->fd)
        ++*at;
    if (*at == overload->before_count || overload->before[*at].fd != one->fd ||
        overload->before[*at].port != one->port ||
        overload->before[*at].address != one->address)
        return NULL;
    return &overload->before[*at];
}

/* One that waits for a thread has sent what it had to send, and nobody reads it. */
static bool is_quiet(int fd)
{
    int waiting = 0;

    return ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0;
}

void overload_look(struct overload *overload, int own_port, int64_t now)
{
    struct peer_walk walk = {.own_port = own_port,
                             .highest = &overload->highest,
                             .parked = overload->parked,
                             .fd = -1};
    struct sockaddr_in peer;
    size_t at = 0;

    begin_look(overload);
    while (overload->count < overload->room && peer_walk(&walk, &peer)) {
        struct visitor *one = &overload->list[overload->count++];
        const struct visitor *before;
        *one = (struct visitor){.fd = walk.fd,
                                .address = peer.sin_addr.s_addr,
                                .port = peer.sin_port,
                                .since = now};
        assert(overload->count == 1 || one[-1].fd < one->fd); /* find() halves them */
        before = seen_before(overload, one, &at);
        if (!before)
            continue;
        one->over = before->over;
        if (before->state == OVERLOAD_NEW && is_quiet(one->fd))
            one->since = before->since;
    }
}

static struct visitor *find(const struct overload *overload, int fd)
{
    size_t low = 0, high = overload->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (overload->list[middle].fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return low < overload->count && overload->list[low].fd == fd ? &overload->list[low]
                                                                 : NULL;
}

void overload_tell(struct overload *overload, int fd, enum overload_state state,
                   int64_t since)
{
    struct visitor *one = find(overload, fd);

    if (!one)
        return;
    one->state = state;
    one->since = since;
}

bool overload_is_over(const struct overload *overload, int fd, uint16_t port)
{
    const struct visitor *one = find(overload, fd);

    return one && one->port == port && one->over;
}

/* Of one address: those over the bound before stay so, and newcomers come last. */
static int rank(const struct visitor *one)
{
    return one->over * 2 + (one->state == OVERLOAD_NEW);
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

static size_t sort(struct overload *overload)
{
    size_t newcomers = 0;

    assert(overload->count <= overload->room);
    for (size_t i = 0; i < overload->count; i++) {
        overload->order[i] = &overload->list[i];
        newcomers += overload->list[i].state == OVERLOAD_NEW;
    }
    qsort(overload->order, overload->count, sizeof *overload->order, compare);
    return newcomers;
}

/* A request under way is left alone for a while, and our own work to its end. */
static bool must_leave(const struct visitor *one, int64_t now)
{
    switch (one->state) {
    case OVERLOAD_NEW:
        return one->over || now - one->since >= OVERLOAD_QUIET_MS;
    case OVERLOAD_IDLE:
        return one->over;
    case OVERLOAD_READING:
    case OVERLOAD_WRITING:
        return one->over && now - one->since >= OVERLOAD_BUSY_MS;
    case OVERLOAD_WORKING:
        return false;
    }
    return false;
}

/* The visitors of one address, of all the newcomers that there are. */
static void bound_address(const struct overload *overload, struct visitor **own,
                          size_t count, size_t newcomers)
{
    size_t own_newcomers = 0;
    bool full = overload->count >= (size_t)overload->threads + overload->queue;

    for (size_t i = 0; i < count; i++)
        own_newcomers += own[i]->state == OVERLOAD_NEW;
    if (newcomers == own_newcomers && !full)
        return;
    for (size_t i = overload->bound; i < count; i++)
        own[i]->over = true;
}

static void bound_addresses(struct overload *overload)
{
    size_t newcomers = sort(overload), end;

    for (size_t i = 0; i < overload->count; i = end) {
        for (end = i + 1; end < overload->count &&
                          overload->order[end]->address == overload->order[i]->address;)
            end++;
        bound_address(overload, overload->order + i, end - i, newcomers);
    }
}

void overload_decide(struct overload *overload, int64_t now)
{
    if (!overload_waits(overload))
        return;
    if (overload->bound > 0)
        bound_addresses(overload);
    for (size_t i = 0; i < overload->count; i++)
        overload->list[i].leaving = must_leave(&overload->list[i], now);
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
        shutdown(fd, one->state == OVERLOAD_WRITING ? SHUT_RDWR : SHUT_RD);
    close(fd);
}

void overload_end(const struct overload *overload, int own_port)
{
    for (size_t i = 0; i < overload->count; i++) {
        if (overload->list[i].leaving)
            end(&overload->list[i], own_port);
    }
}
