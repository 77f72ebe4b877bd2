/* response_stream.h - an answer sent piece by piece, so that its memory does not grow
 * with its length. Chunked; to an HTTP/1.0 client it ends with the connection. */
#ifndef DBK_HTTP_RESPONSE_STREAM_H
#define DBK_HTTP_RESPONSE_STREAM_H

#include "response.h"

/* The head; it goes out with the first piece. From here on the answer counts as sent. */
void response_stream_begin(struct response *rs, struct request *rq, int status);
/* Send what is in rs->body, and empty it. False when the client is gone, and for HEAD,
 * which has no body: go to the end then. */
bool response_stream_piece(struct response *rs, struct request *rq);
/* Send the rest and the end. */
void response_stream_end(struct response *rs, struct request *rq);
/* It cannot be completed: end the connection without the last chunk, which tells the
 * client that something is missing. */
void response_stream_break(struct response *rs, const struct dbk_error *err);

#endif
