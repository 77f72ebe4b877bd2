/* aside.h - persons that are set aside (quarantined): PostgreSQL has refused one of their
 * records, so what the read tables have of them is old, or missing. No answer shows it as
 * if it were fresh. */
#ifndef DBK_HTTP_ASIDE_H
#define DBK_HTTP_ASIDE_H

#include "projections/read_model.h"
#include "request.h"

/* To be asked once the read has waited for what it must show. Each of these: DBK_OK, or
 * DBK_UNAVAILABLE, where rq->unavailable says who it is, since when, and what to do. */

/* One person, or the events of one; nil: nobody, who is not set aside. */
enum dbk_code aside_check_person(struct request *rq, const struct dbk_uuid *id,
                                 struct dbk_error *err);

/* The rows of a list: whether any is, or is of, one set aside. */
enum dbk_code aside_check_rows(struct request *rq, const struct dbk_rows *rows,
                               struct dbk_error *err);

/* The stretch of a list behind the cursor `after`, up to and with `to`: whether a row of
 * one set aside is missing there. */
enum dbk_code aside_check_page(struct request *rq, enum dbk_set_aside_of of,
                               uint64_t after, uint64_t to, struct dbk_error *err);

#endif
