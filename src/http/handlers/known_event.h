/* known_event.h - an event with an id of the client's: is it in the log already? */
#ifndef DBK_HTTP_KNOWN_EVENT_H
#define DBK_HTTP_KNOWN_EVENT_H

#include "request.h"

/* Compare an event that a client brings with the record that has its id.
 *
 * DBK_NOT_FOUND  the log has no event with this id
 * DBK_OK         it has this one
 * DBK_CONFLICT   it has another one, or it was deleted; err names it
 */
enum dbk_code known_event_check(const struct request *rq,
                                const struct dbk_record *brought,
                                struct dbk_error *err);

/* The same, where the writer has told the sequence; *logged is the record, valid until
 * the worker's batch is used again. */
enum dbk_code known_event_compare(const struct request *rq,
                                  const struct dbk_record *brought, uint64_t sequence,
                                  struct dbk_record *logged, struct dbk_error *err);

#endif
