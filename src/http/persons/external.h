/* external.h - who the external id of a path is. */
#ifndef DBK_HTTP_EXTERNAL_H
#define DBK_HTTP_EXTERNAL_H

#include "request.h"

/* The external id that is the {value} of the path. */
struct external {
    char text[DBK_EXTERNAL_ID_MAX + 1];
    struct dbk_slice id; /* in text */
};

/* DBK_INVALID: nobody can have it; rq->fields say why. */
enum dbk_code external_read(struct request *rq, struct external *out,
                            struct dbk_error *err);

/* Fails with DBK_NOT_FOUND. */
enum dbk_code external_nobody(struct dbk_error *err);

/* Whose it is now. Errors as dbk_log_whose. */
enum dbk_code external_find(const struct request *rq, const struct external *external,
                            struct dbk_uuid *id, struct dbk_error *err);

/* Handle it as a request by the id of who has it. Errors as above, and the handler's. */
enum dbk_code external_handle(struct request *rq, struct response *rs, handler *handle,
                              struct dbk_error *err);

#endif
