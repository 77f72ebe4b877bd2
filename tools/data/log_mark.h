/* log_mark.h - DATA_DIR/log.id: that a log was made here, and which.
 *
 * A log that is missing (removed, its disk not mounted, a file of no bytes) is not one
 * that was never there. The file is empty from before a first log is made, or a first
 * token; it holds the log's id from when that is durable, and before anything is
 * acknowledged. So killed at any point a first start can be made again, and where the id is
 * there, there must be a log.
 */
#ifndef DBK_TOOLS_LOG_MARK_H
#define DBK_TOOLS_LOG_MARK_H

#include "store/error.h"
#include "store/uuid.h"

#define LOG_MARK_NAME "log.id"

enum log_mark {
    LOG_MARK_NONE, /* of before there was such a file; or nothing was ever here */
    LOG_MARK_NEW,  /* a log may be made here */
    LOG_MARK_MADE, /* one was */
};

/* Read it. id receives the text behind LOG_MARK_MADE, else "". DBK_IO. */
enum dbk_code log_mark_read(const char *dir, enum log_mark *mark,
                            char id[DBK_UUID_TEXT + 1], struct dbk_error *err);

/* Say that a log may be made here, durably, unless the file is there; with anew whatever
 * it says. dir must be there. DBK_IO, DBK_NO_ROOM. */
enum dbk_code log_mark_prepare(const char *dir, bool anew, struct dbk_error *err);

/* Say that this log was made here, durably, unless the file does. before receives the id
 * of another one that it named, or "". DBK_IO, DBK_NO_ROOM. */
enum dbk_code log_mark_set(const char *dir, const struct dbk_uuid *store_id,
                           char before[DBK_UUID_TEXT + 1], struct dbk_error *err);

#endif
