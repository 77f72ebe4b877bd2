/* router.h - which route a request is for. */
#ifndef DBK_HTTP_ROUTER_H
#define DBK_HTTP_ROUTER_H

#include "routes.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define ROUTE_FILE_MAX 64

struct route_match {
    const struct route *route; /* NULL: none, see the code */
    struct dbk_uuid id;        /* of {id} */
    uint64_t sequence;         /* of {sequence} */
    char file[ROUTE_FILE_MAX]; /* of {file} */
    char allow[64]; /* where there is no route: methods of this path, "GET, OPTIONS" */
    bool options;   /* the method is OPTIONS, and the path is known */
    bool head;      /* the method is HEAD; route is GET's */
    bool wrong_method; /* the path is known, the method is not its own */
};

/* Match a method and a path, percent-encoded as it came.
 *
 * DBK_NOT_FOUND  no such path, or (wrong_method) not with this method
 * DBK_INVALID    the percent-encoding is broken, or an id or sequence cannot be read
 */
enum dbk_code route_find(const char *method, const char *path,
                         struct route_match *match, struct dbk_error *err);

#endif
