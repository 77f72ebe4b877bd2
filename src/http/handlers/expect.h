/* expect.h - the If-Match of a write, as the writer checks it. */
#ifndef DBK_HTTP_EXPECT_H
#define DBK_HTTP_EXPECT_H

#include "request.h"
#include "store/command.h"

/* Hold the request's If-Match against the version there is. *asked tells whether it names
 * versions: then the writer must be told to expect this one.
 *
 * DBK_MOVED    it names others
 * DBK_INVALID  the header is malformed
 */
enum dbk_code expect_version(const struct request *rq, uint64_t version, bool *asked,
                             struct dbk_error *err);

/* Let the command expect what If-Match names for the person of the path. */
enum dbk_code expect_person(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err);

/* The same for an event, whose version never moves: it is the sequence of its record. */
enum dbk_code expect_event(const struct request *rq, struct dbk_error *err);

#endif
