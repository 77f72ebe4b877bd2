/* tap.h - what follows a request's head on its connection, before civetweb reads it.
 *
 * civetweb reads as much as there is behind a head, and undoes chunked encoding itself:
 * version 1.15 refuses chunk extensions, 1.16 drops whatever they are, and neither shows
 * the bytes. So its calls of recv and poll are answered here, in the threads that serve
 * connections: a head is given to it with nothing behind, and what came with it is kept
 * until somebody reads on, which for a chunked body are we (chunks.h). To civetweb that is
 * the same bytes in other pieces. All state is the thread's; a thread has one connection at
 * a time. Where the calls do not come here, tap_is_at_body says so.
 */
#ifndef DBK_HTTP_TAP_H
#define DBK_HTTP_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* This thread serves connections; before it ends, tap_finish. */
void tap_start(void);
void tap_finish(void);

/* A connection begins or ends: whatever was kept of one is none of its. */
void tap_clear(void);

/* A request is being answered, or has been: what is read in between is no head. */
void tap_inside(bool inside);

/* In the head that civetweb read last, or before it, a line ended with LF alone, or a CR
 * stood alone. civetweb takes lines that end so, and two of them for the end of the head:
 * others may not. False where it is not known. */
bool tap_is_unclear(void);

/* civetweb has nothing of what stands behind the head it read last. */
bool tap_is_at_body(void);

/* Read on, waiting at most ms. Returns how many bytes, 0 where none came in time, -1 at
 * the end of the connection. */
ssize_t tap_read(char *out, size_t size, int ms);

/* What civetweb reads next, before all else; static. */
void tap_feed(const char *text);

#endif
