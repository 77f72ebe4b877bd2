/* expect.h - the If-Match of a write, as the writer checks it. */
#ifndef DBK_HTTP_EXPECT_H
#define DBK_HTTP_EXPECT_H

#include "request.h"
#include "store/command.h"

/* Let the command expect the version that If-Match names for the person of the path.
 *
 * DBK_MOVED    the person has none of those versions now
 * DBK_INVALID  the header is malformed
 */
enum dbk_code expect_person(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err);

/* The same for an event, whose version never moves: it is the sequence of its record. */
enum dbk_code expect_event(const struct request *rq, struct dbk_error *err);

#endif
