#include "session.h"

#include "signals.h"
#include "tool_data.h"

#include <stdio.h>

static void tell_progress(void *context, const char *phase, const char *unit,
                          uint64_t done, uint64_t total)
{
    const struct session *session = context;

    session->plain.progress(session->plain.context, phase, unit, done, total);
}

static void tell_line(void *context, const char *line)
{
    const struct session *session = context;

    dbk_watch_say(&session->plain, "%s", line);
}

static bool stops(void *context)
{
    struct session *session = context;

    return dbk_watch_stops(&session->plain) ||
           (session->database.cluster &&
            dbk_cluster_full(session->database.cluster, session->no_room,
                             sizeof session->no_room));
}

enum dbk_code session_open(struct session *session, const struct tool *tool,
                           struct dbk_error *err)
{
    struct dbk_uuid store_id;

    *session = (struct session){.tool = tool};
    signals_hold(); /* before the log's thread is made */
    if (tool_log_open_whole(tool, &session->log, err) != DBK_OK)
        return err->code;
    store_id = dbk_log_store_id(session->log);
    if (tool_database_open(tool, &store_id, false, &session->database, err) != DBK_OK)
        return err->code;
    progress_start(&session->progress, tool_progress(tool));
    session->plain = progress_watch(&session->progress, tool->logger);
    session->watch = (struct dbk_watch){.progress = tell_progress,
                                        .report = tell_line,
                                        .stop = stops,
                                        .context = session};
    return DBK_OK;
}

void session_close(struct session *session)
{
    if (*session->no_room)
        fprintf(stderr, "daybook %s: %s\n", session->tool->command->name,
                session->no_room);
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
    enum tool_exit exit;

    progress_clear(&session->progress);
    exit = tool_fail(session->tool, err);
    if (err->code == DBK_INTERRUPTED)
        fprintf(stderr,
                "daybook %s: nothing was changed; run the same again to do it after "
                "all\n",
                session->tool->command->name);
    return exit;
}
