/* log_place.h - the log of the data directory that a subcommand is told. */
#ifndef DBK_TOOLS_LOG_PLACE_H
#define DBK_TOOLS_LOG_PLACE_H

#include "command.h"
#include "store/log.h"

/* DATA_DIR/log, where the log is. False where the path is too long. */
bool tool_log_dir(const struct config *config, char *out, size_t size,
                  struct dbk_error *err);

/* Open the log, which must be there. Errors as dbk_log_open. Close with dbk_log_close. */
enum dbk_code tool_log_open(const struct tool *tool, struct dbk_log **log,
                            struct dbk_error *err);

#endif
