/* statistic.h - tables that hold what is counted of others: event_hour.
 *
 * Triggers of the migrations keep them in the transaction that changes the events, so what
 * posts knows nothing of them. A load takes the triggers away and counts once; a comparison
 * counts by the rows that should be there.
 */
#ifndef DBK_PROJECTIONS_STATISTIC_H
#define DBK_PROJECTIONS_STATISTIC_H

enum { STATISTICS = 1 };

struct statistic {
    const char *name;
    /* For a load: scripts to empty it, to count what is in the tables, to gather statistics
     * for the planner. */
    const char *truncate, *count, *analyze;
    /* Makes the statement that compares it (sql/rebuild/compare_right_events.sql). */
    const char *compare;
};

extern const struct statistic statistics[STATISTICS];

#endif
