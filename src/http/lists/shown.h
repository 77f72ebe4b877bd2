/* shown.h - what an answer shows of persons and events, and how their times are written. */
#ifndef DBK_HTTP_SHOWN_H
#define DBK_HTTP_SHOWN_H

#include "request.h"
#include "response.h"

/* Read those of fields=, include= and timestamps= that the route has, before it is handled,
 * and take back what was so for another request. What is to be shown is then in
 * rq->worker->rows.shown (read_model.h). Times end with Z in the body and in the rows where
 * timestamps=rfc3339 is in the query, or in Prefer, which is then said to be applied.
 * Something bad adds to rq->fields. */
void shown_read(struct request *rq, struct response *rs);

#endif
