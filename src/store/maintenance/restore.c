#include "store/restore.h"

#include "environment.h"
#include "index.h"
#include "log_builder_private.h"
#include "restore_tail.h"
#include "sandbox.h"
#include "scan.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_EVERY 1024

/* One restore, as it is asked for. */
struct wish {
    const char *source, *dir;
    const struct dbk_restore_options *options;
    bool was_there;    /* something in dir */
    bool without_keys; /* they end their reader */
};

/* One restore under way, in the sandbox. */
struct restore {
    const struct wish *wish;
    const struct dbk_verify_options *options;
    struct environment source;
    MDB_txn *txn; /* of the source */
    struct dbk_log_builder *builder;
    uint64_t to; /* the last that is taken of the source */
    struct dbk_restored done;
};

static enum dbk_code add(struct restore *restore, const struct lmdb_scan *scan,
                         struct dbk_error *err)
{
    if (scan->missing || scan->wrong)
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 ": %s",
                        scan->sequence - scan->missing,
                        scan->missing ? "it is missing" : scan->wrong);
    if (scan->sequence % PROGRESS_EVERY == 0) /* the parent asks whether to go on */
        dbk_watch_progress(&restore->options->watch, "restoring", "records",
                           scan->sequence, restore->to, NULL);
    return dbk_log_builder_add(restore->builder, scan->bytes, scan->length, err);
}

static enum dbk_code add_all(struct restore *restore, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct lmdb_scan scan;
    int rc = lmdb_scan_begin(&scan, restore->txn, &restore->source, 0);

    while (rc == 0 && code == DBK_OK && scan.sequence < restore->to) {
        rc = lmdb_scan_next(&scan);
        if (rc == 0)
            code = add(restore, &scan, err);
    }
    lmdb_scan_end(&scan);
    if (code != DBK_OK || rc == 0)
        return code;
    lmdb_fail(err, restore->source.env, rc, "read the backup");
    return dbk_wrap(err, "behind record %" PRIu64,
                    dbk_log_builder_head(restore->builder));
}

/* Where only what is before an end is wanted, they may be damaged, as what is behind it. */
static enum dbk_code take_keys(struct restore *restore, struct dbk_error *err)
{
    enum dbk_code code = DBK_DAMAGED;
    struct dbk_error why;

    if (!restore->wish->without_keys)
        code = log_builder_take_keys(restore->builder, restore->txn, &restore->source,
                                     &why);
    if (code == DBK_OK)
        return DBK_OK;
    if (code != DBK_DAMAGED || restore->wish->options->to == 0)
        return dbk_fail(err, code, "%s", why.text);
    restore->options->finding(restore->options->context, 0,
                              "idempotency keys that cannot be read are left out");
    return DBK_OK;
}

/* Without a bound all is taken, so the head must be known; with one nothing behind it
 * matters, and may be damaged. */
static enum dbk_code find_end(struct restore *restore, struct dbk_error *err)
{
    const struct dbk_restore_options *options = restore->wish->options;
    uint64_t head;
    int rc = index_head(restore->txn, &restore->source, &head);

    restore->to = options->to;
    if (rc != 0 && options->to == 0)
        return lmdb_fail(err, restore->source.env, rc, "read the backup");
    if (options->to == 0 || (rc == 0 && options->continue_with && options->to > head))
        restore->to = head;
    else if (rc == 0 && options->to > head)
        return dbk_fail(err, DBK_INVALID, "%s ends with record %" PRIu64,
                        restore->wish->source, head);
    return DBK_OK;
}

static enum dbk_code open_source(struct restore *restore, struct dbk_error *err)
{
    /* With an end, a file that is cut behind that will do. */
    enum dbk_code code = environment_open(
        restore->wish->source,
        restore->wish->options->to > 0 ? ENVIRONMENT_SALVAGE : ENVIRONMENT_READ, 0,
        &restore->source, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = mdb_txn_begin(restore->source.env, NULL, MDB_RDONLY, &restore->txn);
    if (rc == 0)
        return find_end(restore, err);
    restore->txn = NULL;
    return lmdb_fail(err, restore->source.env, rc, "read the backup");
}

static enum dbk_code add_tail(struct restore *restore, struct dbk_error *err)
{
    const struct dbk_restore_options *options = restore->wish->options;
    const struct restore_tail tail = {.dir = options->continue_with,
                                      .to = options->to,
                                      .txn = restore->txn,
                                      .backup = &restore->source,
                                      .builder = restore->builder,
                                      .options = restore->options};

