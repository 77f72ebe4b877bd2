/* fake_connection.h - a connection without a socket: the request comes from a text, the
 * answer goes to memory.
 *
 * It stands in for the functions of civetweb and of tap.h that dispatch() calls (linked
 * with --wrap=...), so one program has one at a time.
 */
#ifndef DBK_TESTS_FAKE_CONNECTION_H
#define DBK_TESTS_FAKE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

struct mg_connection;

/* Take the text for a request: a line "METHOD TARGET", with " HTTP/1.0" behind it if it
 * is one of those; header lines; an empty line; the body. Lines end with LF, and CR is put
 * before it. The value "auto" of a header is the length of the body. Borrows text until
 * the next call. */
struct mg_connection *fake_connection(const char *text, size_t size);

/* All that was written since, with a NUL behind it. Owned by the connection. */
const char *fake_answer(size_t *length);

/* Whether it was told to end with this answer. */
bool fake_ends(void);

/* Free what it holds. */
void fake_connection_finish(void);

#endif
