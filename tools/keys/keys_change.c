/* daybook keys backup and rotate. */
#include "caught_up.h"
#include "escape.h"
#include "keys_open.h"
#include "keys_parts.h"
#include "scrub.h"
#include "store/keys_share.h"
#include "store/replicated.h"

#include <inttypes.h>

static enum dbk_code copy(const struct tool *tool, struct dbk_keys_state *state,
                          struct dbk_error *err)
{
    struct keys_open open;
    enum dbk_code code = keys_open(tool, &open, err);

    if (code == DBK_OK)
        code = dbk_keys_backup(open.keys, tool->operands[1], err);
    if (code == DBK_OK)
        code = dbk_keys_state(open.keys, state, err);
    keys_close(&open);
    return code;
}

enum tool_exit keys_backup(const struct tool *tool)
{
    struct dbk_keys_state state;
    struct dbk_error err;

    if (!*tool->operands[1])
        return tool_misused(tool, "TO is empty: name the file to be made");
    if (copy(tool, &state, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    printf("copied %" PRIu64 " keys, epoch %" PRIu64 ", to ", state.copied_count,
           state.copied_epoch);
    escape_plain(stdout, dbk_slice(tool->operands[1]));
    fputs("\nIt opens by the master key ", stdout);
    escape_plain(stdout, dbk_slice(state.master));
    puts(", which it does not have: keep a copy of\n"
         "that elsewhere. Who is erased from now on stays in this copy until daybook "
         "keys\n"
         "rotate.");
    return TOOL_DONE;
}

/* What the others were sent before may be sealed by the master key that is destroyed. */
static enum dbk_code check_read(const struct tool *tool, struct dbk_log *log,
                                struct dbk_error *err)
{
    if (caught_up_wait(tool->config, log, err) == DBK_OK)
        return DBK_OK;
    return dbk_wrap(err, "nothing was changed: a member rotates when it has read all "
                         "that the brokers have (cluster status: lag)");
}

/* Of several copies each would make a master key of its own. */
static enum dbk_code check_copies(const struct tool *tool, const struct keys_open *open,
                                  struct dbk_error *err)
{
    struct dbk_keys_state state;
    struct dbk_place place;

    if (!open->log || dbk_log_place(open->log, &place, NULL) != DBK_OK)
        return DBK_OK;
    if (dbk_keys_has_next(open->keys))
        return check_read(tool, open->log, err);
    if (dbk_keys_state(open->keys, &state, err) != DBK_OK)
        return err->code;
    return dbk_fail(
        err, DBK_CONFLICT,
        "this log is a member of a cluster, all of which need the same next "
        "master key: put it on each as %s.new first (openssl rand -hex 32, "
        "chmod 600), then run daybook keys rotate on each; nothing was changed",
        state.master);
}

static enum dbk_code rotate(const struct tool *tool, struct dbk_keys_rotation *rotation,
                            struct dbk_keys_state *state, struct dbk_error *err)
{
    struct keys_open open;
    enum dbk_code code = keys_open(tool, &open, err);

    if (code == DBK_OK)
        code = check_copies(tool, &open, err);
    if (code == DBK_OK)
        code = dbk_keys_rotate(open.keys, rotation, err);
    if (code == DBK_OK)
        code = dbk_keys_state(open.keys, state, err);
    keys_close(&open);
    return code;
}

static void tell_rotated(const struct dbk_keys_rotation *rotation,
                         const struct dbk_keys_state *state)
{
    printf("wrapped %" PRIu64 " keys anew, epoch %" PRIu64 "; %" PRIu64 " are erased\n",
           rotation->live, rotation->epoch, rotation->erased);
    if (rotation->done) {
        puts(
            "The former master key is destroyed: no older copy of the ring opens any "
            "more,\n"
            "but where that key was copied along, as in backups that have both. Make a "
            "new\n"
            "copy: daybook keys backup TO");
        return;
    }
    fputs("The new master key is ", stdout);
    escape_plain(stdout, dbk_slice(rotation->next));
    fputs(". Put it in the place of\n", stdout);
    escape_plain(stdout, dbk_slice(state->master));
    puts(", which cannot be written here, and destroy\n"
         "what was there: until then older copies of the ring open. Then make a new "
         "copy:\n"
         "daybook keys backup TO");
}

enum tool_exit keys_rotate(const struct tool *tool)
{
    struct dbk_keys_rotation rotation;
    struct dbk_keys_state state;
    bool scrubs = tool_has(tool, "--scrub");
    enum tool_exit exit = scrubs ? scrub_check(tool) : TOOL_DONE;
    struct scrubbed scrubbed;
    struct dbk_error err;

    if (exit != TOOL_DONE)
        return exit;
    if (rotate(tool, &rotation, &state, &err) != DBK_OK)
        return tool_fail(tool, &err);
    tell_rotated(&rotation, &state);
    fflush(stdout);
    if (scrubs)
        exit = scrub_behind(tool, "the keys are wrapped anew", &scrubbed);
    if (scrubs && exit == TOOL_DONE)
        scrub_print(&scrubbed);
    return exit;
}
