/* Forgetting by age: the months whose keys go. */
#include "log_read.h"
#include "months.h"

#include <string.h>

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
