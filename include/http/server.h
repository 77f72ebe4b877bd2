/* server.h - the REST API: civetweb in front of the log and the read model. */
#ifndef DBK_HTTP_SERVER_H
#define DBK_HTTP_SERVER_H

#include "http/membership.h"
#include "projections/database.h"
#include "projections/projector.h"
#include "projections/read_model.h"
#include "store/error.h"
#include "store/history.h"
#include "store/log.h"
#include "store/proof/notary.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_server; /* safe to share between threads */

/* One request, answered. Borrowed for the call. */
struct dbk_access {
    const char *method;
    /* As it came, but "*" for a text that names somebody (an external id), and of the query
     * the names of parameters, without their values: a name that is none is shown as "*". At
     * most 512 characters; may hold any byte: the logger escapes it. */
    const char *path;
    const char *remote;
    const char *request_id;
    const char *trace_id; /* of the client's traceparent, or "" */
    const char *actor;    /* the name of the token it brought, or "" */
    int status;           /* 0: the client went away */
    uint64_t sequence;    /* of what was written, 0 for none */
    uint64_t bytes;       /* of the answer's body */
    double milliseconds;
    const char *error; /* what went wrong inside, or ""; never sent to the client */
};

/* The last backup that is known of. */
struct dbk_backup_known {
    uint64_t head; /* the last record in it; 0: none is known */
    dbk_timestamp at;
    struct dbk_uuid store_id; /* of the log that was backed up */
    char path[4096];
};

struct dbk_server_options {
    const char *address;    /* numeric */
    unsigned port;          /* 0: any free one (dbk_server_port tells) */
    const char *tokens_dir; /* the data directory whose tokens are asked for
                               (http/tokens.h); NULL: none */
    bool require_tokens;    /* ask for one though there is none yet */
    bool audit_public; /* checkpoints, tiles and proofs are for everyone, without one */
    const char *trusted_proxy; /* numeric addresses of peers whose X-Forwarded-For is
                                  believed, with commas between; NULL or "": none */
    unsigned threads;          /* requests at once */
    /* Connections that one address may keep while others wait; at most three quarters of
     * the threads. 0: any number. */
    unsigned address_connections_max;
    size_t body_max;       /* bytes of a body */
    size_t batch_body_max; /* bytes of the body of POST /events/batch */
    unsigned batch_items_max;
    /* Bytes that bodies under way may come to, with what is made of them. */
    size_t bodies_max;
    int lag_max_ms;   /* how far behind the tables may be for GET /health; 0: any */
    int ready_lag_ms; /* the same for GET /health/ready */
    int read_wait_ms; /* how long a read waits for the projection by default */
    int request_timeout_ms; /* deadline for a whole request to arrive */
    dbk_timestamp idempotency_keep_us;
    dbk_timestamp
        retention_us; /* of events: what waits for an operator is told; 0: off */
    const char *const *event_types; /* NULL: any; else ends with NULL */
    /* Whose pages' scripts may call: origins as browsers write them. NULL: nobody's; else
     * ends with NULL. */
    const char *const *cors_origins;
    bool show_error_details;
    /* Who leads where the log is one of several copies, and is asked from any thread; NULL:
     * it is the only one. */
    const struct dbk_membership *membership;
    struct dbk_history *history;   /* of the log; NULL: none, its readers walk */
    struct dbk_notary *notary;     /* of the log; NULL: nobody signs it */
    unsigned streams_max;          /* open GET /log/stream at once */
    unsigned database_connections; /* that reads may have, for which files are left */
    /* Where the read tables are, for what asks them beside the read model (quarantine,
     * rebuild); NULL: nowhere, and that is answered 503. */
    const struct dbk_database *database;
    /* Whether the tables may take no more of the disk, which is then the log's; why (of size
     * bytes) receives the reason. Asked a few times a second while they are rebuilt, from
     * that thread. May be NULL. */
    bool (*tables_full)(void *context, char *why, size_t size);
    void *tables_full_context;
    /* Fill in *out, which is zeroed; called from any thread. NULL: no backup is known. */
    void (*backups)(void *context, struct dbk_backup_known *out);
    void *backups_context;
    /* Called in the starting thread once the port is bound, before any request is
     * answered; where it fails, so does the start. May be NULL. */
    enum dbk_code (*bound)(void *context, struct dbk_error *err);
    void *bound_context;
    void (*access)(void *context, const struct dbk_access *entry); /* may be NULL */
    void *access_context;
    void (*report)(void *context, const char *line); /* trouble; may be NULL */
    /* What was done through the API that operators should see (a token made, a rebuild
     * begun), with whose token. May be NULL. */
    void (*notice)(void *context, const char *line);
    void *report_context; /* of both */
};

/* Whether a server could listen there now: so that who is about to make what takes long can
 * tell before that. It fails as dbk_server_start does about address and port. */
enum dbk_code dbk_server_check(const char *address, unsigned port,
                               struct dbk_error *err);

/* Listen and serve on threads of its own. What is given must outlive the server.
 * projector and model may be NULL: reads of persons and events then answer 503.
 *
 * DBK_CONFLICT  the port is taken; err says so
 * DBK_INVALID   an option civetweb refuses, or an address that others can reach while
 *               there are no tokens; err says so
 * DBK_UNSUPPORTED  membership.forward, and the program was built without libcurl
 * DBK_NO_MEMORY, DBK_IO, and what dbk_tokens_read fails with
 */
enum dbk_code dbk_server_start(struct dbk_log *log, struct dbk_projector *projector,
                               struct dbk_read_model *model,
                               const struct dbk_server_options *options,
                               struct dbk_server **server, struct dbk_error *err);

/* The port it listens on. */
unsigned dbk_server_port(const struct dbk_server *server);

/* Take no new request (503, Connection: close), let those under way finish, within
 * drain_ms; then cut off the clients that are left, and stop. NULL is fine. */
void dbk_server_stop(struct dbk_server *server, int drain_ms);

#endif
