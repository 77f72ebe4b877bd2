/* gone.h - erased is told from deleted: 410 instead of 404, wherever a path names a person who
 * was erased, or an event of one. */
#ifndef DBK_HTTP_GONE_H
#define DBK_HTTP_GONE_H

#include "request.h"

/* The status of a handler's failure: rq->failure, or 410 where err says that there is nothing,
 * and the log that what the path names was erased; then err says that. Uses the worker's
 * batch. Whatever the log cannot tell leaves the failure as it is. */
int gone_status(const struct request *rq, struct dbk_error *err);

#endif
