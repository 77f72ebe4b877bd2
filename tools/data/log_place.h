/* log_place.h - is there a log where one should be, and may one be made?
 *
 * A log that is lost must not be taken for one that was never there: a new one would take
 * writes, and what is left of the old one, the tables, would make room for it. So before a
 * log is made, what lies in the data directory, and the tables that DB_HOST names, are
 * asked whether they know of one.
 */
#ifndef DBK_TOOLS_LOG_PLACE_H
#define DBK_TOOLS_LOG_PLACE_H

#include "command.h"
#include "store/log.h"

/* Whether a log may be made where there is none. DBK_NOT_FOUND: one was, or the tables
 * know one; err says what was found, and what to do. DBK_IO. */
enum dbk_code log_place_check_new(const struct tool *tool, struct dbk_error *err);

/* Whether there is a file that may be a log: for what looks at damaged ones, too.
 * DBK_NOT_FOUND as log_place_fail. DBK_IO: one may not look. */
enum dbk_code log_place_check(const struct config *config, struct dbk_error *err);

/* Whether the data directory has a log, whole or damaged; one that is half made, by a first
 * start that was killed, is none. Opens and closes it: none must be open in this process. */
bool log_place_has_log(const struct config *config);

/* What comes before a log is made: make the data directory, and note that a log may be made
 * in it; with anew whatever lies there. Says at warn which directory it has made.
 *
 * DBK_NOT_FOUND  a log was here, or the tables know one (not with anew)
 * DBK_EXISTS     with anew: there is a log
 * DBK_IO, DBK_NO_ROOM
 */
enum dbk_code log_place_prepare(const struct tool *tool, bool anew,
                                struct dbk_error *err);

/* Open the log of the data directory for writing. With make, and log_place_prepare before,
 * one is made where there is none; else that is DBK_NOT_FOUND, told as tool_log_open does.
 * Notes its id. Says at warn that one was made, and where, and that it is on a network file
 * system.
 *
 * A sealed log is opened with its ring (tool_keys.h). One that is made is sealed where options have
 * a ring, which is taken over in any case, or SEALED is true and options name no id. Errors as
 * dbk_log_open and tool_keys_make. DBK_UNSUPPORTED: also where it is sealed, and its ring cannot
 * be used. */
enum dbk_code log_place_open(const struct tool *tool, bool make,
                             const struct dbk_log_options *options,
                             struct dbk_log **log, struct dbk_error *err);

/* A log has been put into its place whole: note its id, and say at warn where it is, and where
 * it is not sealed, as what it was made of. That it cannot be noted is told, and no failure. No
 * other must be open in this process. */
void log_place_made(const struct tool *tool);

/* The name of a network file system by what statfs says (f_type); NULL: none that is
 * known. */
const char *log_place_network(long type);

/* Fail with DBK_NOT_FOUND: no log in the data directory, and what says that one was. */
enum dbk_code log_place_fail(const struct config *config, struct dbk_error *err);

/* Whether this log is no member of a cluster, whose leader alone may write to it. DBK_CONFLICT:
 * it is one; err says so, and what to do instead, in the caller's words. */
enum dbk_code log_place_check_alone(struct dbk_log *log, const char *instead,
                                    struct dbk_error *err);

#endif
