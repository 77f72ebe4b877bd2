/* Who signs: daybook audit init, vkey, trust-log. */
#include "audit_parts.h"
#include "lock.h"
#include "log_place.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Under the server's lock: it signs by what it read when it started. */
static enum dbk_code begin(const struct tool *tool, char dir[4096], int *lock,
                           struct dbk_error *err)
{
    const char *data_dir = config_text(tool->config, SETTING_DATA_DIR);
    struct stat status;

    *lock = -1;
    if (!tool_audit_dir(tool->config, dir, 4096, err))
        return err->code;
    if (stat(data_dir, &status) != 0 && errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "%.400s: no such directory: give --data-dir", data_dir);
    if (lock_take(data_dir, lock, err) == DBK_CONFLICT)
        return dbk_wrap(err, "stop the server first, which signs");
    return *lock < 0 ? err->code : DBK_OK;
}

/* A name may come before the first start: what that will make is prepared. */
static enum dbk_code prepare(const struct tool *tool, struct dbk_error *err)
{
    return log_place_has_log(tool->config) ? DBK_OK
                                           : log_place_prepare(tool, false, err);
}

enum tool_exit audit_init(const struct tool *tool)
{
    const char *given = tool_value(tool, "--origin");
    const char *origin =
        given ? given : config_text(tool->config, SETTING_AUDIT_ORIGIN);
    char dir[4096], text[DBK_VKEY_TEXT + 1];
    struct dbk_skey key;
    struct dbk_error err;
    bool made = false;
    int lock = -1;
    enum dbk_code code = prepare(tool, &err);

    if (code == DBK_OK)
        code = begin(tool, dir, &lock, &err);
    if (code == DBK_OK)
        code = dbk_audit_init(dir, origin, given != NULL, &key, &made, &err);
    lock_release(lock);
    if (code != DBK_OK)
        return tool_refuse(tool, &err);
    dbk_vkey_format(&key.vkey, text);
    fprintf(stderr,
            made
                ? "the log is known as %s from now on; give auditors its key, and keep "
                  "%s/key to yourself\n"
                : "the log is known as %s already, by the key in %s/key\n",
            key.vkey.name, dir);
    dbk_skey_wipe(&key);
    puts(text);
    return TOOL_DONE;
}

/* Of what signs. Where that cannot be read, the last that was noted: a key may be noted that
 * never came to sign. */
static enum dbk_code find_vkey(const char *dir, struct dbk_vkey *vkey,
                               struct dbk_error *err)
{
    struct dbk_skey key;
    size_t found;
    enum dbk_code code = dbk_audit_key(dir, &key, NULL);

    *vkey = key.vkey;
    dbk_skey_wipe(&key);
    if (code == DBK_OK)
        return DBK_OK;
    if (dbk_audit_keys(dir, vkey, 1, &found, err) != DBK_OK)
        return err->code;
    return found > 0 ? DBK_OK
                     : dbk_fail(err, DBK_NOT_FOUND, "%s/keys.pub has no key", dir);
}

enum tool_exit audit_vkey(const struct tool *tool)
{
    struct dbk_vkey key;
    char dir[4096], text[DBK_VKEY_TEXT + 1];
    struct dbk_error err;

    if (!tool_audit_dir(tool->config, dir, sizeof dir, &err) ||
        find_vkey(dir, &key, &err) != DBK_OK)
        return tool_fail(tool, &err);
    dbk_vkey_format(&key, text);
    puts(text);
    return TOOL_DONE;
}

enum tool_exit audit_trust_log(const struct tool *tool)
{
    char dir[4096];
    struct dbk_error err;
    struct dbk_vkey key;
    int lock;
    enum dbk_code code = begin(tool, dir, &lock, &err);

    if (code == DBK_OK)
        code = dbk_audit_trust(dir, &key, &err);
    lock_release(lock);
    if (code != DBK_OK)
        return tool_refuse(tool, &err);
    fprintf(stderr,
            "what is signed next, as %s, is held against no former checkpoint of this "
            "machine: auditors and witnesses have theirs\n",
            key.name);
    return TOOL_DONE;
}
