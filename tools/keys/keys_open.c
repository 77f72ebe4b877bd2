#include "keys_open.h"

#include "log_place.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <limits.h>

static enum dbk_code open_log(const struct tool *tool, struct keys_open *open,
                              struct dbk_error *err)
{
    const struct dbk_log_options options = {.existing = true, .keys = open->keys};
    char dir[PATH_MAX];
    enum dbk_code code;

    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = dbk_log_open(dir, &options, &open->log, err);
    if (code != DBK_OK || dbk_log_is_sealed(open->log))
        return code;
    return dbk_fail(err, DBK_CONFLICT,
                    "the log in %.300s is not sealed: it uses no keys", dir);
}

enum dbk_code keys_open(const struct tool *tool, struct keys_open *open,
                        struct dbk_error *err)
{
    enum dbk_code code;

    *open = (struct keys_open){0};
    code = tool_keys_open(tool, false, &open->keys, err);
    if (code == DBK_OK && log_place_has_log(tool->config))
        code = open_log(tool, open, err);
    return code;
}

void keys_close(struct keys_open *open)
{
    dbk_log_close(open->log);
    dbk_keys_close(open->keys);
    *open = (struct keys_open){0};
}
