#include "log_keys.h"

#include "command_private.h"
#include "environment_meta.h"
#include "environment_prove.h"
#include "fault_watch.h"
#include "identity.h"
#include "index.h"
#include "log_bind.h"
#include "log_read.h"
#include "log_value.h"
#include "months.h"
#include "sealed.h"
#include "shipping.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static enum dbk_code read_fail(const struct environment *environment, int rc,
                               struct dbk_error *err)
{
    return lmdb_fail(err, environment->env, rc, "read the log");
}

/* The keys of one person.erased or events.expired. */
static enum dbk_code erase_keys(const struct environment *environment,
                                const struct dbk_record *record, struct dbk_error *err)
{
    uint64_t numbers[DBK_KEYS_MAX / sizeof(uint64_t)];
    size_t count = record->keys.length / sizeof *numbers;

    memcpy(numbers, record->keys.data, record->keys.length);
    for (size_t i = 0; i < count; i++)
        numbers[i] = be64toh(numbers[i]);
    return dbk_keys_erase(environment->keys, numbers, count, record->sequence, err);
}

/* One after the other, in the log's order. */
static enum dbk_code erase_from(const struct environment *environment, MDB_txn *txn,
                                uint64_t after, uint64_t last, struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = DBK_OK;

    for (uint64_t at = after + 1; code == DBK_OK && at <= last; at++) {
        MDB_val key = {sizeof at, &at}, value;
        size_t length;
        int rc = mdb_get(txn, environment->log, &key, &value);

        if (rc != 0)
            return read_fail(environment, rc, err);
        if (!log_value_check(value.mv_data, value.mv_size, &length) ||
            dbk_record_decode(value.mv_data, length, &record, NULL) != DBK_OK)
            continue; /* whoever reads it is told; it erases nobody that is known */
        if (record.type == DBK_PERSON_ERASED || record.type == DBK_EVENTS_EXPIRED)
            code = erase_keys(environment, &record, err);
    }
    return code;
}

/* Keys go only for records that are known to be on disk. */
static int prove(const struct environment *environment)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(environment->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    rc = environment_prove(environment);
    mdb_txn_abort(txn);
    return rc;
}

/* Up to the log's last erasure. `done`, what the ring says of itself, is at most that, but
 * where the log was put back to an earlier state: then others have the sequences since. */
static enum dbk_code erase_up_to(struct dbk_log *log, MDB_txn *txn, uint64_t done,
                                 uint64_t last, struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    uint64_t after = done > log->erased_through ? done : log->erased_through;
    enum dbk_code code = DBK_OK;

    if (done > last) {
        code = dbk_keys_rewind(environment->keys, last, err);
        after = 0;
    }
    return code == DBK_OK ? erase_from(environment, txn, after, last, err) : code;
}

static enum dbk_code catch_up(struct dbk_log *log, MDB_txn *txn, uint64_t done,
                              bool opening, struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    uint64_t last, head;
    enum dbk_code code;
    int rc = environment_get_mark(txn, environment, ENVIRONMENT_ERASED, &last);

    if (rc == 0)
        rc = index_head(txn, environment, &head);
    if (rc == 0 && opening && done != last && !log->options.read_only)
        rc = prove(environment);
    if (rc != 0)
        return read_fail(environment, rc, err);
    if (log->options.read_only && done < last)
        return dbk_fail(err, DBK_CONFLICT,
                        "the ring of keys is older than the last erasure, record %llu: "
                        "daybook serve brings it up to the log",
                        (unsigned long long)last);
    if (log->options.read_only)
        return DBK_OK;
    code = erase_up_to(log, txn, done, last, err);
    if (code == DBK_OK)
        log->erased_through = head;
    return code;
}

