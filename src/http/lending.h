/* lending.h - which connections are lent (connection/reactor.h), and how those who lead answer
 * what comes on them: what takes no waiting (quick.h), what can be read together
 * (handlers/ahead.h), and what can be written together (writes.h). */
#ifndef DBK_HTTP_LENDING_H
#define DBK_HTTP_LENDING_H

#include "service.h"
#include "store/error.h"
#include "tap.h"

#include <stdbool.h>

struct lending; /* safe to share between threads */
struct lent;
struct mg_connection;
struct worker;
struct write_place;

/* How a request is answered, as dispatch does it at once, and in two halves. */
struct lending_answers {
    int (*whole)(void *context, struct worker *worker, struct mg_connection *connection,
                 struct lent *lent);
    bool (*begin)(void *context, struct write_place *place, struct lent *lent);
    void (*end)(void *context, struct write_place *place, enum dbk_code code,
                const struct dbk_error *err);
    void *context;
};

/* For the threads of this service, which must outlive it. NULL: out of memory; then none is
 * lent. */
struct lending *lending_create(const struct service *service,
                               const struct lending_answers *answers);
void lending_destroy(
    struct lending *lending); /* its threads have ended; NULL is fine */

/* Seats for the calling thread, whose memory this is; each may be NULL. */
void lending_join(struct lending *lending, struct worker *worker,
                  struct reactor_seat *seats[TAP_SEATS]);

/* The worker has just answered: lend its connection, where what comes next may be answered by
 * others. */
void lending_lend(const struct worker *worker);

/* Whether those who lead go on, to be called now and then: see reactor_look. */
void lending_look(struct lending *lending);

#endif
