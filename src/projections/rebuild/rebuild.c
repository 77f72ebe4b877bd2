/* The tables anew from the log, and in place of the old ones. */
#include "rebuild_private.h"

#include "store/watch.h"

#include <stdio.h>

/* Nobody else's schema may lie where the old tables are to be kept. */
static enum dbk_code check_kept_name(struct rebuild *rebuild, struct dbk_error *err)
{
    enum schema_state state;
    enum dbk_code code =
        schema_look(rebuild->pg, rebuild->old_name, rebuild->old_mark, &state, err);

    if (code == DBK_OK && state == SCHEMA_FOREIGN)
        code = dbk_fail(err, DBK_CONFLICT,
                        "there is a schema %s that is not daybook's: rename it",
                        rebuild->old_name);
    return code;
}

static enum dbk_code build_and_swap(struct rebuild *rebuild, bool keep_old,
                                    struct dbk_rebuild_result *result,
                                    struct dbk_error *err)
{
    const struct rebuild_swap swap = {
        .incoming = rebuild->shadow_name,
        .outgoing_name = keep_old ? rebuild->old_name : rebuild->shadow_name,
        .outgoing_mark = keep_old ? rebuild->old_mark : rebuild->shadow_mark,
        .catch_up = true};
    uint64_t head;
    enum dbk_code code = rebuild_check_holder(rebuild, err);

    if (code == DBK_OK)
        code = rebuild_drop_leftovers(rebuild, NULL, err);
    if (code == DBK_OK)
        code = rebuild_begin(rebuild, err);
    /* Refuse at once what would be refused at the swap. */
    if (code == DBK_OK)
        code = schema_check_place(rebuild->pg, rebuild->live_name, rebuild->shadow_name,
                                  rebuild->watch, err);
    if (code == DBK_OK && keep_old)
        code = check_kept_name(rebuild, err);
    if (code == DBK_OK)
        code = dbk_log_head(rebuild->log, &head, err);
    if (code == DBK_OK)
        code = rebuild_build(rebuild, 0, head, result, err);
    if (code == DBK_OK)
        code = rebuild_catch_up(rebuild, err);
    if (code == DBK_OK)
        code = rebuild_swap(rebuild, &swap, err);
    return code;
}

/* Where the tables of before are kept, if there were any. */
static void note_kept(struct rebuild *rebuild, struct dbk_rebuild_result *result)
{
    enum schema_state state;

    if (schema_look(rebuild->pg, rebuild->old_name, rebuild->old_mark, &state, NULL) ==
            DBK_OK &&
        state == SCHEMA_OURS)
        snprintf(result->kept, sizeof result->kept, "%s", rebuild->old_name);
}

enum dbk_code dbk_rebuild(struct dbk_log *log, const struct dbk_database *database,
                          const struct dbk_rebuild_options *options,
                          struct dbk_rebuild_result *result, struct dbk_error *err)
{
    struct rebuild rebuild;
    enum dbk_code code;

    *result = (struct dbk_rebuild_result){0};
    code = rebuild_open(&rebuild, log, database, &options->watch, err);
    if (code != DBK_OK) {
        rebuild_close(&rebuild);
        return code;
    }
    code = build_and_swap(&rebuild, options->keep_old, result, err);
    if (code == DBK_OK) {
        result->sequence = rebuild.poster.projected;
        result->quarantined = rebuild.poster.quarantined;
        if (options->keep_old)
            note_kept(&rebuild, result);
        rebuild_drop_replaced(&rebuild);
    } else {
        rebuild_abandon(&rebuild);
    }
    rebuild_close(&rebuild);
    return code;
}
