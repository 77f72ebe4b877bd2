/* compare_private.h - the parts of compare.h.
 *
 * compare.c       builds, and arranges that both sides can be seen as of one moment
 * compare_rows.c  holds them against each other
 */
#ifndef DBK_PROJECTIONS_COMPARE_PRIVATE_H
#define DBK_PROJECTIONS_COMPARE_PRIVATE_H

#include "pg.h"
#include "projections/compare.h"

/* Compare all tables of two schemas, of which `built` is right, in the snapshot of the
 * transaction that is open on pg, whose search_path is `built`. Fills all of result but
 * its sequence. DBK_NOT_FOUND: live lacks a table; else as pg.h. */
enum dbk_code compare_rows(struct pg *pg, const char *live, const char *built,
                           const struct dbk_compare_options *options,
                           struct dbk_compare_result *result, struct dbk_error *err);

/* Put words to the failure where it says that a table is not there. */
enum dbk_code compare_explain(const struct pg *pg, enum dbk_code code,
                              struct dbk_error *err);

#endif
