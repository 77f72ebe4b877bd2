/* replaced.h - before the tables are made anew: are they worth more than the log? */
#ifndef DBK_TOOLS_REPLACED_H
#define DBK_TOOLS_REPLACED_H

#include "session.h"

/* Whether the log of an open session may replace the tables. That they are of another log is said
 * at warn; that they cannot be looked at keeps nobody from making them anew.
 *
 * DBK_CONFLICT  the log is empty, and the tables are not; not with force
 * Else errors as dbk_log_head. */
enum dbk_code replaced_check(const struct session *session, bool force,
                             struct dbk_error *err);

#endif
