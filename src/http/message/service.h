/* service.h - what every handler works with. Made once and shared by the threads; only
 * stopping ever changes. */
#ifndef DBK_HTTP_SERVICE_H
#define DBK_HTTP_SERVICE_H

#include "http/body.h"
#include "http/server.h"

#include <stdatomic.h>

struct service {
    struct dbk_log *log;
    struct dbk_projector *projector; /* NULL where there are no read tables */
    struct dbk_read_model *model;    /* NULL as above */
    struct dbk_server_options options;
    struct dbk_body_rules rules;
    struct guard *guard;
    struct parked *parked; /* connections that the feed has */
    struct feed *feed;
    struct access *access;
    struct rebuilder *rebuilder; /* of the read tables, by POST /admin/rebuild */
    struct readers *readers;
    struct limiter *limiter;       /* of those who bring wrong tokens */
    struct quota *quota;           /* of the tokens */
    struct untold *untold;         /* what those that only ingest are not told */
    struct budget *budget;         /* of bodies under way */
    struct spares *spares;         /* memory for large answers */
    struct mismatches *mismatches; /* that tiles and proofs came upon */
    struct forward *forward; /* to the server that leads; NULL: nothing is sent on */
    atomic_bool stopping;
};

#endif
