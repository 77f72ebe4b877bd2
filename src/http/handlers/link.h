/* link.h - the Link header to the next page of a list (RFC 8288). */
#ifndef DBK_HTTP_LINK_H
#define DBK_HTTP_LINK_H

#include "request.h"
#include "response.h"

/* Link to this request's path with its parameters, but after this cursor. */
void link_next(const struct request *rq, struct response *rs, uint64_t after);

#endif
