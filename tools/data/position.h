/* position.h - a place in the log as an operator names it: a sequence, or a time.
 *
 *     1234                         the record with that sequence
 *     2026-11-23T17:00:00          what was recorded then; UTC, or with an offset such
 *     2026-11-23T18:00:00+01:00    as +01:00
 *     2026-11-23                   that whole day (UTC): from its first moment on, up to
 *                                  its last
 *
 * Sequences are the order of the log, times are not: a clock may have been set back. So a
 * time stands for the last record whose recorded_at is at or before it, even where some
 * before that one carry a later time; what is up to it and what is from it on never
 * overlap and leave nothing out.
 */
#ifndef DBK_TOOLS_POSITION_H
#define DBK_TOOLS_POSITION_H

#include "store/error.h"
#include "store/log.h"

#include <stdbool.h>
#include <stdint.h>

struct position {
    bool is_time;
    uint64_t sequence;  /* 1 or more; 0 where is_time */
    dbk_timestamp time; /* where is_time */
    bool is_day; /* time is the first moment of a day, which is meant as a whole */
};

/* Read one of the forms above. DBK_INVALID: err says what is expected. Thread-safe. */
enum dbk_code position_parse(const char *text, struct position *out,
                             struct dbk_error *err);

/* The latest moment that a position which is a time takes in. */
dbk_timestamp position_latest(const struct position *position);

/* The last sequence up to and with the position, of a log whose head is `head`: for a
 * time, of the last record at or before it (or the end of its day), 0 where all are later;
 * for a sequence that
 * sequence itself, also where the log does not reach it yet. Reads backwards from the
 * head, a few hundred records at a time; damaged records are passed over. Safe from any
 * thread. Errors as dbk_log_read. */
enum dbk_code position_to(const struct position *position, struct dbk_log *log,
                          uint64_t head, uint64_t *sequence, struct dbk_error *err);

/* The first sequence from the position on: for a time, of the record behind the last one
 * before it, head + 1 where all are before it; for a sequence that one. Else as above. */
enum dbk_code position_from(const struct position *position, struct dbk_log *log,
                            uint64_t head, uint64_t *sequence, struct dbk_error *err);

/* What --from and --to ask for. */
struct position_range {
    bool has_from, has_to;
    struct position from, to;
};

/* Read the two; NULL where one is not given. DBK_INVALID: one is no position, or --from
 * is behind --to; err says so. */
enum dbk_code position_range_parse(const char *from, const char *to,
                                   struct position_range *range, struct dbk_error *err);

/* The first and the last sequence of the range, in a log: without --from from 1, without
 * --to to the head. One rule for all that take a range: a sequence must be in the log,
 * and not all records may be later than --to; a range within that may be empty (*from is
 * *to + 1). With coming, records that are yet to come count: sequences past the head are
 * fine, and without --to *to is UINT64_MAX. DBK_INVALID: against the rule, err tells the
 * head; else errors as dbk_log_read. */
enum dbk_code position_range_find(const struct position_range *range,
                                  struct dbk_log *log, bool coming, uint64_t *from,
                                  uint64_t *to, struct dbk_error *err);

/* The same for help texts: what a position is, whose flags are told as P. */
#define POSITION_HELP                                                                  \
    "A position P is a sequence (also 20240101 is one), or a time such as\n"           \
    "2026-11-23T17:00:00 (UTC): the last record at or before it; a day alone, such "   \
    "as\n"                                                                             \
    "2026-11-23, is that whole day. A sequence that is not in the log is refused.\n"

#endif
