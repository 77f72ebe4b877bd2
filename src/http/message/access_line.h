/* access_line.h - what is told of each request once it is answered (http/server.h). */
#ifndef DBK_HTTP_ACCESS_LINE_H
#define DBK_HTTP_ACCESS_LINE_H

#include "request.h"
#include "response.h"

/* Tell the server's access callback, if there is one, of a request that took so many
 * microseconds. */
void access_line_tell(const struct request *rq, const struct response *rs,
                      int64_t took_us);

#endif
