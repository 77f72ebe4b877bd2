/* dispatch.h - one request from its first header to its last byte. */
#ifndef DBK_HTTP_DISPATCH_H
#define DBK_HTTP_DISPATCH_H

#include "service.h"
#include "store/error.h"

#include <stdbool.h>

struct lent;
struct mg_connection;
struct worker;
struct write_place;

/* Answer the request on this connection with this thread's memory, and tell the access
 * callback. lent: it is another thread's (lent.h), and connection NULL; else NULL. Once the
 * service is stopping, with 503, whatever it is. Returns the status. */
int dispatch(const struct service *service, struct worker *worker,
             struct mg_connection *connection, struct lent *lent);

/* The same of a POST /events that is lent, in two halves, with the memory of its place
 * (writes.h): true, and the log is to decide on place->write, and then it is answered with the
 * code of that, and err. False: it is answered already. */
bool dispatch_begin(const struct service *service, struct write_place *place,
                    struct lent *lent);
void dispatch_end(struct write_place *place, enum dbk_code code,
                  const struct dbk_error *err);

#endif
