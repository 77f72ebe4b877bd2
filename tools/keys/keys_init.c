/* daybook keys init: a ring before there is a log. */
#include "keys_parts.h"
#include "lock.h"
#include "log_place.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <limits.h>

/* No log has need of a ring that it was not made with. */
static enum dbk_code check_none(const struct tool *tool, struct dbk_error *err)
{
    struct dbk_log *log;
    bool sealed;

    if (!log_place_has_log(tool->config))
        return DBK_OK;
    if (tool_log_open(tool, &log, err) != DBK_OK)
        return err->code;
    sealed = dbk_log_is_sealed(log);
    dbk_log_close(log);
    if (sealed && !tool_keys_there(tool->config))
        return dbk_fail(err, DBK_EXISTS,
                        "the log is sealed with the keys of another ring: put the copy "
                        "back that daybook keys backup made, or that of a backup");
    return sealed ? DBK_OK
                  : dbk_fail(err, DBK_EXISTS,
                             "there is a log, which is not sealed: it "
                             "uses no keys");
}

static enum dbk_code make(const struct tool *tool, struct dbk_error *err)
{
    struct dbk_keys *keys;
    int lock;
    enum dbk_code code = check_none(tool, err);

    if (code == DBK_OK && tool_keys_there(tool->config))
        code = dbk_fail(err, DBK_EXISTS,
                        "there is a ring of keys already: daybook keys "
                        "status tells of it");
    if (code == DBK_OK)
        code = log_place_prepare(tool, false, err);
    if (code != DBK_OK)
        return code;
    code = lock_take(config_text(tool->config, SETTING_DATA_DIR), &lock, err);
    if (code != DBK_OK)
        return code;
    code = tool_keys_make(tool, &keys, err);
    lock_release(lock);
    dbk_keys_close(keys);
    return code;
}

enum tool_exit keys_init(const struct tool *tool)
{
    char dir[PATH_MAX];
    struct dbk_error err;

    if (make(tool, &err) != DBK_OK)
        return tool_fail(tool, &err);
    tool_keys_dir(tool->config, dir, sizeof dir, &err);
    printf(
        "made the ring of keys %s/ring; daybook serve makes a log that is sealed with "
        "them\n",
        dir);
    return TOOL_DONE;
}
