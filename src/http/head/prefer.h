/* prefer.h - what a client would like of an answer, by its Prefer headers (RFC 7240).
 * What is not understood is to be ignored. */
#ifndef DBK_HTTP_PREFER_H
#define DBK_HTTP_PREFER_H

#include "head.h"
#include "store/slice.h"

/* Whether there is a preference of this name, such as "wait"; *value then receives its
 * value, without quotes, "" for none. Of several the first counts. */
bool prefer_find(const struct head *head, const char *name, struct dbk_slice *value);

#endif
