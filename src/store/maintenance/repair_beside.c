#include "repair_private.h"

#include "environment.h"
#include "log_builder_private.h"
#include "repair_pair.h"
#include "sandbox.h"
#include "store/record.h"

#include <inttypes.h>

#define PROGRESS_EVERY 1024
#define ANEW "begin it anew from a backup of another member (daybook restore --member)"

/* A log under way, which its first record says how to begin. */
struct fill {
    const struct repair_plan *plan;
    struct repair_pair *pair;
    struct dbk_log_builder *builder; /* NULL: not begun */
};

/* Whoever is sealed is so from the first record on. */
static enum dbk_code begin(struct fill *fill, const struct dbk_salvaged *first,
                           struct dbk_error *err)
{
    const struct dbk_repair_options *options = fill->plan->options;
    struct dbk_uuid id = dbk_salvage_store_id(fill->pair->log);
    struct dbk_record record;
    enum dbk_code code = dbk_record_decode(first->bytes, first->length, &record, err);

    if (code == DBK_OK && record.key > 0 && !options->keys)
        code = dbk_fail(err, DBK_UNSUPPORTED,
                        "the log is sealed, and a new one is made by its ring of keys, "
                        "which is not here");
    if (code == DBK_OK)
        code = dbk_log_builder_open_sealed(options->beside,
                                           record.key > 0 ? options->keys : NULL,
                                           &fill->builder, err);
    return code == DBK_OK ? log_builder_name(fill->builder, &id, err) : code;
}

static enum dbk_code add_all(struct fill *fill, const struct dbk_watch *watch,
                             struct dbk_error *err)
{
    struct repair_pair *pair = fill->pair;
    enum dbk_code code;

    while ((code = repair_pair_next(pair, err)) == DBK_OK) {
        const struct dbk_salvaged *one =
            repair_pair_can_take(pair) ? &pair->there : &pair->here;

        if (one->sequence % PROGRESS_EVERY == 0) /* the parent asks whether to go on */
            dbk_watch_progress(watch, "building a log", "records", one->sequence,
                               dbk_salvage_head(pair->log), NULL);
        if (one->state != DBK_SALVAGED)
            return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 " cannot be read now",
                            one->sequence);
        if (!fill->builder && begin(fill, one, err) != DBK_OK)
            return err->code;
        code = dbk_log_builder_add(fill->builder, one->bytes, one->length, err);
        if (code != DBK_OK)
            return code;
    }
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

/* Only with all its keys is it the member that it was. */
static void join(struct dbk_log_builder *builder, MDB_txn *txn,
                 const struct environment *damaged,
                 const struct dbk_verify_options *options)
{
    struct dbk_error why;

    if (log_builder_join(builder, txn, damaged, &why) != DBK_OK)
        options->finding(
            options->context, 0,
            "its place in the cluster cannot be read and is left out: " ANEW);
}

/* A log is worth more than they are: what cannot be read of them is left out. */
static enum dbk_code take_keys(const struct repair_plan *plan,
                               struct dbk_log_builder *builder,
                               const struct dbk_verify_options *options,
                               struct dbk_error *err)
{
    struct environment damaged;
    enum dbk_code code = DBK_DAMAGED;
    struct dbk_error why;
    MDB_txn *txn;

    if (!plan->without_keys)
        code = environment_open(plan->dir, ENVIRONMENT_SALVAGE, 0, &damaged, &why);
    if (code == DBK_OK) {
        int rc = mdb_txn_begin(damaged.env, NULL, MDB_RDONLY, &txn);

        code = rc != 0 ? lmdb_fail(&why, damaged.env, rc, "read the log")
                       : log_builder_take_keys(builder, txn, &damaged, &why);
        if (code == DBK_OK && damaged.member)
            join(builder, txn, &damaged, options);
        if (rc == 0)
            mdb_txn_abort(txn);
        environment_close(&damaged);
    }
    if (code != DBK_OK && code != DBK_DAMAGED)
        return dbk_fail(err, code, "%s", why.text);
    if (code == DBK_DAMAGED)
        options->finding(
            options->context, 0,
            "idempotency keys that cannot be read are left out; of a member "
            "of a cluster so is its place there: " ANEW);
    return DBK_OK;
}

static enum dbk_code fill(const struct repair_plan *plan, struct repair_pair *pair,
                          const struct dbk_verify_options *options,
                          struct dbk_error *err)
{
    struct fill fill = {.plan = plan, .pair = pair};
    enum dbk_code code = add_all(&fill, &options->watch, err);

    if (code == DBK_OK && !fill.builder)
        code = dbk_fail(err, DBK_DAMAGED, "no record can be read now");
    if (code == DBK_OK)
        code = take_keys(plan, fill.builder, options, err);
    if (code == DBK_OK)
        return dbk_log_builder_finish(fill.builder, err);
    dbk_log_builder_abandon(fill.builder);
    return code;
}

static enum dbk_code run(const void *what, const struct dbk_verify_options *options,
                         struct dbk_verify_result *result, struct dbk_error *err)
{
    const struct repair_plan *plan = what;
    struct repair_pair pair;
    enum dbk_code code = repair_pair_open(plan->dir, plan->copy, &pair, err);

    (void)result;
    if (code != DBK_OK)
        return code;
    code = fill(plan, &pair, options, err);
    repair_pair_close(&pair);
    return code;
}

static void say(void *context, uint64_t sequence, const char *text)
{
    const struct dbk_repair_options *options = context;

    (void)sequence;
    dbk_watch_say(&options->watch, "%s", text);
}

enum dbk_code repair_beside(struct repair_plan *plan, struct dbk_error *err)
{
    const struct dbk_verify_options told = {.finding = say,
                                            .context = (void *)(uintptr_t)plan->options,
                                            .watch = plan->options->watch};
    struct dbk_verify_result result;
    uint64_t died_at;
    enum dbk_code code = sandbox_run(run, plan, &told, &result, &died_at, err);

    if (code == DBK_OK && died_at > 0) { /* of the keys: nothing else is read there */
        dbk_log_builder_remove(plan->options->beside);
        plan->without_keys = true;
        code = sandbox_run(run, plan, &told, &result, &died_at, err);
    }
    if (code == DBK_OK && died_at > 0)
        code = dbk_fail(err, DBK_DAMAGED, "building a log beside it failed");
    if (code != DBK_OK)
        dbk_log_builder_remove(plan->options->beside);
    return code;
}
