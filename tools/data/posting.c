#include "posting.h"

#include "log_place.h"
#include "signals.h"

#include <stdio.h>

static bool show(void *context, const char *phase, const char *unit, uint64_t done,
                 uint64_t total)
{
    struct posting *posting = context;

    progress_phase_at(&posting->progress, phase, unit, done);
    progress_show(&posting->progress, done, total);
    return !signals_came();
}

static void tell(void *context, const char *line)
{
    struct posting *posting = context;

    progress_clear(&posting->progress);
    logger_line(posting->tool->logger, LOG_LEVEL_INFO, line);
}

enum dbk_code posting_open(struct posting *posting, const struct tool *tool,
                           struct dbk_error *err)
{
    struct dbk_uuid store_id;

    *posting = (struct posting){.tool = tool, .watch = {show, tell, posting}};
    signals_hold(); /* before the log's thread is made */
    if (tool_log_open(tool, &posting->log, err) != DBK_OK)
        return err->code;
    store_id = dbk_log_store_id(posting->log);
    if (tool_database_open(tool, &store_id, false, &posting->database, err) != DBK_OK)
        return err->code;
    progress_start(&posting->progress, stderr);
    return DBK_OK;
}

void posting_close(struct posting *posting)
{
    progress_clear(&posting->progress);
    tool_database_close(&posting->database);
    dbk_log_close(posting->log);
    posting->log = NULL;
}

enum tool_exit posting_fail(struct posting *posting, const struct dbk_error *err)
{
    progress_clear(&posting->progress);
    tool_fail(posting->tool, err);
    if (err->code == DBK_INTERRUPTED)
        fprintf(stderr,
                "daybook %s: nothing was changed; run the same again to do it after "
                "all\n",
                posting->tool->command->name);
    return TOOL_FAILED;
}
