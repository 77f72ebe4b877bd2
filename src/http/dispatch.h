/* dispatch.h - one request from its first header to its last byte. */
#ifndef DBK_HTTP_DISPATCH_H
#define DBK_HTTP_DISPATCH_H

#include "service.h"

struct lent;
struct mg_connection;
struct worker;

/* Answer the request on this connection with this thread's memory, and tell the access
 * callback. lent: it is another thread's (lent.h), and connection NULL; else NULL. Once the service is stopping, with 503, whatever it is. Returns the
 * status. */
int dispatch(const struct service *service, struct worker *worker,
             struct mg_connection *connection, struct lent *lent);

#endif
