/* request_count.h - requests by the route that they were for, and how they ended.
 *
 * Labels are bounded, whatever clients send: a route is its pattern, and what is for none
 * (an unknown path, another method, OPTIONS, a head that cannot be read) is `other`. HEAD
 * counts as GET. */
#ifndef DBK_HTTP_REQUEST_COUNT_H
#define DBK_HTTP_REQUEST_COUNT_H

#include "request.h"
#include "response.h"

/* Count a request that was answered, in so many microseconds. */
void request_count(const struct request *rq, const struct response *rs,
                   int64_t took_us);

/* The labels of a series, as request_count numbers them. */
#define REQUEST_COUNT_LABELS 160
void request_count_route(size_t series, char labels[REQUEST_COUNT_LABELS]);
void request_count_status(size_t series, char labels[REQUEST_COUNT_LABELS]);

#endif
