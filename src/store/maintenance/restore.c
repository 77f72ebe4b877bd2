#include "store/restore.h"

#include "environment.h"
#include "index.h"
#include "log_builder_private.h"
#include "scan.h"

#include <assert.h>
#include <inttypes.h>

#define PROGRESS_EVERY 4096

/* One restore under way. */
struct restore {
    const struct dbk_restore_options *options;
    struct environment source;
    MDB_txn *txn; /* of the source */
    struct dbk_log_builder *builder;
    uint64_t to;
};

static bool go_on(const struct restore *restore, uint64_t done)
{
    return done % PROGRESS_EVERY != 0 ||
           dbk_watch_progress(&restore->options->watch, "restoring", "records", done,
                              restore->to, NULL) == DBK_OK;
}

static enum dbk_code add(struct restore *restore, const struct lmdb_scan *scan,
                         struct dbk_error *err)
{
    if (scan->missing || scan->wrong)
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 ": %s",
                        scan->sequence - scan->missing,
                        scan->missing ? "it is missing" : scan->wrong);
    if (!go_on(restore, scan->sequence))
        return dbk_fail(err, DBK_INTERRUPTED, "stopped; nothing was restored");
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
    if (code == DBK_OK && rc != 0)
        code = lmdb_fail(err, restore->source.env, rc, "read the backup");
    return code == DBK_OK ? log_builder_take_keys(restore->builder, restore->txn,
                                                  &restore->source, err)
                          : code;
}

static enum dbk_code open_source(struct restore *restore, const char *source,
                                 struct dbk_error *err)
{
    enum dbk_code code =
        environment_open(source, ENVIRONMENT_READ, 0, &restore->source, err);
    uint64_t head;
    int rc;

    if (code != DBK_OK)
        return code;
    rc = mdb_txn_begin(restore->source.env, NULL, MDB_RDONLY, &restore->txn);
    if (rc == 0)
        rc = index_head(restore->txn, &restore->source, &head);
    if (rc != 0)
        return lmdb_fail(err, restore->source.env, rc, "read the backup");
    restore->to = restore->options->to ? restore->options->to : head;
    if (restore->to > head)
        return dbk_fail(err, DBK_NOT_FOUND, "%s ends with record %" PRIu64, source,
                        head);
    return DBK_OK;
}

enum dbk_code dbk_log_restore(const char *source, const char *dir,
                              const struct dbk_restore_options *options, uint64_t *head,
                              struct dbk_error *err)
{
    struct restore restore = {.options = options};
    enum dbk_code code = open_source(&restore, source, err);

    if (code == DBK_OK)
        code = dbk_log_builder_open(dir, &restore.builder, err);
    if (code == DBK_OK) {
        code = add_all(&restore, err);
        if (code == DBK_OK) {
            *head = dbk_log_builder_head(restore.builder);
            assert(*head == restore.to);
            code = dbk_log_builder_finish(restore.builder, err);
        } else {
            dbk_log_builder_abandon(restore.builder);
        }
        if (code != DBK_OK)
            dbk_log_builder_remove(dir);
    }
    if (restore.txn)
        mdb_txn_abort(restore.txn);
    environment_close(&restore.source);
    return code;
}
