/* lend.h - requests that another thread answers.
 *
 * Look-ups by id go to PostgreSQL together (projections/read_model.h: dbk_look_up_event),
 * and the thread that carried them answers them all. If each thread slept until then, it
 * would have to be woken for its answer and again for the next request, which costs more
 * than the look-up. So it lends its memory (worker.h) to the answer, and goes back to
 * civetweb to wait for the connection's next request. Before it uses its memory again, or
 * lets the connection go, it takes it back, and waits if it must.
 *
 * civetweb does not keep what belongs to a request beyond its thread's return, so a lent
 * request has no connection and no headers: what asks for more is not lent. The answer is
 * written to the socket without waiting, for other answers come behind it, so a client that
 * has not taken its last answer is not lent, either. What a client did not take at once is
 * sent by the request's own thread, which only the end of its reading wakes, so then the
 * connection ends. An event that is not in the tables is looked for in the log, which may
 * have to wait for the disk: that is done aside (aside.h).
 */
#ifndef DBK_HTTP_LEND_H
#define DBK_HTTP_LEND_H

#include "aside.h"
#include "projections/read_model.h"
#include "request.h"
#include "response.h"

#include <semaphore.h>

/* Fill in the answer, as a handler does; code and err are those of the look-up. It waits
 * for nothing, but where the code is DBK_NOT_FOUND. */
typedef enum dbk_code lend_then(struct request *rq, struct response *rs,
                                enum dbk_code code, struct dbk_error *err);

/* Part of struct worker. */
struct lent {
    bool out; /* for the thread itself: it has not taken its memory back */
    sem_t back;
    lend_then *then;
    struct dbk_look_up look_up;
    struct aside_item aside;
};

void lend_init(struct lent *lent);
void lend_finish(struct lent *lent);

/* Lend the request, to be answered by `then` once the look-up is. NULL: it cannot be, and
 * is the caller's to answer. Else the look-up must be asked for, and request, response and
 * worker be left alone from that on. */
struct dbk_look_up *lend(struct request *rq, struct response *rs, lend_then *then);

/* For the thread: wait until its memory is its own again; the connection is the one that
 * the request came on. False: the connection must end, and nothing be answered on it. */
bool lend_take_back(struct worker *worker, struct mg_connection *connection);

#endif
