/* statistic.h - tables that hold what is counted of others: event_hour, event_day.
 *
 * Triggers of the migrations keep them in the transaction that changes the events, so what
 * posts knows nothing of them. A load takes the triggers away and counts once; a comparison
 * counts by the rows that should be there.
 */
#ifndef DBK_PROJECTIONS_STATISTIC_H
#define DBK_PROJECTIONS_STATISTIC_H

enum { STATISTICS = 2 };

struct statistic {
    const char *name;
    /* For a load: scripts to empty it, to count what is in the tables, to gather statistics
     * for the planner. */
    const char *truncate, *count, *analyze;
    /* For a comparison (sql/rebuild/compare_counted.sql): the unit of time by which it
     * counts, as date_trunc and its column are called, and how to_char tells one. */
    const char *unit, *told;
};

/* In the order in which they are counted: one may count what those before it hold. */
extern const struct statistic statistics[STATISTICS];

#endif
