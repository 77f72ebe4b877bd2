/* The tables that were kept, in place of those that replaced them. */
#include "rebuild_private.h"

#include <stdio.h>

static enum dbk_code check_kept(struct rebuild *rebuild, struct dbk_error *err)
{
    enum schema_state state;
    enum dbk_code code =
        schema_look(rebuild->pg, rebuild->old_name, rebuild->old_mark, &state, err);

    if (code == DBK_OK && state != SCHEMA_OURS)
        code =
            dbk_fail(err, DBK_NOT_FOUND,
                     "there are no kept tables: a rebuild with --keep-old keeps them, "
                     "as %s",
                     rebuild->old_name);
    return code;
}

static enum dbk_code swap_back(struct rebuild *rebuild, uint64_t *from,
                               struct dbk_error *err)
{
    const struct rebuild_swap swap = {.incoming = rebuild->old_name,
                                      .outgoing_name = rebuild->old_name,
                                      .outgoing_mark = rebuild->old_mark,
                                      .catch_up = true};
    enum dbk_code code = rebuild_check_holder(rebuild, err);

    if (code == DBK_OK) {
        code = rebuild_post_open(rebuild, &rebuild->old, 0, err);
        if (code == DBK_UNSUPPORTED)
            dbk_wrap(err, "the kept ones, %s", rebuild->old_name);
    }
    *from = code == DBK_OK ? rebuild->poster.projected : 0;
    if (code == DBK_OK)
        code = schema_check_place(rebuild->pg, rebuild->live_name, rebuild->old_name,
                                  rebuild->watch, err);
    if (code == DBK_OK)
        code = rebuild_catch_up(rebuild, err);
    if (code == DBK_OK)
        code = rebuild_swap(rebuild, &swap, err);
    return code;
}

enum dbk_code dbk_rebuild_undo(struct dbk_log *log, const struct dbk_database *database,
                               const struct dbk_watch *watch,
                               struct dbk_rebuild_result *result, struct dbk_error *err)
{
    struct rebuild rebuild;
    enum dbk_code code;

    *result = (struct dbk_rebuild_result){0};
    code = rebuild_open(&rebuild, log, database, watch, err);
    if (code == DBK_OK)
        code = check_kept(&rebuild, err);
    if (code == DBK_OK)
        code = swap_back(&rebuild, &result->undone_from, err);
    if (code == DBK_OK) {
        result->sequence = rebuild.poster.projected;
        result->quarantined = rebuild.poster.quarantined;
        snprintf(result->kept, sizeof result->kept, "%s", rebuild.old_name);
    }
    rebuild_close(&rebuild);
    return code;
}

enum dbk_code dbk_rebuild_drop_old(const struct dbk_database *database,
                                   const struct dbk_watch *watch, struct dbk_error *err)
{
    struct rebuild rebuild;
    unsigned leftovers = 0;
    enum dbk_code code = rebuild_open(&rebuild, NULL, database, watch, err);

    if (code == DBK_OK)
        code = rebuild_drop_leftovers(&rebuild, &leftovers, err);
    if (code == DBK_OK)
        code = check_kept(&rebuild, err);
    if (code == DBK_OK)
        code = schema_drop(rebuild.pg, rebuild.old_name, rebuild.old_mark, watch, err);
    else if (code == DBK_NOT_FOUND && leftovers > 0)
        code = DBK_OK;
    rebuild_close(&rebuild);
    return code;
}
