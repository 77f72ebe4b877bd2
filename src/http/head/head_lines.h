/* head_lines.h - what a whole head, with its empty line, is asked before it is read: it stays as
 * it came, for another thread may have to answer it. */
#ifndef DBK_HTTP_HEAD_LINES_H
#define DBK_HTTP_HEAD_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it has a header of one of these names. */
bool head_names(const char *head, size_t length, const char *const *names,
                size_t count);

/* Whether it has one Content-Length, and that says so many. */
bool head_says_length(const char *head, size_t length, size_t expected);

#endif
