/* request.h - one HTTP request, as the handlers see it. */
#ifndef DBK_HTTP_REQUEST_H
#define DBK_HTTP_REQUEST_H

#include "accept.h"
#include "client_address.h"
#include "coding.h"
#include "head.h"
#include "http/fields.h"
#include "http/tokens.h"
#include "params.h"
#include "quota.h"
#include "readers.h"
#include "router.h"
#include "service.h"
#include "traceparent.h"

#define REQUEST_ID_MAX 64

struct mg_connection;
struct worker;

/* Lives as long as the request does; all of it is borrowed by the handlers. */
struct request {
    const struct service *service;
    struct worker *worker; /* the memory of this thread (worker.h) */
    struct mg_connection *connection;
    struct guarded *guarded;
    struct lent *lent; /* the connection is another thread's: NULL, and this instead */
    int64_t began;     /* clock.h */
    struct head *head;

    const char *method;
    const char *path; /* as it came, without the query */
    const char *version;
    const char *host;            /* whom it is for, or NULL */
    const char *query;           /* as it came, "" for none */
    char id[REQUEST_ID_MAX + 1]; /* the client's X-Request-Id, or a new one */
    char traceparent[TRACEPARENT_TEXT + 1]; /* the client's, "" where none is right */
    char actor[DBK_TOKEN_NAME_MAX + 1];     /* whose token it brought; "": not asked */

    bool leads;    /* of several copies this one, when it was looked; */
    int64_t epoch; /* since which opening (http/membership.h) */
    /* Where who leads is reached, for the answer; the worker's. NULL: nothing to tell. */
    const char *leader_url;
    bool submitted;    /* the log has decided on what it brings */
    bool wants;        /* it names the sequence that it is to see, */
    uint64_t wanted;   /* this one */
    int64_t waited_ms; /* for the log, of what it may wait */
    bool was_fresh;    /* the read tables had what it is to see when it came */

    bool origin_let; /* it only ingests, and pages of the Origin may send with it */
    unsigned scopes; /* of that token (http/tokens.h); all where none is asked for */
    struct quota_use use; /* of that token's bounds */

    struct reader reader; /* once it waits for the read tables */
    struct route_match match;
    struct params params;

    enum coding coding; /* of its body */
    bool chunked;
    bool has_length;
    bool taken_over;       /* the connection is another's, who tells how it went */
    bool body_taken;       /* whole, or there was none: the connection can live on */
    bool lines;            /* the body is NDJSON */
    bool beacon;           /* it came as text/plain, which says neither */
    bool wrong_coding;     /* 415 is about Content-Encoding */
    uint64_t length;       /* Content-Length */
    size_t held;           /* of the budget, for its body */
    struct dbk_slice body; /* once request_body has read it */

    /* What a client is told of DBK_UNAVAILABLE, _NOT_LEADER and _IN_DOUBT; static, or the worker's; NULL where nothing
     * more is known. */
    const char *unavailable;
    const char *timed_out;  /* and of DBK_TIMEOUT, in the same way */
    const char *unreadable; /* and of DBK_DAMAGED and DBK_UNSUPPORTED */
    const char *challenge;  /* WWW-Authenticate of a refusal; static, or NULL */
    unsigned retry_after;   /* seconds, where more is known than that it passes */
    int failure; /* the status of a handler's failure, where its code does not tell it; 0 */

    /* What is wrong with its parameters or body. The last member: it is large, and all
     * before it is zeroed for each request. */
    struct dbk_field_errors fields;
};

/* The value of a header, or NULL. Borrowed. */
const char *request_header(const struct request *rq, const char *name);

/* Whose share of what is scarce a request counts on: its token's, or, where none is asked
 * for, its address's. Never 0. */
uint64_t request_share(const struct request *rq);

/* Who asks, as a trusted proxy or else its connection says. */
void request_client(const struct request *rq, char out[CLIENT_ADDRESS_TEXT]);

/* Whether whoever asks may read persons and events, and so be told whose something is. */
bool request_may_read(const struct request *rq);

/* Whether its token may append and nothing else: it must learn nothing of what is there. */
bool request_only_ingests(const struct request *rq);

/* Read its head. Returns 0, or the status to refuse it with: whatever makes it unclear
 * where this request ends and the next begins (err says what); such a connection must be
 * closed. What could not be read of it is "-". */
int request_open(struct request *rq, struct mg_connection *connection,
                 struct dbk_error *err);

/* Check the media type and read the body into rq->body, as the route wants it, within
 * the deadline and the limits. Returns 0, or the status to refuse with. */
int request_body(struct request *rq, struct dbk_error *err);

/* What its Accept says of a media type. */
struct accept request_accept(const struct request *rq, const char *type);

/* Whether the client can use what its path answers with. Returns 0, or 406 (err says
 * why). Errors are told in JSON all the same. */
int request_acceptable(const struct request *rq, struct dbk_error *err);

#endif
