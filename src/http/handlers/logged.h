/* logged.h - reads single records back from the log. */
#ifndef DBK_HTTP_LOGGED_H
#define DBK_HTTP_LOGGED_H

#include "etag.h"
#include "request.h"

/* The records from `sequence` on, count of them, which must be there. Their slices are
 * valid until the worker's batch is used again.
 *
 * DBK_NOT_FOUND  the log ends before
 */
enum dbk_code logged_read(const struct request *rq, uint64_t sequence,
                          struct dbk_record *records, size_t count,
                          struct dbk_error *err);

/* The same for what is sent again, and answered as it was the first time.
 *
 * DBK_CONFLICT   it has been erased or forgotten since, so that nobody knows that any more
 */
enum dbk_code logged_again(const struct request *rq, uint64_t sequence,
                           struct dbk_record *records, size_t count,
                           struct dbk_error *err);

/* The event with this id, and where it is; valid as above.
 *
 * DBK_NOT_FOUND  there is none, or it was deleted, or its person was
 */
enum dbk_code logged_event(const struct request *rq, const struct dbk_uuid *id,
                           struct dbk_record *event, uint64_t *sequence,
                           struct dbk_error *err);

/* Compare an event that a client brings with the record that has its id.
 *
 * DBK_NOT_FOUND  the log has no event with this id
 * DBK_OK         it has this one
 * DBK_EXISTS     it has another one; err names it
 * DBK_CONFLICT   it was deleted; err names it; or as logged_again
 */
enum dbk_code logged_check(const struct request *rq, const struct dbk_record *brought,
                           struct dbk_error *err);

/* The same, where the writer has told the sequence; *logged is the record, which of an
 * anonymous event does not tell whose it is now, valid until the worker's batch is used
 * again. */
enum dbk_code logged_compare(const struct request *rq, const struct dbk_record *brought,
                             uint64_t sequence, struct dbk_record *logged,
                             struct dbk_error *err);

/* The tag of a person at this version, with the checksum of its record (etag.h). Errors as
 * dbk_log_checksum. */
enum dbk_code logged_person_tag(const struct request *rq, uint64_t version,
                                struct dbk_slice content, char tag[ETAG_MAX],
                                struct dbk_error *err);

#endif
