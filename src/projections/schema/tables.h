/* tables.h - whether the read tables are still what the migrations made, which somebody may
 * have changed by hand. Of the rows in them it says nothing: compare.h does. */
#ifndef DBK_PROJECTIONS_TABLES_H
#define DBK_PROJECTIONS_TABLES_H

#include "pg.h"

/* Look for every table and column of ours. DBK_OK; else as pg_run, and tables_broken
 * tells whether it was that. */
enum dbk_code tables_look(struct pg *pg, int timeout_ms, struct dbk_error *err);

/* Whether the last statement failed because a table, column or function is not there, or
 * is another than it was. */
bool tables_broken(const struct pg *pg);

/* Whether the triggers that count events fire, here and as a step of pg_transact; a step
 * that divides by zero (22012) says no, and tables_uncounted what to do (DBK_UNAVAILABLE). */
enum dbk_code tables_check_counted(struct pg *pg, int timeout_ms,
                                   struct dbk_error *err);
extern const struct pg_statement tables_counted;
enum dbk_code tables_uncounted(struct dbk_error *err);

/* Whether the migrations have made tables here, so that what is missing was dropped by
 * hand. Errors as pg_run. */
enum dbk_code tables_made(struct pg *pg, int timeout_ms, bool *made);

/* Put what mends broken tables behind the text of err, which may be NULL. Returns code. */
enum dbk_code tables_advise(enum dbk_code code, struct dbk_error *err);

#endif
