/* What the thread of a connection tells its guard. */
#include "guard_private.h"
#include "store/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define TURN_MS 1000

static void begin(struct guarded *guarded, atomic_int_least64_t *deadline, int ms)
{
    int64_t now = dbk_clock_tick_ms();

    guard_set(&guarded->began, now);
    guard_set(deadline, now + ms);
}

const char *guarded_peer(const struct guarded *guarded)
{
    return guarded->peer;
}

void guarded_reading(struct guarded *guarded, int ms)
{
    if (!guarded)
        return;
    begin(guarded, &guarded->read_deadline, ms);
    guard_set(&guarded->idle_since, 0);
}

void guarded_writing(struct guarded *guarded, int ms)
{
    if (!guarded)
        return;
    begin(guarded, &guarded->write_deadline, ms);
    guard_set(&guarded->read_deadline, 0);
}

void guarded_working(struct guarded *guarded)
{
    if (!guarded)
        return;
    guard_set(&guarded->read_deadline, 0);
    guard_set(&guarded->write_deadline, 0);
}

void guarded_idle(struct guarded *guarded)
{
    if (!guarded)
        return;
    guarded_working(guarded);
    guard_set(&guarded->idle_since, dbk_clock_tick_ms());
}

bool guarded_late(const struct guarded *guarded)
{
    return guarded && guard_passed(&guarded->read_deadline, dbk_clock_tick_ms());
}

void guarded_linger(struct guarded *guarded, int ms)
{
    char dropped[4096];
    int64_t until = dbk_clock_ms() + ms;

    if (!guarded)
        return;
    shutdown(guarded->sock, SHUT_WR);
    for (int64_t left = ms; left > 0; left = until - dbk_clock_ms()) {
        struct pollfd ready = {.fd = guarded->sock, .events = POLLIN};
        if (poll(&ready, 1, (int)left) < 0 && errno != EINTR)
            return;
        if (ready.revents != 0 &&
            recv(guarded->sock, dropped, sizeof dropped, MSG_DONTWAIT) <= 0)
            return;
    }
}

bool guarded_gone(const struct guarded *guarded)
{
    struct pollfd end = {.events = POLLRDHUP};

    if (!guarded)
        return false;
    end.fd = guarded->sock;
    return poll(&end, 1, 0) > 0 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

bool guarded_refused(const struct guarded *guarded)
{
    return guarded && guarded->refused;
}

bool guard_full(const struct guard *guard)
{
    return guard_is_full(guard);
}

bool guard_turn_over(const struct guard *guard, const struct guarded *guarded)
{
    if (!guarded || !guard_is_full(guard))
        return guarded_refused(guarded);
    return atomic_load(&guarded->over) ||
           dbk_clock_tick_ms() - guarded->since >= TURN_MS;
}
