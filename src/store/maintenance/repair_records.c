#include "store/repair.h"

#include "repair_pair.h"
#include "repair_private.h"
#include "repair_shown.h"
#include "store/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_EVERY 1024
#define PATCHES_MAX 100000 /* more than these are no few damaged records */

/* A damaged stretch, all of which is taken for one reason, or not taken for one. */
struct stretch {
    uint64_t from, to;       /* from 0: there is none */
    bool can, proven;        /* the copy has it; what the log kept of each shows that */
    struct dbk_uuid subject; /* what the copy's last one is about, if it has it */
    char why[sizeof((struct dbk_salvaged *)0)->why];
};

/* Stretches wait until a record behind them shows that the copy's are the ones. */
struct finder {
    struct repair_plan *plan;
    struct repair_pair pair;
    struct dbk_repaired *out;
    struct stretch *list; /* owned */
    size_t count, room;
    uint64_t shown; /* the copy's are the log's up to here, by a record or an index */
};

static enum dbk_code grow(struct finder *finder, struct dbk_error *err)
{
    size_t room = finder->room ? 2 * finder->room : 64;
    struct stretch *list = finder->list;

    if (finder->count < finder->room)
        return DBK_OK;
    list = realloc(list, room * sizeof *list);
    if (!list)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to repair the log");
    finder->list = list;
    finder->room = room;
    return DBK_OK;
}

static enum dbk_code note_subject(const struct finder *finder, struct stretch *stretch,
                                  struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = DBK_OK;

    if (!stretch->can)
        return DBK_OK;
    code = dbk_record_decode(finder->pair.there.bytes, finder->pair.there.length,
                             &record, err);
    if (code == DBK_OK)
        stretch->subject = record.subject;
    return code;
}

static enum dbk_code note(struct finder *finder, struct dbk_error *err)
{
    const struct repair_pair *pair = &finder->pair;
    bool can = repair_pair_can_take(pair);
    bool proven = can && repair_pair_is_proven(pair);
    struct stretch *last = finder->count ? &finder->list[finder->count - 1] : NULL;

    finder->out->damaged++;
    if (last && last->to + 1 == pair->here.sequence && last->can == can &&
        last->proven == proven) {
        last->to++;
        return note_subject(finder, last, err);
    }
    if (grow(finder, err) != DBK_OK)
        return err->code;
    last = &finder->list[finder->count++];
    *last = (struct stretch){.from = pair->here.sequence,
                             .to = pair->here.sequence,
                             .can = can,
                             .proven = proven};
    memcpy(last->why, pair->here.why, sizeof last->why);
    return note_subject(finder, last, err);
}

static enum dbk_code add_patch(struct repair_plan *plan, const struct dbk_salvaged *one,
                               struct dbk_error *err)
{
    struct repair_patch patch = {.sequence = one->sequence, .length = one->length};
    struct repair_patch *grown;

    if (plan->count == PATCHES_MAX)
        plan->structural = true;
    if (plan->structural)
        return DBK_OK;
    grown = realloc(plan->patches, (plan->count + 1) * sizeof *grown);
    if (grown)
        plan->patches = grown;
    patch.bytes = malloc(one->length);
    if (!grown || !patch.bytes) {
        free(patch.bytes);
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to repair the log");
    }
    memcpy(patch.bytes, one->bytes, one->length);
    plan->patches[plan->count++] = patch;
    return DBK_OK;
}

static enum dbk_code find_one(struct finder *finder, struct dbk_error *err)
{
    const struct repair_pair *pair = &finder->pair;

    if (pair->here.state == DBK_SALVAGED)
        return DBK_OK;
    if (pair->here.state == DBK_SALVAGE_LOST)
        finder->plan->structural = true;
    if (note(finder, err) != DBK_OK)
        return err->code;
    return repair_pair_can_take(pair) ? add_patch(finder->plan, &pair->there, err)
                                      : DBK_OK;
}

static enum dbk_code find_all(struct finder *finder, struct dbk_error *err)
{
    const struct dbk_watch *watch = &finder->plan->options->watch;
    uint64_t head = dbk_salvage_head(finder->pair.log);
    enum dbk_code code = DBK_OK;

