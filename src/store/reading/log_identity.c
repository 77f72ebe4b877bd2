/* Looking up in a log by what a person is known, and what is known of a person. */
#include "identity.h"
#include "index.h"
#include "log_read.h"
#include "restricted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int find_email(const struct environment *environment, MDB_txn *txn,
                      struct dbk_slice text, struct dbk_uuid *person)
{
    return text.length <= DBK_EMAIL_MAX
               ? index_get_email(txn, environment, text, person)
               : MDB_NOTFOUND;
}

static int find_external(const struct environment *environment, MDB_txn *txn,
                         struct dbk_slice text, struct dbk_uuid *person)
{
    struct identity_key key;

    return identity_key_of(text, &key)
               ? identity_get_external(txn, environment, &key, person)
               : ENOMEM;
}

static int find_anonymous(const struct environment *environment, MDB_txn *txn,
                          struct dbk_slice text, struct dbk_uuid *person)
{
    struct identity_alias alias;
    struct identity_key key;
    int rc = identity_key_of(text, &key)
                 ? identity_get_alias(txn, environment, &key, &alias)
                 : ENOMEM;

    if (rc != 0)
        return rc;
    *person = alias.person;
    return alias.sequence > 0 ? 0 : MDB_NOTFOUND;
}

static int find(const struct environment *environment, MDB_txn *txn,
                enum dbk_identity identity, struct dbk_slice text,
                struct dbk_uuid *person)
{
    if (text.length == 0)
        return MDB_NOTFOUND;
    switch (identity) {
    case DBK_IDENTITY_EMAIL:
        return find_email(environment, txn, text, person);
    case DBK_IDENTITY_EXTERNAL_ID:
        return find_external(environment, txn, text, person);
    case DBK_IDENTITY_ANONYMOUS_ID:
        return find_anonymous(environment, txn, text, person);
    }
    return MDB_NOTFOUND;
}

enum dbk_code dbk_log_whose(struct dbk_log *log, enum dbk_identity identity,
                            struct dbk_slice text, struct dbk_uuid *person,
                            struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    if (code != DBK_OK)
        return code;
    rc = find(&log->environment, txn, identity, text, person);
    if (rc == MDB_NOTFOUND)
        code = dbk_fail(err, DBK_NOT_FOUND, "there is no such person");
    else if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "look up in the log");
    log_end_read(log, txn);
    return code;
}

void dbk_aliases_finish(struct dbk_aliases *aliases)
{
    free(aliases->list);
    free(aliases->bytes);
    memset(aliases, 0, sizeof *aliases);
}

/* Make room for as many as the person has. */
static int make_room(struct dbk_aliases *out, size_t count)
{
    if (count == 0)
        return 0;
    out->list = calloc(count, sizeof *out->list);
    out->bytes = malloc(count * DBK_ANONYMOUS_ID_MAX);
    return out->list && out->bytes ? 0 : ENOMEM;
}

/* Copy the alias with this key. */
static int copy_alias(MDB_txn *txn, const struct environment *environment,
                      const struct identity_key *key, const struct dbk_uuid *person,
                      struct dbk_aliases *out)
{
    char *at = out->bytes + out->count * DBK_ANONYMOUS_ID_MAX;
    struct identity_alias alias;
    size_t length;
    int rc = identity_get_alias_at(txn, environment, key, &alias);

    if (rc != 0)
        return rc;
    if (alias.sequence == 0 || !dbk_uuid_equal(&alias.person, person))
        return LMDB_INDEX_DAMAGED;
    rc = identity_alias_text(txn, environment, key, &alias, at, &length);
    if (rc != 0)
        return rc;
    out->list[out->count++] = (struct dbk_alias){
        .anonymous_id = {at, length}, .sequence = alias.sequence, .key = alias.number};
    return 0;
}

