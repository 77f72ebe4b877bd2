/* one.h - answers the one row that was read. */
#ifndef DBK_HTTP_ONE_H
#define DBK_HTTP_ONE_H

#include "request.h"
#include "response.h"

enum tag_kind {
    TAG_VERSION, /* the row is its version and nothing else */
    TAG_CONTENT, /* it also shows what moves without it */
};

/* The first row of the worker's rows, with its ETag; 304 where the client has it. */
enum dbk_code one_answer(struct request *rq, struct response *rs, enum tag_kind kind,
                         struct dbk_error *err);

#endif
