/* guard.h - sees to it that no client holds a thread for longer than it should.
 *
 * civetweb gives a thread to a connection, and every single read and write a timeout of
 * its own: a client that sends or takes one byte now and then would hold its thread for
 * as long as it likes. The guard knows the socket of each connection and shuts it down
 * when its deadline has passed; the read or write that waits then fails at once. While
 * every thread has a connection, it also ends those that idle, and sees who else must
 * leave (overload.h).
 */
#ifndef DBK_HTTP_GUARD_H
#define DBK_HTTP_GUARD_H

#include "parked.h"

#include <stdbool.h>
#include <stdint.h>

struct guard;   /* safe to share between threads */
struct guarded; /* one connection; used by one thread at a time */

/* Guard the connections of so many threads, with civetweb's queue of so many behind them,
 * of which one address may keep `bound` while others wait (0: all); those that are parked
 * (NULL: none ever are) have no thread, and are none of them. NULL: out of memory, or no
 * thread. */
struct guard *guard_create(unsigned threads, unsigned queue, unsigned bound,
                           struct parked *parked);
/* Every connection must have ended. NULL is fine. */
void guard_destroy(struct guard *guard);

/* What its thread does beside, every now and then while there are connections. Set before the
 * first one comes. */
void guard_beside(struct guard *guard, void (*beside)(void *context), void *context);

/* At which port; until it is told nobody must leave for others. */
void guard_listens(struct guard *guard, int own_port);

/* A thread has taken a connection, and lets go of it. */
void guard_arrived(struct guard *guard);
void guard_left(struct guard *guard);

/* Guard a connection, from this address (text) and port, at this port of ours; civetweb
 * tells these with its first request, and not before. NULL where its socket is not found:
 * it then lives without a guard. End it before it is closed. */
struct guarded *guard_begin(struct guard *guard, const char *remote, int remote_port,
                            int own_port);
void guard_end(struct guarded *guarded); /* NULL is fine, here and below */

/* From which address it comes, as text; until it ends. */
const char *guarded_peer(const struct guarded *guarded);

/* A request begins: it must have arrived within `ms`, or reading fails. */
void guarded_reading(struct guarded *guarded, int ms);
/* What is written now must have been taken within `ms`, or writing fails. */
void guarded_writing(struct guarded *guarded, int ms);
/* No deadline: the work is ours. */
void guarded_working(struct guarded *guarded);
/* The request is answered; the connection idles until the next. */
void guarded_idle(struct guarded *guarded);
/* Whether the deadline of guarded_reading has passed. */
bool guarded_late(const struct guarded *guarded);
/* Send the end, then take and drop what the client still sends, at most for `ms`.
 * Closing a socket with unread bytes would reset it, and the client lose the answer. */
void guarded_linger(struct guarded *guarded, int ms);

/* Whether the client has gone: it has closed its end, or all of it. Then nobody waits for
 * the answer, but for a client that closes its end only to say that it sends no more. */
bool guarded_gone(const struct guarded *guarded);

/* Whether it was above the bound of its address before its first request: that should be
 * refused. */
bool guarded_refused(const struct guarded *guarded);
/* Whether this connection has had its turn: every thread has a connection, so that
 * others may wait, and this one has had its thread for a second, or is above the bound
 * of its address. */
bool guard_turn_over(const struct guard *guard, const struct guarded *guarded);

/* Whether every thread has a connection, so that others may wait. */
bool guard_full(const struct guard *guard);

/* From now on end each connection once it has idled for this long. */
void guard_drain(struct guard *guard, int idle_ms);
/* End each connection now, whatever it is doing: what waits for a client fails. */
void guard_cut(struct guard *guard);
/* Whether an answer is on its way that a client has not taken yet. */
bool guard_writes(struct guard *guard);
/* How many connections have a thread, and how many of them are guarded. */
unsigned guard_arrivals(const struct guard *guard);
unsigned guard_count(const struct guard *guard);

#endif
