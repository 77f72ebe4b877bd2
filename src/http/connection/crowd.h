/* crowd.h - who is at the door while every thread has a connection, and who must leave.
 *
 * civetweb tells of a connection with its first request. Of those it has not read yet,
 * and of those in its queue, it tells nothing; but each is a socket of this process, so
 * the crowd finds them all. It knows no threads and no locks: the guard (guard.h), which
 * has it, sees to that.
 *
 * While some wait, two kinds must leave: newcomers that send nothing; and what one
 * address has above its bound, newcomers first, where those who wait come from another
 * address, or may, as the queue is full. So an address that all come from (a proxy's)
 * has the whole server while nobody else wants it.
 */
#ifndef DBK_HTTP_CROWD_H
#define DBK_HTTP_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#define CROWD_QUIET_MS 1000 /* how long a newcomer may send nothing */
#define CROWD_BUSY_MS 1000  /* how long a request above the bound may come or go */

struct crowd;

/* Of so many threads, with a queue of so many behind them, of which one address may keep
 * `bound` (0: all). NULL: out of memory. */
struct crowd *crowd_create(unsigned threads, unsigned queue, unsigned bound);
void crowd_destroy(struct crowd *crowd); /* NULL is fine */

/* Look who is there. Those that were there the last time keep their history. */
void crowd_look(struct crowd *crowd, int own_port, int64_t now);
/* Whether more were there than there are threads, so that some must have waited. */
bool crowd_waits(const struct crowd *crowd);
/* Nobody: there is no crowd any more. */
void crowd_forget(struct crowd *crowd);

enum crowd_state {
    CROWD_NEW,     /* it waits, or its first request is being read */
    CROWD_IDLE,    /* between requests */
    CROWD_READING, /* a request comes, since when */
    CROWD_WRITING, /* an answer goes, since when */
    CROWD_WORKING, /* neither */
};
/* What is known of one of them; all others are new. Of IDLE and WORKING, since does not
 * matter. */
void crowd_tell(struct crowd *crowd, int fd, enum crowd_state state, int64_t since);

/* Decide who must leave; then end them, without waiting for them. What has arrived of a
 * request before can still be read. */
void crowd_decide(struct crowd *crowd, int64_t now);
void crowd_end(const struct crowd *crowd, int own_port);

/* Whether this one (port as in sockaddr_in) was found above the bound of its address:
 * its request should be refused, and its connection closed. */
bool crowd_is_over(const struct crowd *crowd, int fd, uint16_t port);

#endif
