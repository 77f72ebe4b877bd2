/* worker.h - the memory a server thread keeps from request to request, so that answering
 * allocates nothing once it is warm. */
#ifndef DBK_HTTP_WORKER_H
#define DBK_HTTP_WORKER_H

#include "projections/read_model.h"
#include "request.h"
#include "response.h"
#include "store/log.h"
#include "store/proof/checkpoint.h"

#define QUERY_MAX 16384 /* no head is longer */

/* Who was restricted as of a head of the log; the head's checksum tells that it is of the same
 * log still. */
struct withheld_known {
    bool known;
    uint64_t head;
    uint32_t checksum;
    struct dbk_restricted all;
};

struct worker {
    struct request request;
    struct response response;
    struct dbk_rows rows;
    struct dbk_batch batch;
    struct withheld_known withheld;
    struct head head;
    char query[QUERY_MAX + 1];
    char unavailable[512];                   /* what rq->unavailable may point to */
    char leader_url[DBK_MEMBER_TEXT];        /* and rq->leader_url */
    struct dbk_signed_checkpoint checkpoint; /* of who shows proofs (proof.h), */
    char proof[DBK_LOG_PROOF_TEXT + 1]; /* and a proof: a thread's stack is small */
    char *body;
    size_t body_size, body_used;
};

struct worker *worker_create(void); /* NULL: out of memory */
void worker_destroy(struct worker *worker);

/* Make ready for a request. */
void worker_clear(struct worker *worker);
/* It is answered: wipe what it brought, free what grew large. */
void worker_trim(struct worker *worker);

#endif
