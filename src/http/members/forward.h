/* forward.h - sends a request on to the server that leads, and its answer back.
 *
 * Once: what may have arrived is never sent again. Connections are kept, and used by one
 * request at a time.
 */
#ifndef DBK_HTTP_FORWARD_H
#define DBK_HTTP_FORWARD_H

#include "request.h"
#include "response.h"

#define FORWARD_MOST 64 /* requests on their way at once */

struct forward; /* safe to share between threads */

/* Whether this program was built with what it takes (libcurl). */
bool forward_built(void);

/* NULL: no memory. */
struct forward *forward_create(void);
/* What is under way fails soon. NULL is fine, here and below. */
void forward_stop(struct forward *forward);
void forward_destroy(struct forward *forward); /* nothing is under way */

/* Send the request, whose body has been read, to the server at url, and fill in its answer
 * as it is. REQUEST_TIMEOUT bounds it. Takes a place among those that wait (readers.h).
 *
 * DBK_BUSY         too many are on their way
 * DBK_UNAVAILABLE  it was not sent: no place, no connection; rq says how that is told
 * DBK_IN_DOUBT     it was sent, and no whole answer came
 */
enum dbk_code forward_send(struct forward *forward, struct request *rq,
                           struct response *rs, const char *url, struct dbk_error *err);

#endif
