/* router.h - which route a request is for. */
#ifndef DBK_HTTP_ROUTER_H
#define DBK_HTTP_ROUTER_H

#include "store/error.h"
#include "store/slice.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    const char *path;   /* segments; {id} is a UUID, {sequence} a number; {value},
                           {name} and {anonymous_id} are texts, whose slashes are encoded,
                           and which no log shows; {level}, {width} and {index}, which
                           at the end is all that follows, only their handler reads */
    enum body_kind body;
    unsigned scope; /* that a token must have (http/tokens.h); 0: none is asked for */
    const char *const *params; /* of the query; ends with NULL */
    handler *handle;
};

#define ROUTE_FILE_MAX 64

struct route_match {
    const struct route *route; /* NULL: none, see the code */
    struct dbk_uuid id;        /* of {id} */
    uint64_t sequence;         /* of {sequence} */
    char file[ROUTE_FILE_MAX]; /* of {file} */
    struct dbk_slice value;    /* of {value}, percent-encoded; borrowed from the path */
    struct dbk_slice anonymous_id, name; /* the same */
    char allow[64]; /* where there is no route: methods of this path, "GET, OPTIONS" */
    bool options;   /* the method is OPTIONS, and the path is known */
    bool head;      /* the method is HEAD; route is GET's */
    bool ingests; /* where there is no route: one of the methods is for what ingests */
    bool wrong_method; /* the path is known, the method is not its own */
};

/* Match a method and a path, percent-encoded as it came, with one of count routes.
 *
 * DBK_NOT_FOUND  no such path, or (wrong_method) not with this method
 * DBK_INVALID    the percent-encoding is broken, or an id or sequence cannot be read
 */
enum dbk_code route_find(const struct route *routes, size_t count, const char *method,
                         const char *path, struct route_match *match,
                         struct dbk_error *err);

#define ROUTE_TEXT_MAX 800 /* bytes of a text, decoded */

/* A text of the path, decoded, with a NUL behind it that is not counted. False: it is
 * longer than ROUTE_TEXT_MAX or than out. */
bool route_text(struct dbk_slice text, char *out, size_t size, size_t *length);

#endif