    restore->done.own = dbk_log_builder_head(restore->builder);
    if (!options->continue_with || (options->to && options->to <= restore->done.own))
        return DBK_OK;
    return restore_tail_add(&tail, &restore->done, err);
}

static enum dbk_code join(struct restore *restore, struct dbk_error *err)
{
    if (log_builder_join(restore->builder, restore->txn, &restore->source, err) ==
        DBK_OK)
        return DBK_OK;
    return dbk_wrap(err, "%s", restore->wish->source);
}

static enum dbk_code fill(struct restore *restore, struct dbk_error *err)
{
    struct dbk_keys *keys =
        restore->source.sealed ? restore->wish->options->keys : NULL;
    enum dbk_code code;

    if (restore->source.sealed && !keys)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "%.300s is a sealed log, and its ring of keys is neither with it nor in "
            "the "
            "data directory: put the ring that was kept apart, and its master key, "
            "into "
            "the data directory's keys, and run this again; or, where it is lost for "
            "good, daybook export the log and daybook import that --without-keys",
            restore->wish->source);
    code =
        dbk_log_builder_open_sealed(restore->wish->dir, keys, &restore->builder, err);
    if (code != DBK_OK)
        return code;
    code = add_all(restore, err);
    if (code == DBK_OK)
        code = take_keys(restore, err);
    if (code == DBK_OK && restore->wish->options->member)
        code = join(restore, err);
    if (code == DBK_OK)
        code = add_tail(restore, err);
    restore->done.head = dbk_log_builder_head(restore->builder);
    if (code == DBK_OK)
        code = dbk_log_builder_finish(restore->builder, err);
    else
        dbk_log_builder_abandon(restore->builder);
    if (code != DBK_OK)
        dbk_log_builder_remove(restore->wish->dir);
    return code;
}

/* What there is to tell goes through the fields of a check's result. */
static enum dbk_code run(const void *what, const struct dbk_verify_options *options,
                         struct dbk_verify_result *result, struct dbk_error *err)
{
    struct restore restore = {.wish = what, .options = options};
    enum dbk_code code = open_source(&restore, err);

    memset(result, 0, sizeof *result);
    if (code == DBK_OK)
        code = fill(&restore, err);
    mdb_txn_abort(restore.txn); /* NULL is fine */
    environment_close(&restore.source);
    result->head = restore.done.head;
    result->records = restore.done.own;
    result->last = restore.done.gap;
    result->findings = restore.done.behind_gap;
    return code;
}

static void say(void *context, uint64_t sequence, const char *text)
{
    const struct dbk_restore_options *options = context;

    (void)sequence;
    dbk_watch_say(&options->watch, "%s", text);
}

static enum dbk_code run_sandboxed(const struct wish *wish, struct dbk_restored *out,
                                   uint64_t *died_at, struct dbk_error *err)
{
    const struct dbk_verify_options told = {.finding = say,
                                            .context = (void *)(uintptr_t)wish->options,
                                            .watch = wish->options->watch};
    struct dbk_verify_result result;
    enum dbk_code code = sandbox_run(run, wish, &told, &result, died_at, err);

    *out = (struct dbk_restored){.head = result.head,
                                 .own = result.records,
                                 .gap = result.last,
                                 .behind_gap = result.findings};
    if ((*died_at > 0 || code == DBK_INTERRUPTED) && !wish->was_there)
        dbk_log_builder_remove(wish->dir);
    return code;
}

enum dbk_code dbk_log_restore(const char *source, const char *dir,
                              const struct dbk_restore_options *options,
                              struct dbk_restored *out, struct dbk_error *err)
{
    struct wish wish = {.source = source,
                        .dir = dir,
                        .options = options,
                        .was_there = access(dir, F_OK) == 0};
    uint64_t died_at;
    enum dbk_code code;

    if (options->member && (options->to > 0 || options->continue_with)) {
        *out = (struct dbk_restored){.head = 0};
        return dbk_fail(err, DBK_INVALID,
                        "a member of a cluster is restored whole: without an end, and "
                        "without another log to go on with");
    }
    code = run_sandboxed(&wish, out, &died_at, err);
    if (code == DBK_OK && died_at > 0 && options->to > 0) { /* perhaps of the keys */
        wish.without_keys = true;
        code = run_sandboxed(&wish, out, &died_at, err);
    }
    if (code == DBK_OK && died_at > 0)
        code = dbk_fail(err, DBK_DAMAGED,
                        "the structure of %s is damaged: reading from about record "
                        "%" PRIu64 " on ended the reader",
                        source, died_at);
    return code;
}
