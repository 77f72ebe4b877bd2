#include "replaced.h"

#include "projections/projector.h"

#include <inttypes.h>
#include <stdio.h>

/* The tables may be all that is left of a log that is lost: an empty one is not put in
 * their place by itself, and another one not without a word. */
enum dbk_code replaced_check(const struct session *session, bool force,
                             struct dbk_error *err)
{
    struct dbk_uuid ours = dbk_log_store_id(session->log), store_id;
    uint64_t sequence;
    char theirs[DBK_UUID_TEXT + 1], line[256];
    uint64_t head;

    if (dbk_tables_log(&session->database.at, &store_id, &sequence, err) != DBK_OK ||
        sequence == 0) /* what is wrong with them is why they are made anew */
        return DBK_OK;
    if (dbk_log_head(session->log, &head, err) != DBK_OK)
        return err->code;
    dbk_uuid_format(&store_id, theirs);
    if (head == 0 && !force)
        return dbk_fail(err, DBK_CONFLICT,
                        "this log is empty, and the tables hold what the log %s has up "
                        "to record %" PRIu64 ": mount its disk or restore a backup "
                        "first; daybook rebuild --force replaces them by empty ones",
                        theirs, sequence);
    if (dbk_uuid_equal(&ours, &store_id))
        return DBK_OK;
    snprintf(
        line, sizeof line,
        "the tables that are replaced are of another log, %s, up to record %" PRIu64,
        theirs, sequence);
    logger_line(session->tool->logger, LOG_LEVEL_WARN, line);
    return DBK_OK;
}
