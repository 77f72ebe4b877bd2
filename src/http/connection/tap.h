/* tap.h - the bytes of a connection, read by us instead of civetweb.
 *
 * civetweb reads requests in a way of its own: it refuses what RFC 9112 allows (a TAB in a
 * value, `OPTIONS *`), takes what others may read otherwise, and answers such in words of
 * its own, or not at all. So its calls of recv and poll are answered here, in the threads
 * that serve connections: to it each request is a "GET /" without a body, whatever it
 * is. Its head (head/head.h) and body are ours to read. All state is the thread's; a
 * thread has one connection at a time.
 */
#ifndef DBK_HTTP_TAP_H
#define DBK_HTTP_TAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TAP_HEAD_MAX 16384 /* bytes of a head, with its empty line */

struct guarded;
struct reactor_seat;

/* To whom a connection is lent (reactor.h): to those who answer what takes no waiting, or
 * what is read ahead, what is written together. */
enum tap_lent_to { TAP_TO_QUICK, TAP_TO_AHEAD, TAP_TO_WRITES, TAP_SEATS };

/* This thread serves connections; before it ends, tap_finish. A head must have arrived
 * head_ms after its first byte, and at once when *stopping. seats: its seats there, each may
 * be NULL, which tap_finish gives back. */
void tap_start(int head_ms, const atomic_bool *stopping,
               struct reactor_seat *const seats[TAP_SEATS]);
void tap_finish(void);

/* A connection begins, or ends: whatever was kept of one is none of the next. */
void tap_open(void);
void tap_close(void);

/* A request is being answered, or has been: civetweb then asks for the next head, and what was
 * read of that request is wiped. */
void tap_inside(bool inside);

/* Lend the connection until its next request has come, where this thread has a seat there, and
 * the request before was to be lent there, too, or there was none: where they take turns, who
 * leads could only leave the next one. TAP_SEATS: to nobody. */
void tap_lend(struct guarded *guarded, enum tap_lent_to to);

/* For who answers another's: receive what has come on a connection that is lent. */
enum tap_lent {
    TAP_LENT_NOTHING,
    TAP_LENT_WHOLE, /* one head: as tap_inside(true) has it */
    TAP_LENT_LEFT, /* more or less than that, or the end: it is left to its own thread */
};
enum tap_lent tap_lent(struct reactor_seat *seat);
/* The same, but for the bytes of one body that may be behind the head, of so many: they are
 * there to be read. No body is longer than a buffer. */
enum tap_lent tap_lent_with_body(struct reactor_seat *seat, size_t *body);
/* What that head points into stays the caller's, to be wiped, too, who gives other memory
 * instead, by tap_memory. */
char *tap_lent_keep(char *memory);
char *tap_memory(void); /* the caller's to free; NULL: out of memory */
/* That head is answered, or kept by the caller, who brings it again, to answer or leave it; or
 * it is left to its own thread. */
void tap_lent_end(void);
void tap_lent_again(const char *head, size_t length);
void tap_lent_leave(struct reactor_seat *seat);

enum tap_head {
    TAP_NONE,     /* civetweb's calls do not come here */
    TAP_WHOLE,    /* up to its empty line */
    TAP_TOO_LONG, /* longer than TAP_HEAD_MAX */
    TAP_BROKEN, /* the last byte belongs in no head: a control character, or a CR or LF
                     without the other, which some take for the end of a line */
    TAP_LATE,   /* it did not arrive in time */
    TAP_CUT,    /* the connection ended in it */
};

/* The head of the request that is being answered, or what there is of it. The caller may
 * write into it; it stays until the request is answered. */
enum tap_head tap_head(char **text, size_t *length);

/* Read on behind the head, waiting at most ms. Returns how many bytes, 0 where none came
 * in time, -1 at the end of the connection. */
ssize_t tap_read(char *out, size_t size, int ms);
/* Whether all that was read behind it had come with it. */
bool tap_came_whole(void);

/* Take the connection over from civetweb, within a request: a descriptor of it that is the
 * caller's to close, or -1 (errno). What civetweb does when the request is answered closes
 * its own descriptor only, and the connection lives on: it must be told not to keep it, and
 * guard.h to forget it. What had arrived behind the request is dropped. Its descriptor may
 * be made blocking at any time: say MSG_DONTWAIT. */
int tap_take_over(void);

#endif
