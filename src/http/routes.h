/* routes.h - the one table of what the API has. The router reads it, and a test keeps
 * /openapi.json equal to it. */
#ifndef DBK_HTTP_ROUTES_H
#define DBK_HTTP_ROUTES_H

#include "store/error.h"

#include <stddef.h>

struct request;
struct response;

/* Fill rs, or return the failure: the caller turns it into an answer. */
typedef enum dbk_code handler(struct request *rq, struct response *rs,
                              struct dbk_error *err);

enum body_kind {
    BODY_NONE,
    BODY_JSON,     /* application/json, required */
    BODY_OPTIONAL, /* application/json, or nothing */
    BODY_PATCH,    /* application/json or application/merge-patch+json */
    BODY_BATCH,    /* application/json or application/x-ndjson; its own limit */
};

struct route {
    const char *method; /* HEAD is GET without the body; OPTIONS is the router's */
    const char *path;   /* segments; {id} is a UUID, {sequence} a number */
    enum body_kind body;
    unsigned scope; /* that a token must have (http/tokens.h); 0: none is asked for */
    const char *const *params; /* of the query; ends with NULL */
    handler *handle;
};

extern const struct route routes[];
extern const size_t routes_count;

#endif
