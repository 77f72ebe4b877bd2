/* post_retry.h - persons in quarantine, tried again: whatever they have in the tables is
 * folded anew from the log, a few at a time, while their poster goes on in between. */
#ifndef DBK_PROJECTIONS_POST_RETRY_H
#define DBK_PROJECTIONS_POST_RETRY_H

#include "fold.h"
#include "store/error.h"

struct poster;

/* A quarantine row that is to be tried again. */
struct post_retry_row {
    uint64_t sequence;
    struct dbk_uuid person_id;
    uint64_t scan_from; /* the person has no record before this one */
};

/* The spans of the log that hold every record of these persons, and few others, as far as
 * it has been looked through. */
struct post_scan {
    struct fold_index persons;
    struct post_span {
        uint64_t first, last;
    } * spans;
    size_t span_count, spans_size;
    uint64_t done;
};

/* Rows to try, and which runs of them, the next on top. */
struct post_retry {
    struct post_retry_row *rows;
    size_t row_count;
    struct post_run {
        size_t first, end;
    } runs[64]; /* halves of halves: far fewer are ever needed */
    size_t run_count;
    struct post_scan scan; /* for all rows */
    struct fold events;
};

void post_retry_init(struct post_retry *retry);
void post_retry_free(struct post_retry *retry);

/* Note who is to be tried again: all in quarantine, or those that somebody asked for. */
enum dbk_code post_retry_begin(struct poster *self, bool all, struct dbk_error *err);
bool post_retry_pending(const struct poster *self);
/* Look through some more of the log, or try the next few of them. Errors as poster_step,
 * and DBK_UNAVAILABLE where the poster is to stop. */
enum dbk_code post_retry_step(struct poster *self, struct dbk_error *err);

/* Fold the rows of the run again and take them out of quarantine, or change nothing. */
enum dbk_code post_attempt(struct poster *self, struct post_run run,
                           struct dbk_error *err);

void post_scan_init(struct post_scan *scan);
void post_scan_free(struct post_scan *scan);
/* Look for these persons' records, from the first on that may be one. */
enum dbk_code post_scan_begin(struct post_scan *scan, const struct post_retry_row *rows,
                              size_t count, struct dbk_error *err);
/* Whether all that is projected has been looked through; else look through some more. */
bool post_scan_done(const struct poster *self);
enum dbk_code post_scan_slice(struct poster *self, struct dbk_error *err);

#endif
