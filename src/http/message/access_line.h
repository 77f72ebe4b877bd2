/* access_line.h - what is told of each request once it is answered (http/server.h). */
#ifndef DBK_HTTP_ACCESS_LINE_H
#define DBK_HTTP_ACCESS_LINE_H

#include "request.h"
#include "response.h"

/* Tell the server's access callback, if there is one, of a request that took so many
 * microseconds: but for one whose connection was taken over. */
void access_line_tell(const struct request *rq, const struct response *rs,
                      int64_t took_us);

/* The line of one whose connection was taken over, for when it has ended; or NULL: nobody is
 * told, or there is no memory. It outlives the request, but not the server. */
struct access_later;
struct access_later *access_later_keep(const struct request *rq, int status);
/* Tell, and free it. bytes: of the body; error: what went wrong, or "". */
void access_later_tell(struct access_later *later, uint64_t bytes, const char *error);
void access_later_drop(struct access_later *later); /* NULL is fine, here and above */

#endif
