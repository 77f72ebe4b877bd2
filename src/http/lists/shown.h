/* shown.h - what an answer shows of persons and events, and how their times are written. */
#ifndef DBK_HTTP_SHOWN_H
#define DBK_HTTP_SHOWN_H

#include "request.h"
#include "response.h"

/* What fields= and include= ask for, of enum dbk_show (model_json.h); 0: neither is there.
 * Something bad adds to rq->fields. */
unsigned shown_of_events(struct request *rq);
unsigned shown_of_persons(struct request *rq);

/* Write all times of the answer as RFC 3339 has them where timestamps=rfc3339 is in the
 * query, or in Prefer, which is then said to be applied; and take back what was so for
 * another request. For routes that have the parameter, before they are handled. */
void shown_times(struct request *rq, struct response *rs);

#endif