static int copy_aliases(MDB_txn *txn, const struct environment *environment,
                        const struct dbk_person_state *person, struct dbk_aliases *out)
{
    struct identity_key key;
    MDB_cursor *cursor;
    int rc;

    if (person->aliases == 0 || !environment->person_alias)
        return 0;
    if ((rc = make_room(out, person->aliases)) != 0 ||
        (rc = mdb_cursor_open(txn, environment->person_alias, &cursor)) != 0)
        return rc;
    memset(&key, 0, sizeof key);
    while (rc == 0 && out->count < person->aliases) {
        rc = identity_next(cursor, &person->id, &key);
        if (rc == 0)
            rc = copy_alias(txn, environment, &key, &person->id, out);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? LMDB_INDEX_DAMAGED : rc;
}

static int by_sequence(const void *left, const void *right)
{
    const struct dbk_alias *a = left, *b = right;

    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

enum dbk_code dbk_log_aliases(struct dbk_log *log, const struct dbk_uuid *person,
                              struct dbk_aliases *out, struct dbk_error *err)
{
    struct dbk_person_state state;
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    dbk_aliases_finish(out);
    if (code != DBK_OK)
        return code;
    rc = index_get_person(txn, &log->environment, person, &state);
    if (rc == 0 && state.aliases > DBK_ALIASES_MAX)
        rc = LMDB_INDEX_DAMAGED;
    if (rc == 0)
        rc = copy_aliases(txn, &log->environment, &state, out);
    if (rc != 0 && rc != MDB_NOTFOUND)
        code = lmdb_fail(err, log->environment.env, rc, "look up in the log");
    log_end_read(log, txn);
    if (code != DBK_OK)
        dbk_aliases_finish(out);
    if (out->count > 1)
        qsort(out->list, out->count, sizeof *out->list, by_sequence);
    return code;
}

enum dbk_code dbk_log_person_properties(struct dbk_log *log,
                                        const struct dbk_person_state *person,
                                        struct dbk_batch *batch, struct dbk_slice *out,
                                        struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code;

    *out = (struct dbk_slice){NULL, 0};
    if (person->properties_sequence == 0)
        return DBK_OK;
    code = dbk_log_record(log, person->properties_sequence, batch, &record, err);
    if (code != DBK_OK)
        return code;
    if (!(record.person.has & DBK_HAS_PROPERTIES) ||
        !dbk_uuid_equal(&record.subject, &person->id))
        return dbk_fail(
            err, DBK_DAMAGED,
            "the log's index of persons is damaged: daybook verify tells more");
    *out = record.person.properties;
    return DBK_OK;
}

enum dbk_code dbk_log_restricted(struct dbk_log *log, const struct dbk_uuid *person,
                                 uint64_t *since, struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    *since = 0;
    if (code != DBK_OK)
        return code;
    rc = restricted_get(txn, &log->environment, person, since);
    if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "look up in the log");
    log_end_read(log, txn);
    return code;
}

static int copy_restricted(MDB_txn *txn, const struct environment *environment,
                           struct dbk_restricted *out)
{
    size_t count;
    int rc = restricted_count(txn, environment, &count);

    if (rc != 0 || count == 0)
        return rc;
    out->list = malloc(count * sizeof *out->list);
    if (!out->list)
        return ENOMEM;
    return restricted_list(txn, environment, count, out->list, &out->count);
}

enum dbk_code dbk_log_restricted_all(struct dbk_log *log, struct dbk_restricted *out,
                                     struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code = log_begin_read(log, &txn, err);
    int rc;

    dbk_restricted_finish(out);
    if (code != DBK_OK)
        return code;
    rc = copy_restricted(txn, &log->environment, out);
    if (rc != 0)
        code = lmdb_fail(err, log->environment.env, rc, "look up in the log");
    log_end_read(log, txn);
    if (code != DBK_OK)
        dbk_restricted_finish(out);
    return code;
}

void dbk_restricted_finish(struct dbk_restricted *restricted)
{
    free(restricted->list);
    memset(restricted, 0, sizeof *restricted);
}

bool dbk_restricted_has(const struct dbk_restricted *restricted,
                        const struct dbk_uuid *person)
{
    return restricted->count > 0 &&
           bsearch(person, restricted->list, restricted->count,
                   sizeof *restricted->list, index_by_id) != NULL;
}

bool dbk_restricted_says(const struct dbk_restricted *restricted, struct dbk_log *log,
                         const struct dbk_record *record)
{
    struct dbk_event_state event;

    if (restricted->count == 0 || !dbk_type_is_sealed(record->type) || record->erased)
        return false;
    if (dbk_restricted_has(restricted, dbk_record_person(record)))
        return true;
    if (record->type != DBK_EVENT_RECORDED || record->anonymous_id.length == 0)
        return false;
    return dbk_log_event(log, &record->subject, &event, NULL) != DBK_OK ||
           dbk_restricted_has(restricted, &event.person_id);
}
