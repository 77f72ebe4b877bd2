/* ahead.h - reads that came together on connections that are lent (reactor.h), and are asked
 * of the read tables together, before each is answered as any other: then what was read is
 * taken instead of being asked for.
 *
 * They are GET /persons/{id} and GET /events?person_id= in their plainest form, in which
 * nothing tells what is shown, how many, or for what to wait. That the tables are fresh is
 * looked at once for all, after all have come; where they are not, or somebody is set aside,
 * nothing is read ahead.
 */
#ifndef DBK_HTTP_AHEAD_H
#define DBK_HTTP_AHEAD_H

#include "projections/read_model.h"
#include "service.h"

#include <pthread.h>

#define AHEAD_HEAD_MAX 1024      /* bytes of a head that is read ahead of */
#define AHEAD_EVENTS 100         /* of a person, or of a page that is no longer */
#define AHEAD_BYTES (256u << 10) /* of such a page */

struct reactor_seat;
struct request;

struct ahead {
    struct reactor_seat *seat;
    size_t place; /* the caller's */
    char head[AHEAD_HEAD_MAX];
    size_t length;
    uint64_t wanted, projected; /* as of struct fresh */
    struct dbk_ahead asked;
    struct dbk_rows rows;
    bool taken; /* by its request, which was not refused before */
};

struct ahead_batch {
    struct ahead list[DBK_AHEAD_MAX];
    struct ahead_batch *next;
};

/* The memory of those who lead, to be used again. */
struct aheads {
    pthread_mutex_t mutex; /* guards what follows */
    struct ahead_batch *idle;
    unsigned taken, most; /* two a processor: more requests ask alone */
};
void aheads_init(struct aheads *aheads);
void aheads_finish(struct aheads *aheads); /* all are given back */
/* NULL: PostgreSQL is waited for with all there may be, or no memory. */
struct ahead_batch *aheads_take(struct aheads *aheads);
void aheads_give(struct aheads *aheads, struct ahead_batch *batch); /* NULL is fine */

/* Whether a whole head, with its empty line, is of such a read; then ahead is of it. */
bool ahead_is(const char *head, size_t length, struct ahead *ahead);

/* Whether the request that was answered was one, and found the tables fresh. */
bool ahead_was(const struct request *rq);

/* Read them all. False: it cannot be done now. Else each that ahead_has can be answered, and
 * the others must be asked for alone. */
bool ahead_read(const struct service *service, struct ahead *list, size_t count);
bool ahead_has(const struct ahead *ahead);

/* What was read for this request; NULL: nothing. */
struct ahead *ahead_of(const struct request *rq);
/* Take it: the worker's rows, as if they had been read now. */
enum dbk_code ahead_take(struct request *rq, struct dbk_error *err);

#endif
