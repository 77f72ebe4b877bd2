/* quick.h - which requests take no waiting: not for PostgreSQL, the disk's writes or another
 * machine. So a thread may answer one after the other for others (reactor.h). */
#ifndef DBK_HTTP_QUICK_H
#define DBK_HTTP_QUICK_H

#include <stdbool.h>
#include <stddef.h>

struct worker;

/* Whether a whole head, with its empty line, is of such a request. */
bool quick_is(const char *head, size_t length);

/* Whether the request that the worker has just answered was one, and was indeed quick: the
 * log of a machine that has little memory must be read from disk. */
bool quick_was(const struct worker *worker);

#endif
