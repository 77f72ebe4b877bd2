/* post_expired.h - rows of events that are forgotten by age.
 *
 * All events up to a record of the log are expired: that is one number, and what is posted from
 * then on leaves them out. Their rows may be many, so they go some thousand at a time, in
 * transactions of their own, between the batches, which wait no longer for it than for one.
 */
#ifndef DBK_PROJECTIONS_POST_EXPIRED_H
#define DBK_PROJECTIONS_POST_EXPIRED_H

#include "store/error.h"
#include "store/record.h"

struct poster;

/* Up to where the log's events are expired by now: the tables may have rows of them. Errors as
 * dbk_log_expired. */
enum dbk_code post_expired_look(struct poster *poster, struct dbk_error *err);

/* Take some of these rows out; where there are none any more, or PostgreSQL refuses it, which is
 * told, poster->expiring is false. Errors as pg_run; DBK_MOVED: somebody else moves the
 * checkpoint. */
enum dbk_code post_expired_step(struct poster *poster, struct dbk_error *err);

#endif
