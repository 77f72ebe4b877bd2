/* logged.h - reads single records back from the log. */
#ifndef DBK_HTTP_LOGGED_H
#define DBK_HTTP_LOGGED_H

#include "request.h"

/* The records from `sequence` on, count of them, which must be there. Their slices are
 * valid until the worker's batch is used again.
 *
 * DBK_NOT_FOUND  the log ends before
 */
enum dbk_code logged_read(const struct request *rq, uint64_t sequence,
                          struct dbk_record *records, size_t count,
                          struct dbk_error *err);

#endif
