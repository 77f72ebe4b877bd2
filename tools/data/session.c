#include "session.h"

#include "signals.h"
#include "tool_data.h"

#include <stdio.h>

enum dbk_code session_open(struct session *session, const struct tool *tool,
                           struct dbk_error *err)
{
    struct dbk_uuid store_id;

    *session = (struct session){.tool = tool};
    signals_hold(); /* before the log's thread is made */
    if (tool_log_open(tool, &session->log, err) != DBK_OK)
        return err->code;
    store_id = dbk_log_store_id(session->log);
    if (tool_database_open(tool, &store_id, false, &session->database, err) != DBK_OK)
        return err->code;
    progress_start(&session->progress, tool_progress(tool));
    session->watch = progress_watch(&session->progress, tool->logger);
    return DBK_OK;
}

void session_close(struct session *session)
{
    progress_clear(&session->progress);
    tool_database_close(&session->database);
    dbk_log_close(session->log);
    session->log = NULL;
}

bool session_again(struct session *session, const struct dbk_error *err)
{
    if (err->code != DBK_UNAVAILABLE || !session->database.cluster ||
        !dbk_cluster_restarted(session->database.cluster))
        return false;
    dbk_watch_say(&session->watch,
                  "the private PostgreSQL was started again: beginning anew");
    return true;
}

enum tool_exit session_fail(struct session *session, const struct dbk_error *err)
{
    progress_clear(&session->progress);
    tool_fail(session->tool, err);
    if (err->code == DBK_INTERRUPTED)
        fprintf(stderr,
                "daybook %s: nothing was changed; run the same again to do it after "
                "all\n",
                session->tool->command->name);
    return TOOL_FAILED;
}
