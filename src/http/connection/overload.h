/* overload.h - who is at the door while every thread has a connection, and who must leave.
 *
 * civetweb tells of a connection with its first request. Of those it has not read yet,
 * and of those in its queue, it tells nothing; but each is a socket of this process, so
 * all are found. It knows no threads and no locks: the guard (guard.h), which
 * has it, sees to that.
 *
 * While some wait, two kinds must leave: newcomers that send nothing; and what one
 * address has above its bound, newcomers first, where those who wait come from another
 * address, or may, as the queue is full. So an address that all come from (a proxy's)
 * has the whole server while nobody else wants it.
 */
#ifndef DBK_HTTP_OVERLOAD_H
#define DBK_HTTP_OVERLOAD_H

#include "parked.h"

#include <stdbool.h>
#include <stdint.h>

#define OVERLOAD_QUIET_MS 1000 /* how long a newcomer may send nothing */
#define OVERLOAD_BUSY_MS 1000  /* how long a request above the bound may come or go */

struct overload;

/* Of so many threads, with a queue of so many behind them, of which one address may keep
 * `bound` (0: all). Those that are parked wait for no thread and are passed over; borrowed,
 * NULL: there are none. NULL: out of memory. */
struct overload *overload_create(unsigned threads, unsigned queue, unsigned bound,
                                 struct parked *parked);
void overload_destroy(struct overload *overload); /* NULL is fine */

/* Look who is there. Those that were there the last time keep their history. */
void overload_look(struct overload *overload, int own_port, int64_t now);
/* Whether more were there than there are threads, so that some must have waited. */
bool overload_waits(const struct overload *overload);
/* Nobody: there is no overload any more. */
void overload_forget(struct overload *overload);

enum overload_state {
    OVERLOAD_NEW,     /* it waits, or its first request is being read */
    OVERLOAD_IDLE,    /* between requests */
    OVERLOAD_READING, /* a request comes, since when */
    OVERLOAD_WRITING, /* an answer goes, since when */
    OVERLOAD_WORKING, /* neither */
};
/* What is known of one of them; all others are new. Of IDLE and WORKING, since does not
 * matter. */
void overload_tell(struct overload *overload, int fd, enum overload_state state,
                   int64_t since);

/* Decide who must leave; then end them, without waiting for them. What has arrived of a
 * request before can still be read. */
void overload_decide(struct overload *overload, int64_t now);
void overload_end(const struct overload *overload, int own_port);

/* Whether this one (port as in sockaddr_in) was found above the bound of its address:
 * its request should be refused, and its connection closed. */
bool overload_is_over(const struct overload *overload, int fd, uint16_t port);

#endif
