/* database_file.h - DATA_DIR/database: where the read tables of a data directory are, left
 * there by serve for tools that are not told.
 *
 * One line: "private", or DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_SCHEMA, each as
 * NAME=value; never the password. For its owner only, and read by people: a program only
 * asks whether it is "private".
 */
#ifndef DBK_TOOLS_DATABASE_FILE_H
#define DBK_TOOLS_DATABASE_FILE_H

#include "command.h"

#define DATABASE_FILE_TEXT 2048 /* bytes */

/* Leave what the settings say, durably, unless it is there already. before receives what
 * was there instead, or "". Holding serve.lock. DBK_IO, DBK_NO_ROOM. */
enum dbk_code database_file_leave(const struct config *config,
                                  char before[DATABASE_FILE_TEXT],
                                  struct dbk_error *err);

/* Where DB_HOST is empty, and the tables were last served from a PostgreSQL of one's own:
 * say so, and return TOOL_MISUSED, for the private cluster's are others. Else TOOL_DONE. */
enum tool_exit database_file_check(const struct tool *tool);

#endif
