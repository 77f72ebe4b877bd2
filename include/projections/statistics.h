/* statistics.h - asks the read tables how many: events by time, types, funnels, retention.
 *
 * Every number is exact, of what is in the tables. Each call asks one statement, on a
 * connection for lists (read_model.h), and gives up after the read model's
 * query_timeout_ms. Any thread.
 *
 * DBK_INVALID      there is no such time zone
 * DBK_TOO_LARGE    more rows than the call may answer
 * DBK_TIMEOUT      not counted in time
 * and the others of read_model.h: DBK_UNAVAILABLE, DBK_BUSY, DBK_INTERRUPTED, DBK_NO_MEMORY.
 */
#ifndef DBK_PROJECTIONS_STATISTICS_H
#define DBK_PROJECTIONS_STATISTICS_H

#include "projections/read_model.h"

#define DBK_STATS_ROWS_MAX 10000
#define DBK_TYPES_MAX 10000
#define DBK_FUNNEL_STEPS_MIN 2
#define DBK_FUNNEL_STEPS_MAX 10
#define DBK_RETENTION_MAX 100 /* of cohorts, and of buckets of each */

/* Which events, by datetime_created: from since, and before until. Each may be a day: then
 * it is 00:00 of it, and what is meant is when that day begins in the query's zone (a funnel
 * has none: UTC). */
struct dbk_range {
    bool has_since, has_until;
    dbk_timestamp since, until;
    bool since_is_day, until_is_day;
};

/* Weeks begin on Monday. All but hours begin at midnight of the zone; an hour begins where
 * its clock shows a full one. */
enum dbk_bucket { DBK_BY_HOUR, DBK_BY_DAY, DBK_BY_WEEK, DBK_BY_MONTH };

/* Rows are visited in their order, once all are there; what they point to lasts as long as
 * the visit. */

struct dbk_stats_query {
    enum dbk_bucket by;
    const char *zone; /* an IANA name */
    struct dbk_range range;
    size_t types_count; /* 0: any */
    struct dbk_slice types[DBK_FILTER_TYPES_MAX];
    const struct dbk_uuid *person_id; /* NULL: anybody's, and nobody's */
    bool unique;                      /* how many persons, too */
    bool by_type;                     /* a row for each type of a bucket */
    const struct dbk_asker *asker;    /* as a page has it */
};
struct dbk_stats_row {
    dbk_timestamp from; /* begin of the bucket */
    uint64_t events;
    uint64_t persons;            /* where it is asked for */
    struct dbk_slice event_type; /* where it is by type */
};
typedef void dbk_stats_visit(void *context, const struct dbk_stats_row *row);
/* By time, and in it by type. Buckets without an event are not visited. DBK_TOO_LARGE: more
 * than DBK_STATS_ROWS_MAX rows. */
enum dbk_code dbk_read_stats(struct dbk_read_model *model,
                             const struct dbk_stats_query *query,
                             dbk_stats_visit *visit, void *context,
                             struct dbk_error *err);

struct dbk_type_row {
    struct dbk_slice event_type;
    uint64_t events;
    dbk_timestamp first, last;
};
typedef void dbk_type_visit(void *context, const struct dbk_type_row *row);
/* The `limit` most frequent ones, and these in this order. */
enum dbk_code dbk_read_types(struct dbk_read_model *model,
                             const struct dbk_asker *asker, unsigned limit,
                             dbk_type_visit *visit, void *context,
                             struct dbk_error *err);

/* Who did one thing after the other. A person did k steps who has an event of the first one,
 * behind it one of the second, and so on to the k-th, in the order of time (of the same time:
 * of the log), all in the range and the last at most within_us after the first. Any event of
 * the first step may be it. No event is two steps, but a type may be. */
struct dbk_funnel_query {
    struct dbk_range range;
    size_t steps_count; /* from 2 to 10 */
    struct dbk_slice steps[DBK_FUNNEL_STEPS_MAX];
    int64_t within_us;
    const struct dbk_asker *asker;
};
/* persons receives a number for each step. */
enum dbk_code dbk_read_funnel(struct dbk_read_model *model,
                              const struct dbk_funnel_query *query,
                              uint64_t persons[DBK_FUNNEL_STEPS_MAX],
                              struct dbk_error *err);

/* Who came back. A cohort are those whose first event ever of the type `first` lies in a
 * bucket, and in the range; returned[k] of them have an event of the type `then` in the k-th
 * bucket behind that, [0] in the same, be it before or after. */
struct dbk_retention_query {
    struct dbk_slice first, then;
    enum dbk_bucket by; /* not hours */
    const char *zone;
    struct dbk_range range;
    const struct dbk_asker *asker;
};
struct dbk_cohort {
    dbk_timestamp from;
    uint64_t persons;
    size_t
        count; /* of returned: up to the bucket of the last event of `then` there is */
    uint64_t returned[DBK_RETENTION_MAX];
};
typedef void dbk_cohort_visit(void *context, const struct dbk_cohort *cohort);
/* By time; none is empty. DBK_TOO_LARGE: more than DBK_RETENTION_MAX cohorts. */
enum dbk_code dbk_read_retention(struct dbk_read_model *model,
                                 const struct dbk_retention_query *query,
                                 dbk_cohort_visit *visit, void *context,
                                 struct dbk_error *err);

#endif
