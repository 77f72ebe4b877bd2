#include "poster.h"

#include "dbk_sql.h"

enum { QUERY_MS = 30000 };
enum column { STORE_ID, SEQUENCE, QUARANTINE_SEQUENCE, QUARANTINE_PERSON, OID };
enum poll_column {
    POLL_STORE_ID,
    POLL_SEQUENCE,
    POLL_QUARANTINED,
    POLL_RETRIES,
    POLL_TABLES
};

static const struct dbk_pg_statement load = {"checkpoint_load",
                                             dbk_sql_checkpoint_load};
static const struct dbk_pg_statement insert = {"checkpoint_insert",
                                               dbk_sql_checkpoint_insert};
static const struct dbk_pg_statement poll = {"checkpoint_poll",
                                             dbk_sql_checkpoint_poll};

static bool read_uuid(const struct dbk_pg_result *result, size_t row, int column,
                      struct dbk_uuid *out)
{
    struct dbk_slice text = dbk_pg_value(result, row, column);

    return dbk_uuid_parse(text.data, text.length, out);
}

static enum dbk_code query_load(struct poster *self, struct dbk_pg_result **result,
                                struct dbk_error *err)
{
    return dbk_pg_run(self->pg, &load, NULL, 0, QUERY_MS, result, err);
}

/* The first time there is no checkpoint: make one beside the empty tables. */
static enum dbk_code query_or_make(struct poster *self, struct dbk_pg_result **result,
                                   struct dbk_error *err)
{
    struct dbk_pg_param store_id = dbk_pg_uuid(&self->store_id);
    enum dbk_code code = query_load(self, result, err);

    if (code != DBK_OK || dbk_pg_rows(*result) > 0)
        return code;
    dbk_pg_clear(*result);
    *result = NULL;
    code = dbk_pg_run(self->pg, &insert, &store_id, 1, QUERY_MS, NULL, err);
    return code == DBK_OK ? query_load(self, result, err) : code;
}

/* Tables that were posted from another log, or from a longer one, are left alone. */
static enum dbk_code check_ours(struct poster *self, const struct dbk_pg_result *result,
                                struct dbk_error *err)
{
    char text[DBK_UUID_TEXT + 1];
    uint64_t sequence, head;
    struct dbk_uuid theirs;

    if (dbk_pg_rows(result) == 0)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the read tables have rows but no checkpoint: drop their schema, "
            "and they are made again from the log");
    if (!read_uuid(result, 0, STORE_ID, &theirs) ||
        !dbk_uuid_equal(&theirs, &self->store_id)) {
        dbk_uuid_format(&self->store_id, text);
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the read tables belong to another log (%s, this is %s): use "
                        "another database, or drop their schema",
                        dbk_pg_value(result, 0, STORE_ID).data, text);
    }
    if (dbk_log_head(self->log, &head, err) != DBK_OK)
        return err->code;
    sequence = dbk_pg_u64(result, 0, SEQUENCE);
    if (sequence > head)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the read tables are at sequence %llu, past the end of the log "
                        "at %llu: restore the whole log, or drop their schema to have "
                        "them made again from this one",
                        (unsigned long long)sequence, (unsigned long long)head);
    return DBK_OK;
}

static enum dbk_code take_set_aside(struct poster *self,
                                    const struct dbk_pg_result *result,
                                    struct dbk_error *err)
{
    struct dbk_uuid person;

    fold_index_clear(&self->set_aside);
    self->quarantined = 0;
    for (size_t i = 0; i < dbk_pg_rows(result); i++) {
        self->quarantined += !dbk_pg_null(result, i, QUARANTINE_SEQUENCE);
        if (dbk_pg_null(result, i, QUARANTINE_PERSON) ||
            !read_uuid(result, i, QUARANTINE_PERSON, &person))
            continue;
        if (!fold_index_put(&self->set_aside, &person))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    return DBK_OK;
}

enum dbk_code poster_load(struct poster *self, struct dbk_error *err)
{
    struct dbk_pg_result *result = NULL;
    enum dbk_code code = query_or_make(self, &result, err);

    if (code == DBK_OK)
        code = check_ours(self, result, err);
    if (code == DBK_OK)
        code = take_set_aside(self, result, err);
    if (code == DBK_OK) {
        self->projected = dbk_pg_u64(result, 0, SEQUENCE);
        self->tables = dbk_pg_u64(result, 0, OID);
    } else if (code == DBK_UNSUPPORTED) {
        self->projected = self->quarantined = 0;
    }
    dbk_pg_clear(result);
    poster_moved(self);
    return code;
}

enum dbk_code poster_begin(struct poster *self, struct dbk_error *err)
{
    enum dbk_code code =
        dbk_pg_script(self->pg, dbk_sql_projector_session, QUERY_MS, err);

    return code == DBK_OK ? poster_load(self, err) : code;
}

enum dbk_code poster_poll(struct poster *self, bool *same, uint64_t *retries,
                          struct dbk_error *err)
{
    struct dbk_pg_result *result;
    struct dbk_uuid store_id;
    enum dbk_code code = dbk_pg_run(self->pg, &poll, NULL, 0, QUERY_MS, &result, err);

    *same = false;
    *retries = 0;
    if (code != DBK_OK)
        return code;
    if (dbk_pg_rows(result) > 0) {
        *same = read_uuid(result, 0, POLL_STORE_ID, &store_id) &&
                dbk_uuid_equal(&store_id, &self->store_id) &&
                dbk_pg_u64(result, 0, POLL_SEQUENCE) == self->projected &&
                dbk_pg_u64(result, 0, POLL_QUARANTINED) == self->quarantined &&
                dbk_pg_u64(result, 0, POLL_TABLES) == self->tables;
        *retries = dbk_pg_u64(result, 0, POLL_RETRIES);
    }
    dbk_pg_clear(result);
    return DBK_OK;
}
