/* post_restricted.h - who is restricted, as PostgreSQL has it for those who ask it by SQL.
 *
 * It is what the log says now, not as of the checkpoint: nobody is shown for longer because
 * tables are behind, or are those of an earlier day.
 */
#ifndef DBK_PROJECTIONS_POST_RESTRICTED_H
#define DBK_PROJECTIONS_POST_RESTRICTED_H

#include "pg.h"
#include "store/log.h"

/* Have the table `restricted` be what the log says. epoch: nothing is done where the tables are
 * another's by now, as which we had taken them over; 0: whoever's they are. As
 * dbk_log_restricted_all, pg_run; DBK_TOO_LARGE. */
enum dbk_code post_restricted(struct dbk_log *log, struct pg *pg, uint64_t epoch,
                              struct dbk_error *err);

#endif
