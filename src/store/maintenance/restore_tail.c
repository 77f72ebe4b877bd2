#include "restore_tail.h"

#include "log_value.h"
#include "repair_shown.h"
#include "store/record.h"
#include "store/salvage.h"

#include <inttypes.h>
#include <string.h>

/* How many records before the backup's end are looked at. */
#define COMPARED 1000
#define PROGRESS_EVERY 1024

static bool is_the_backups(const struct restore_tail *tail,
                           const struct dbk_salvaged *item)
{
    uint64_t sequence = item->sequence;
    MDB_val key = {sizeof sequence, &sequence}, value;

    return mdb_get(tail->txn, tail->backup->log, &key, &value) == 0 &&
           value.mv_size == item->length + LOG_VALUE_CHECKSUM &&
           !memcmp(value.mv_data, item->bytes, item->length);
}

/* What was seen of the records that both should have. */
struct seen {
    uint64_t same;    /* the last that is the backup's */
    uint64_t differs; /* the first behind that which is not; 0: none */
};

/* One that differs, and is followed by one that does not, was changed where it lay. */
static void compare(const struct restore_tail *tail, const struct dbk_salvaged *item,
                    struct seen *seen)
{
    if (item->state != DBK_SALVAGED)
        return;
    if (is_the_backups(tail, item))
        *seen = (struct seen){.same = item->sequence};
    else if (seen->differs == 0)
        seen->differs = item->sequence;
}

static enum dbk_code check_same(const struct restore_tail *tail,
                                const struct seen *seen, struct dbk_error *err)
{
    if (seen->differs == 0)
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "%s is of another history than the backup: record %" PRIu64
                    " differs",
                    tail->dir, seen->differs);
}

/* By the indexes of the damaged log, where the backup's last record cannot be read in it:
 * that earlier ones are the same does not show that the two went one way from there on. */
static bool is_shown(const struct restore_tail *tail, uint64_t sequence)
{
    MDB_val key = {sizeof sequence, &sequence}, value;
    struct dbk_record record;
    struct dbk_error why;

    return mdb_get(tail->txn, tail->backup->log, &key, &value) == 0 &&
           dbk_record_decode(value.mv_data, value.mv_size - LOG_VALUE_CHECKSUM, &record,
                             &why) == DBK_OK &&
           repair_is_shown(tail->dir, sequence, &record.subject);
}

/* Before the first record behind the backup's `own` is taken. */
static enum dbk_code check_join(const struct restore_tail *tail,
                                const struct dbk_salvaged *item,
                                const struct seen *seen, struct dbk_error *err)
{
    uint64_t own = item->sequence - 1, same = seen->same;

    if (check_same(tail, seen, err) != DBK_OK)
        return err->code;
    if (own == 0 || same == own || (same > 0 && item->state != DBK_SALVAGED) ||
        is_shown(tail, own))
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "whether %s is of the backup's history cannot be told: record %" PRIu64
        ", the backup's last, cannot be read there, and the indexes there do "
        "not have it: daybook export --salvage writes what can be read",
        tail->dir, own);
}

static enum dbk_code take(const struct restore_tail *tail,
                          const struct dbk_salvaged *item, struct dbk_restored *out,
                          struct dbk_error *err)
{
    bool readable = item->state == DBK_SALVAGED;

    if (!readable && out->gap == 0)
        out->gap = item->sequence;
    if (readable && out->gap > 0)
        out->behind_gap++;
    if (out->gap > 0)
        return DBK_OK;
    return dbk_log_builder_add(tail->builder, item->bytes, item->length, err);
}

static enum dbk_code walk(const struct restore_tail *tail, struct dbk_salvage *salvage,
                          struct dbk_restored *out, struct dbk_error *err)
{
    uint64_t own = dbk_log_builder_head(tail->builder);
    struct seen seen = {0};
    enum dbk_code code = DBK_OK;
    struct dbk_salvaged item;

    while (code == DBK_OK && (code = dbk_salvage_next(salvage, &item, err)) == DBK_OK) {
        if (item.sequence % PROGRESS_EVERY == 0)
            dbk_watch_progress(&tail->options->watch, "restoring", "records",
                               item.sequence, dbk_salvage_head(salvage), NULL);
        if (item.sequence == own + 1)
            code = check_join(tail, &item, &seen, err);
        if (code == DBK_OK && item.sequence <= own)
            compare(tail, &item, &seen);
        else if (code == DBK_OK)
            code = take(tail, &item, out, err);
    }
    return code == DBK_NOT_FOUND ? check_same(tail, &seen, err) : code;
}

enum dbk_code restore_tail_add(const struct restore_tail *tail,
                               struct dbk_restored *out, struct dbk_error *err)
{
    uint64_t own = dbk_log_builder_head(tail->builder);
    struct dbk_salvage *salvage;
    enum dbk_code code = dbk_salvage_open(
        tail->dir, own > COMPARED ? own - COMPARED : 1, 0, &salvage, err);

    if (code == DBK_DAMAGED) /* it, not the backup */
        return dbk_fail(err, DBK_CONFLICT,
                        "nothing of %s can be read, so there is nothing to go on with: "
                        "leave --continue-with out",
                        tail->dir);
    if (code != DBK_OK)
        return code;
    if (tail->to > dbk_salvage_head(salvage))
        code = dbk_fail(err, DBK_INVALID, "%s ends with record %" PRIu64, tail->dir,
                        dbk_salvage_head(salvage));
    if (code == DBK_OK && tail->to > 0) { /* not further than that */
        dbk_salvage_close(salvage);
        code = dbk_salvage_open(tail->dir, own > COMPARED ? own - COMPARED : 1,
                                tail->to, &salvage, err);
    }
    if (code == DBK_OK)
        code = walk(tail, salvage, out, err);
    dbk_salvage_close(salvage);
    return code;
}
