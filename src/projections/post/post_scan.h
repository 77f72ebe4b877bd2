/* post_scan.h - where in the log the records of certain persons lie. Looked for slice by
 * slice, and new records are posted in between: the log may be long. */
#ifndef DBK_PROJECTIONS_POST_SCAN_H
#define DBK_PROJECTIONS_POST_SCAN_H

#include "post_claims.h"
#include "poster.h"

/* A quarantine row that is to be tried again. */
struct post_row {
    uint64_t sequence;
    struct dbk_uuid person_id;
    char anonymous_id[DBK_ANONYMOUS_ID_MAX + 1]; /* "": a person's */
    uint64_t scan_from;                          /* it has no record before this one */
};

/* Those of some rows. */
struct post_wanted {
    struct fold_index persons, anonymous; /* by ids; by keys of anonymous ids */
    struct anonymous_secret secret;
};

void post_wanted_init(struct post_wanted *wanted);
void post_wanted_finish(struct post_wanted *wanted);
/* Let it be these. DBK_NO_MEMORY. */
enum dbk_code post_wanted_set(struct post_wanted *wanted, const struct post_row *rows,
                              size_t count, struct dbk_error *err);
/* Whether the record is one of theirs. Errors as post_party. */
enum dbk_code post_wanted_has(const struct post_wanted *wanted, struct poster *poster,
                              const struct dbk_record *record, bool *has,
                              struct dbk_error *err);

/* The spans of the log that hold every record of these persons, and few others, as far as
 * it has been looked through. */
struct post_scan {
    struct post_wanted wanted;
    struct post_claims claims; /* theirs, as far as it has been looked through */
    struct post_span {
        uint64_t first, last;
    } * spans;
    size_t span_count, spans_size;
    uint64_t done;
};

void post_scan_init(struct post_scan *scan);
void post_scan_finish(struct post_scan *scan);
/* Look for these persons' records, from the first on that may be one. DBK_NO_MEMORY. */
enum dbk_code post_scan_begin(struct post_scan *scan, const struct post_row *rows,
                              size_t count, struct dbk_error *err);
/* Whether all that is projected has been looked through; else look through some more, of
 * which the poster's batch is used. Errors as dbk_log_read. */
bool post_scan_done(const struct post_scan *scan, const struct poster *poster);
enum dbk_code post_scan_slice(struct post_scan *scan, struct poster *poster,
                              struct dbk_error *err);

#endif
