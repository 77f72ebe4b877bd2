/* access_line.h - what is told of each request once it is answered (http/server.h). */
#ifndef DBK_HTTP_ACCESS_LINE_H
#define DBK_HTTP_ACCESS_LINE_H

#include "client_address.h"
#include "request.h"
#include "response.h"

#define ACCESS_TARGET_MAX 512 /* what is shown of path and query */

/* Part of struct worker. */
struct access_line {
    bool noted;
    char target[ACCESS_TARGET_MAX + 1];
    char client[CLIENT_ADDRESS_TEXT];
};

/* Note what the request says, while it can be asked; telling does it where it was not. */
void access_line_note(struct request *rq);
/* Tell the server's access callback, if there is one. */
void access_line_tell(struct request *rq, const struct response *rs);

#endif
