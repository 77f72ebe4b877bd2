/* event_write.h - POST /events in two halves, with the log's decision between them: so that
 * those that came together can be decided together (writes.h). It has no Idempotency-Key. */
#ifndef DBK_HTTP_EVENT_WRITE_H
#define DBK_HTTP_EVENT_WRITE_H

#include "http/body.h"
#include "request.h"
#include "response.h"
#include "store/command.h"

/* Zeroed, it is of none. */
struct event_write {
    struct dbk_body body;
    struct dbk_command *command; /* owned; to be submitted */
};

/* Read the event of the request. A failure is to be answered, and leaves it zeroed. */
enum dbk_code event_write_begin(struct request *rq, struct event_write *write,
                                struct dbk_error *err);

/* It was submitted, which returned this code, with err: answer what became of it. Leaves it
 * zeroed. */
enum dbk_code event_write_end(struct request *rq, struct response *rs,
                              struct event_write *write, enum dbk_code code,
                              struct dbk_error *err);

#endif