/* That the ring has all keys that the log names. */
static enum dbk_code need(const struct environment *environment, MDB_txn *txn,
                          uint64_t *highest, struct dbk_error *err)
{
    int rc = environment_get_mark(txn, environment, ENVIRONMENT_KEY, highest);

    if (rc != 0)
        return read_fail(environment, rc, err);
    return dbk_keys_need(environment->keys, *highest, err);
}

/* The ring is asked before the log: what it says is done is in the log then. */
static enum dbk_code settle(struct dbk_log *log, bool opening, struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    struct dbk_keys_state state;
    enum dbk_code code = dbk_keys_state(environment->keys, &state, err);
    uint64_t highest;
    MDB_txn *txn;
    int rc;

    if (code != DBK_OK)
        return code;
    rc = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return read_fail(environment, rc, err);
    fault_enter(environment->env);
    code = opening ? shared_keys_check(log, txn, err) : DBK_OK;
    if (code == DBK_OK) /* another log's may be short: whose it is comes first */
        code = log_bind(environment, txn, state.bound, err);
    if (code == DBK_OK)
        code = need(environment, txn, &highest, err);
    if (code == DBK_OK)
        code = catch_up(log, txn, state.erased_through, opening, err);
    mdb_txn_abort(txn);
    fault_leave();
    return code;
}

enum dbk_code log_keys_open(struct dbk_log *log, struct dbk_error *err)
{
    struct environment *environment = &log->environment;

    if (!environment->sealed || !log->options.keys)
        return DBK_OK;
    environment->keys = log->options.keys;
    return settle(log, true, err);
}

enum dbk_code log_keys_ahead(struct dbk_log *log, MDB_txn *txn,
                             struct shipping *shipping, struct dbk_error *err)
{
    uint64_t highest;
    enum dbk_code code;

    if (!log->environment.sealed)
        return DBK_OK;
    if (!log->environment.keys)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the log is sealed, and is open without its ring of keys: nothing "
            "can be written to it");
    code = need(&log->environment, txn, &highest, err);
    if (code != DBK_OK)
        return code;
    if (shipping->leads)
        return shared_keys_make(log, txn, &shipping->keys, err);
    return dbk_keys_ahead(log->environment.keys, highest, err);
}

/* What is appended next needs. Who leads, or follows, gets keys with a shipment. */
static enum dbk_code probe(struct dbk_log *log, struct dbk_error *err)
{
    const struct environment *environment = &log->environment;
    uint64_t highest;
    enum dbk_code code;
    MDB_txn *txn;
    int rc = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return read_fail(environment, rc, err);
    fault_enter(environment->env);
    code = need(environment, txn, &highest, err);
    mdb_txn_abort(txn);
    fault_leave();
    if (code == DBK_OK && atomic_load(&log->role) == DBK_LOG_ALONE)
        code = dbk_keys_ahead(environment->keys, highest, err);
    return code;
}

enum dbk_code log_keys_probe(struct dbk_log *log, struct dbk_error *err)
{
    enum dbk_code code;

    assert(log->writing);
    if (!log->environment.keys || log->options.read_only)
        return DBK_OK;
    code = probe(log, err);
    if (code != DBK_OK || !log->unsettled)
        return code;
    code = settle(log, false, err);
    log->unsettled = code != DBK_OK;
    return code;
}

enum dbk_code log_keys_why(const struct dbk_log *log, struct dbk_error *err)
{
    struct dbk_keys_state state;

    if (!log->options.keys)
        return dbk_fail(err, DBK_KEYS_AWAY,
                        "the log is sealed, and is open without its ring of keys");
    if (dbk_keys_state(log->options.keys, &state, err) != DBK_OK)
        return err->code;
    return dbk_fail(
        err, DBK_KEYS_AWAY,
        "the ring of keys could not be read a moment ago, and can be again");
}

