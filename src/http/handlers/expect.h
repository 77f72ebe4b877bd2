/* expect.h - the If-Match and If-None-Match of a write, as the writer checks them. */
#ifndef DBK_HTTP_EXPECT_H
#define DBK_HTTP_EXPECT_H

#include "request.h"
#include "store/command.h"

/* Hold the request's If-Match and If-None-Match against the version there is. *asked tells
 * whether the first names versions: then the writer must be told to expect this one.
 *
 * DBK_MOVED    the first names others, or the second this one, or it is *
 * DBK_INVALID  a header is malformed
 */
enum dbk_code expect_version(const struct request *rq, uint64_t version, bool *asked,
                             struct dbk_error *err);

/* If-None-Match alone. */
enum dbk_code expect_excluded(const struct request *rq, uint64_t version,
                              struct dbk_error *err);

/* Let the command expect what If-Match names for the person of the path. */
enum dbk_code expect_person(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err);

/* The same for who is to be erased, deleted or not; who was erased before stays as is,
 * whatever the headers say. */
enum dbk_code expect_erased(const struct request *rq, struct dbk_command *command,
                            struct dbk_error *err);

/* The same for an event, whose version never moves: it is the sequence of its record. */
enum dbk_code expect_event(const struct request *rq, struct dbk_error *err);

#endif
