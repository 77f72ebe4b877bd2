/* persons_erase.h - erases the person of a request for good. */
#ifndef DBK_HTTP_PERSONS_ERASE_H
#define DBK_HTTP_PERSONS_ERASE_H

#include "request.h"
#include "response.h"

/* Whether the request deletes for good, by its parameter erase, and that its token may do that
 * which it asks. DBK_INVALID. */
enum dbk_code persons_erase_asked(struct request *rq, bool *erases,
                                  struct dbk_error *err);

/* Erase the person of the path, deleted or not, or find that it was erased before, and answer
 * with the receipt; its body was read, and its token may. Failures: dbk_log_submit's, and
 *
 * DBK_CONFLICT  the log is not sealed
 * DBK_MOVED     If-Match names another version */
enum dbk_code persons_erase(struct request *rq, struct response *rs,
                            struct dbk_error *err);

#endif
