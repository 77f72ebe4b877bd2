/* Forgetting by age: the months whose keys go. */
#include "index.h"
#include "log_read.h"
#include "months.h"
#include "store/keys_used.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* By how many months what is due may be older than the first that is kept. One is the month that
 * has just become due; two is that of a server which was away then. */
enum { ORDINARY_MONTHS = 2 };

static void doubt(const struct months_look *look, struct dbk_log_due *out)
{
    int64_t back = months_between(out->oldest, out->before);
    char month[DBK_MONTH_TEXT + 1];

    dbk_month_format(back > ORDINARY_MONTHS ? out->oldest : look->silent_month, month);
    if (back > ORDINARY_MONTHS)
        snprintf(out->why, sizeof out->why,
                 "what is old enough goes back %" PRId64 " months at once, to %s", back,
                 month);
    else if (look->silent)
        snprintf(out->why, sizeof out->why,
                 "no event was recorded in %s, so the clock may be ahead", month);
}

enum dbk_code dbk_log_due(struct dbk_log *log, dbk_timestamp before,
                          struct dbk_log_due *out, struct dbk_error *err)
{
    const dbk_timestamp now = dbk_timestamp_now();
    struct months_look look;
    uint64_t head;
    MDB_txn *txn;
    enum dbk_code code;
    int rc;

    *out = (struct dbk_log_due){0};
    if (!dbk_timestamp_valid(before) || !dbk_timestamp_valid(now))
        return dbk_fail(err, DBK_INVALID, "no such month, or the clock is wrong");
    before = dbk_timestamp_month(before < now ? before : now);
    code = log_begin_read(log, &txn, err);
    if (code != DBK_OK)
        return code;
    rc = index_head(txn, &log->environment, &head);
    if (rc == 0)
        rc = months_look(txn, &log->environment, before, now, head, &look);
    if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "read the log");
    log_end_read(log, txn);
    if (code != DBK_OK || look.due.count == 0)
        return code;
    out->months = look.due.count;
    out->oldest = look.oldest;
    out->before = before;
    out->through = look.due.through;
    doubt(&look, out);
    return DBK_OK;
}

enum dbk_code dbk_log_expired(struct dbk_log *log, uint64_t *through,
                              struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    *through = 0;
    if (code != DBK_OK)
        return code;
    rc = months_expired(txn, &log->environment, through);
    if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "read the log");
    log_end_read(log, txn);
    return code;
}

static enum dbk_code submit(struct dbk_log *log, struct dbk_command *command,
                            uint64_t *sequence, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_submit(log, &command, 1, NULL, NULL, err);
    const struct dbk_verdict *verdict = dbk_command_verdict(command);

    if (code != DBK_OK || verdict->code == DBK_EXISTS)
        return code;
    if (verdict->code != DBK_OK)
        return dbk_fail(err, verdict->code, "%s", verdict->error.text);
    *sequence = verdict->sequence;
    return DBK_OK;
}

enum dbk_code dbk_log_expire(struct dbk_log *log, dbk_timestamp before,
                             const char *source, struct dbk_log_expiry *out,
                             struct dbk_error *err)
{
    const struct dbk_record draft = {.type = DBK_EVENTS_EXPIRED,
                                     .subject = log->store_id,
                                     .before = before,
                                     .source = dbk_slice(source)};
    struct dbk_command *command = dbk_command_create();
    enum dbk_code code;

    *out = (struct dbk_log_expiry){0};
    if (!command)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a command");
    code = dbk_command_add(command, &draft, err);
    if (code == DBK_OK)
        code = submit(log, command, &out->sequence, err);
    dbk_command_destroy(command);
    return code == DBK_OK ? dbk_log_expired(log, &out->through, err) : code;
}
