/* traceparent.h - of which trace a request is: the header traceparent of W3C Trace Context
 * (https://www.w3.org/TR/trace-context/, sections 3.2 and 4.3). */
#ifndef DBK_HTTP_TRACEPARENT_H
#define DBK_HTTP_TRACEPARENT_H

#include "head.h"

#define TRACEPARENT_TEXT 55 /* "00-", 32 digits, "-", 16 digits, "-", 2 digits */
#define TRACE_ID_TEXT 32

/* The header's value; of a version to come, which may have more behind it, the part that
 * this one knows. "" where there is none, or more than one, or one that is malformed: a
 * trace is lost then, and nothing else. */
void traceparent_read(const struct head *head, char out[TRACEPARENT_TEXT + 1]);

/* The trace id in what that gave; "" for "". */
void traceparent_trace_id(const char *traceparent, char out[TRACE_ID_TEXT + 1]);

#endif