enum dbk_code log_keys_settle(struct dbk_log *log, uint64_t before, uint64_t head,
                              bool erases, struct dbk_error *err)
{
    bool first = before == 0 && head > 0;
    enum dbk_code code;

    assert(log->writing);
    if (!log->environment.keys)
        return DBK_OK;
    if (!first && !erases && !log->unsettled) {
        if (log->erased_through == before) /* and nobody else wrote */
            log->erased_through = head;
        return DBK_OK;
    }
    code = settle(log, false, err);
    log->unsettled = code != DBK_OK;
    return code;
}

void log_keys_doubt(struct dbk_log *log)
{
    assert(log->writing);
    log->unsettled = log->sealed;
}

/* What events are sealed with as of now. */
struct sealing {
    const struct environment *environment;
    MDB_txn *txn;
    struct command_key with; /* number: of the person whose key was found last */
    struct dbk_uuid last;    /* whom; nobody has the nil id */
    uint8_t key[DBK_KEY_BYTES], month[DBK_KEY_BYTES];
};

/* False: the month's first event is to come, and it is for the turn to begin one. */
static bool find_month(struct sealing *sealing)
{
    struct month last;

    if (months_last(sealing->txn, sealing->environment, &last) != 0 ||
        last.number == 0 || last.from != dbk_timestamp_month(dbk_timestamp_now()) ||
        sealed_key(sealing->environment, last.number, sealing->month) != 0)
        return false;
    sealing->with.month = last.number;
    return true;
}

static bool find_key(struct sealing *sealing, uint64_t number)
{
    uint8_t own[DBK_KEY_BYTES];

    if (sealing->with.number == number)
        return true;
    sealing->with.number = 0;
    if (sealed_key(sealing->environment, number, own) != 0)
        return false;
    if (sealing->with.month > 0)
        dbk_record_mix(own, sealing->month, sealing->key);
    else
        memcpy(sealing->key, own, sizeof own);
    sealing->with.number = number;
    sealed_wipe(own);
    return true;
}

/* One after the other are often the same person's. */
static bool find_person(struct sealing *sealing, const struct dbk_uuid *id)
{
    struct dbk_person_state person;

    if (sealing->with.number > 0 && dbk_uuid_equal(&sealing->last, id))
        return true;
    if (index_look_person(sealing->txn, sealing->environment, id, &person) != 0 ||
        person.deleted || !find_key(sealing, person.key))
        return false;
    sealing->last = *id;
    return true;
}

static void seal_event(struct sealing *sealing, struct dbk_command *command)
{
    const struct command_entry *entry = command->entries;

    if (command->count == 1 && entry->type == DBK_EVENT_RECORDED &&
        !command_is_anonymous(command) && find_person(sealing, &entry->person_id))
        command_seal(command, sealing->with, sealing->key);
}

/* For fewer it is not worth a look of their own. */
enum { SEALED_BEFORE = 8 };

void log_keys_seal(struct dbk_log *log, struct dbk_command *const *commands,
                   size_t count)
{
    struct sealing sealing = {.environment = &log->environment};

    if (!log->sealed || !log->options.keys || count < SEALED_BEFORE ||
        log_begin_read(log, &sealing.txn, NULL) != DBK_OK)
        return;
    if (!log->options.by_month || find_month(&sealing))
        for (size_t i = 0; i < count; i++)
            seal_event(&sealing, commands[i]);
    log_end_read(log, sealing.txn);
    sealed_wipe(sealing.key);
    sealed_wipe(sealing.month);
}

bool log_alias_id(const struct dbk_log *log, struct dbk_slice anonymous_id,
                  struct dbk_uuid *out)
{
    struct identity_key key;

    if (!identity_key_of(anonymous_id, &key))
        return false;
    memcpy(out->bytes, key.bytes, sizeof out->bytes);
    if (log->sealed && log->options.keys)
        dbk_keys_tag(log->options.keys, DBK_TAG_ANONYMOUS_ID,
                     (struct dbk_slice){(const char *)key.bytes, sizeof key.bytes},
                     out->bytes);
    return true;
}
