/* status.h - which HTTP status a failure is, and what a client may be told of it. */
#ifndef DBK_HTTP_STATUS_H
#define DBK_HTTP_STATUS_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

int status_of(enum dbk_code code);

/* The HTTP reason phrase. Static. */
const char *status_reason(int status);

/* The place of a status in the list of those that are answered, below DBK_METRIC_STATUSES,
 * and the other way. 0, a client that went away, is the first; any other is the last. */
size_t status_place(int status);
int status_at(size_t place);

/* A sentence for failures whose own text is for operators only (it may name hosts and
 * files); NULL where the text itself is for the client. Static. */
const char *status_sentence(enum dbk_code code);

/* Whether the client should come again soon: the answer gets a Retry-After. */
bool status_passes(int status);

#endif
