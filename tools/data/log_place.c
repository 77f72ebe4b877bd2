#include "log_place.h"

#include <limits.h>
#include <stdio.h>

bool tool_log_dir(const struct config *config, char *out, size_t size,
                  struct dbk_error *err)
{
    int length = snprintf(out, size, "%s/log", config_text(config, SETTING_DATA_DIR));

    if (length > 0 && (size_t)length < size)
        return true;
    dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    return false;
}

enum dbk_code tool_log_open(const struct tool *tool, struct dbk_log **log,
                            struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    char dir[PATH_MAX];

    *log = NULL;
    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    return dbk_log_open(dir, &options, log, err);
}
