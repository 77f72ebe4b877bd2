/* session.h - what subcommands that post the log to tables have in common: the log, the
 * database, progress on stderr, and a stop by Ctrl-C or SIGTERM that leaves nothing half
 * done. */
#ifndef DBK_TOOLS_SESSION_H
#define DBK_TOOLS_SESSION_H

#include "command.h"
#include "progress.h"
#include "store/log.h"
#include "tool_data.h"

struct session {
    const struct tool *tool;
    struct dbk_log *log;
    struct tool_database database;
    struct progress progress;
    struct dbk_watch plain; /* its context is progress: the session must not move */
    /* For what adds to the tables: it also stops before that takes the log's part of the
     * disk. */
    struct dbk_watch watch;
    char no_room[400]; /* why it did */
};

/* From here on signals wait to be asked for. Open the log, which must exist, and start or
 * reach PostgreSQL. Errors as tool_log_open_whole, tool_database_open. Close it either way. */
enum dbk_code session_open(struct session *session, const struct tool *tool,
                           struct dbk_error *err);
void session_close(struct session *session);

/* Whether it failed since the private PostgreSQL ended with the process that had started
 * it. Another runs now: the same can be done again, from the beginning. */
bool session_again(struct session *session, const struct dbk_error *err);

/* Say why it failed, and what to do next. */
enum tool_exit session_fail(struct session *session, const struct dbk_error *err);

#endif