    finder->out->head = head;
    while (code == DBK_OK && (code = repair_pair_next(&finder->pair, err)) == DBK_OK) {
        uint64_t at = finder->pair.here.sequence;

        code = find_one(finder, err);
        if (code == DBK_OK && at % PROGRESS_EVERY == 0)
            code = dbk_watch_progress(watch, "comparing", "records", at, head, err);
    }
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

/* NULL: the copy's records may be taken. */
static const char *why_not(const struct finder *finder, const struct stretch *stretch)
{
    if (!stretch->can)
        return "the copy does not have it either";
    if (stretch->proven || finder->shown >= stretch->to)
        return NULL;
    return "nothing shows that the copy's is the one: no record behind it can be read "
           "in both, and the log's indexes do not say so";
}

/* Behind the last record that both have, the log's indexes may know what was there. The id
 * of the log does not tell: a clone, or a log that was put back, has it too. */
static void look_behind(struct finder *finder)
{
    finder->shown = finder->pair.agreed;
    for (size_t i = finder->count; i > 0; i--) {
        const struct stretch *stretch = &finder->list[i - 1];

        if (stretch->to < finder->shown)
            return;
        if (stretch->can && !stretch->proven &&
            repair_is_shown(finder->plan->dir, stretch->to, &stretch->subject)) {
            finder->shown = stretch->to;
            return;
        }
    }
}

static void drop_patches(struct repair_plan *plan, uint64_t from, uint64_t to)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct repair_patch *patch = &plan->patches[i];

        if (patch->sequence >= from && patch->sequence <= to)
            free(patch->bytes);
        else
            plan->patches[kept++] = *patch;
    }
    plan->count = kept;
}

static void judge(struct finder *finder)
{
    const struct dbk_repair_options *options = finder->plan->options;

    look_behind(finder);
    for (size_t i = 0; i < finder->count; i++) {
        const struct stretch *stretch = &finder->list[i];
        const char *why = why_not(finder, stretch);
        char text[320];

        snprintf(text, sizeof text, "%s%s%s", stretch->why, why ? "; " : "",
                 why ? why : "");
        if (why)
            drop_patches(finder->plan, stretch->from, stretch->to);
        else
            finder->out->taken += stretch->to - stretch->from + 1;
        options->told(options->context, stretch->from, stretch->to, !why, text);
    }
}

static enum dbk_code find(struct finder *finder, struct dbk_error *err)
{
    const struct repair_plan *plan = finder->plan;
    enum dbk_code code = repair_pair_open(plan->dir, plan->copy, &finder->pair, err);

    if (code != DBK_OK)
        return code;
    code = find_all(finder, err);
    if (code == DBK_OK)
        judge(finder);
    repair_pair_close(&finder->pair);
    free(finder->list);
    return code;
}

/* Beside it where it must be: then all must be had, for a log has no holes. */
static enum dbk_code mend(struct repair_plan *plan, struct dbk_repaired *out,
                          struct dbk_error *err)
{
    enum dbk_code code = DBK_DAMAGED;

    if (out->taken > 0 && !plan->structural)
        code = repair_in_place(plan, err);
    if (code != DBK_DAMAGED)
        return code;
    if (out->taken < out->damaged) {
        out->refused = true;
        return DBK_OK;
    }
    code = repair_beside(plan, err);
    out->built = code == DBK_OK;
    return code;
}

enum dbk_code dbk_log_repair_records(const char *dir, const char *copy,
                                     const struct dbk_repair_options *options,
                                     struct dbk_repaired *out, struct dbk_error *err)
{
    struct repair_plan plan = {.dir = dir, .copy = copy, .options = options};
    struct finder finder = {.plan = &plan, .out = out};
    enum dbk_code code;

    *out = (struct dbk_repaired){0};
    code = find(&finder, err);
    if (code == DBK_OK && out->damaged > 0)
        code = mend(&plan, out, err);
    for (size_t i = 0; i < plan.count; i++)
        free(plan.patches[i].bytes);
    free(plan.patches);
    return code;
}
