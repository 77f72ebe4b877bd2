#include "backup_check.h"

#include "identity.h"
#include "index.h"
#include "scan.h"

#include <errno.h>
#include <string.h>

#define PROGRESS_EVERY 4096

static void find(struct backup_check *check, uint64_t sequence, const char *text)
{
    check->findings++;
    if (check->options->finding)
        check->options->finding(check->options->context, sequence, text);
}

/* Whether both have the same entry under the key, or both none. */
static int compare_entry(const struct backup_check *check, MDB_dbi in_log,
                         MDB_dbi in_backup, const struct dbk_uuid *id, bool *same)
{
    MDB_val key = {sizeof id->bytes, (void *)(uintptr_t)id->bytes}, there, here;
    int log_rc = mdb_get(check->log_txn, in_log, &key, &there);
    int backup_rc = mdb_get(check->backup_txn, in_backup, &key, &here);

    if (log_rc != 0 && log_rc != MDB_NOTFOUND)
        return log_rc;
    if (backup_rc != 0 && backup_rc != MDB_NOTFOUND)
        return backup_rc;
    *same = log_rc == backup_rc;
    if (*same && log_rc == 0)
        *same = there.mv_size == here.mv_size &&
                !memcmp(there.mv_data, here.mv_data, here.mv_size);
    return 0;
}

static int compare_email(const struct backup_check *check, struct dbk_slice email,
                         bool *same)
{
    struct dbk_uuid there = {.bytes = {0}}, here = there;
    int log_rc = index_get_email(check->log_txn, check->log, email, &there);
    int backup_rc = index_get_email(check->backup_txn, check->backup, email, &here);

    if (log_rc != 0 && log_rc != MDB_NOTFOUND)
        return log_rc;
    if (backup_rc != 0 && backup_rc != MDB_NOTFOUND)
        return backup_rc;
    *same = log_rc == backup_rc && dbk_uuid_equal(&there, &here);
    return 0;
}

static int compare_alias(const struct backup_check *check, struct dbk_slice text,
                         bool *same)
{
    struct identity_alias there, here;
    struct identity_key key;
    int rc;

    if (!identity_key_of(text, &key))
        return ENOMEM;
    if ((rc = identity_get_alias(check->log_txn, check->log, &key, &there)) != 0 ||
        (rc = identity_get_alias(check->backup_txn, check->backup, &key, &here)) != 0)
        return rc;
    *same = there.sequence == here.sequence && there.gone == here.gone &&
            dbk_uuid_equal(&there.person, &here.person);
    return 0;
}

static int compare_index(const struct backup_check *check,
                         const struct dbk_record *record, bool *same)
{
    int rc;

    if (record->type == DBK_EVENT_RECORDED || record->type == DBK_EVENT_DELETED)
        return compare_entry(check, check->log->event, check->backup->event,
                             &record->subject, same);
    rc = compare_entry(check, check->log->person, check->backup->person,
                       &record->subject, same);
    if (rc == 0 && *same && record->person.email.length > 0)
        rc = compare_email(check, record->person.email, same);
    if (rc == 0 && *same && record->anonymous_id.length > 0)
        rc = compare_alias(check, record->anonymous_id, same);
    return rc;
}

static int check_one(struct backup_check *check, const struct lmdb_scan *scan,
                     const struct lmdb_scan *original)
{
    bool same = true;
    int rc;

    if (scan->missing)
        find(check, scan->sequence, "records before it are missing in the backup");
    if (scan->wrong)
        find(check, scan->sequence, scan->wrong);
    else if (original->sequence != scan->sequence || original->length != scan->length ||
             memcmp(original->bytes, scan->bytes, scan->length) != 0)
        find(check, scan->sequence, "its bytes in the backup are not the log's");
    if (scan->wrong || !check->same_head)
        return 0;
    rc = compare_index(check, &scan->record, &same);
    if (rc == 0 && !same)
        find(check, scan->sequence,
             "the index entry of what it is about differs between backup and log");
    return rc;
}

static int check_all(struct backup_check *check, struct lmdb_scan *scan,
                     struct lmdb_scan *original, uint64_t after, uint64_t head)
{
    int rc = 0;

    while (rc == 0 && scan->sequence < head) {
        if ((rc = lmdb_scan_next(scan)) != 0 || (rc = lmdb_scan_next(original)) != 0)
            break;
        rc = check_one(check, scan, original);
        if (scan->sequence % PROGRESS_EVERY == 0) /* the parent asks whether to go on */
            dbk_watch_progress(&check->options->watch, "checking", "records",
                               scan->sequence - after, head - after, NULL);
    }
    return rc;
}

int backup_check_run(struct backup_check *check, uint64_t after, uint64_t head)
{
    struct lmdb_scan scan, original = {.cursor = NULL};
    int rc = lmdb_scan_begin(&scan, check->backup_txn, check->backup, after);

    if (rc == 0)
        rc = lmdb_scan_begin(&original, check->log_txn, check->log, after);
    if (rc == 0)
        rc = check_all(check, &scan, &original, after, head);
    lmdb_scan_end(&scan);
    lmdb_scan_end(&original);
    if (rc != MDB_NOTFOUND)
        return rc;
    find(check, head, "it is missing in the backup");
    return 0;
}
