#include "poster.h"

#include "sql.h"

enum { QUERY_MS = 30000 };
enum column { STORE_ID, SEQUENCE, QUARANTINE_SEQUENCE, QUARANTINE_PERSON, OID };
enum poll_column {
    POLL_STORE_ID,
    POLL_SEQUENCE,
    POLL_QUARANTINED,
    POLL_RETRIES,
    POLL_TABLES
};

static const struct pg_statement load = {"checkpoint_load", sql_checkpoint_load};
static const struct pg_statement insert = {"checkpoint_insert", sql_checkpoint_insert};
static const struct pg_statement poll = {"checkpoint_poll", sql_checkpoint_poll};

static bool read_uuid(const struct pg_result *result, size_t row, int column,
                      struct dbk_uuid *out)
{
    struct dbk_slice text = pg_value(result, row, column);

    return dbk_uuid_parse(text.data, text.length, out);
}

static enum dbk_code query_load(struct poster *poster, struct pg_result **result,
                                struct dbk_error *err)
{
    return pg_run(poster->pg, &load, NULL, 0, QUERY_MS, result, err);
}

/* The first time there is no checkpoint: make one beside the empty tables. */
static enum dbk_code query_or_make(struct poster *poster, struct pg_result **result,
                                   struct dbk_error *err)
{
    struct pg_param store_id = pg_uuid(&poster->store_id);
    enum dbk_code code = query_load(poster, result, err);

    if (code != DBK_OK || pg_rows(*result) > 0)
        return code;
    pg_clear(*result);
    *result = NULL;
    code = pg_run(poster->pg, &insert, &store_id, 1, QUERY_MS, NULL, err);
    return code == DBK_OK ? query_load(poster, result, err) : code;
}

/* Tables that were posted from another log, or from a longer one, are left alone. */
static enum dbk_code check_ours(struct poster *poster, const struct pg_result *result,
                                struct dbk_error *err)
{
    char text[DBK_UUID_TEXT + 1];
    uint64_t sequence, head;
    struct dbk_uuid theirs;

    if (pg_rows(result) == 0)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the read tables have rows but no checkpoint: drop their schema, "
            "and they are made again from the log");
    if (!read_uuid(result, 0, STORE_ID, &theirs) ||
        !dbk_uuid_equal(&theirs, &poster->store_id)) {
        dbk_uuid_format(&poster->store_id, text);
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the read tables belong to another log (%s, this is %s): use "
                        "another database, or drop their schema",
                        pg_value(result, 0, STORE_ID).data, text);
    }
    if (dbk_log_head(poster->log, &head, err) != DBK_OK)
        return err->code;
    sequence = pg_u64(result, 0, SEQUENCE);
    if (sequence > head)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the read tables are at sequence %llu, past the end of the log "
                        "at %llu: restore the whole log, or drop their schema to have "
                        "them made again from this one",
                        (unsigned long long)sequence, (unsigned long long)head);
    return DBK_OK;
}

static enum dbk_code take_set_aside(struct poster *poster,
                                    const struct pg_result *result,
                                    struct dbk_error *err)
{
    struct dbk_uuid person;

    fold_index_clear(&poster->set_aside);
    poster->quarantined = 0;
    for (size_t i = 0; i < pg_rows(result); i++) {
        poster->quarantined += !pg_null(result, i, QUARANTINE_SEQUENCE);
        if (pg_null(result, i, QUARANTINE_PERSON) ||
            !read_uuid(result, i, QUARANTINE_PERSON, &person))
            continue;
        if (!fold_index_put(&poster->set_aside, &person))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    return DBK_OK;
}

enum dbk_code poster_load(struct poster *poster, struct dbk_error *err)
{
    struct pg_result *result = NULL;
    enum dbk_code code = query_or_make(poster, &result, err);

    if (code == DBK_OK)
        code = check_ours(poster, result, err);
    if (code == DBK_OK)
        code = take_set_aside(poster, result, err);
    if (code == DBK_OK) {
        poster->projected = pg_u64(result, 0, SEQUENCE);
        poster->tables = pg_u64(result, 0, OID);
    } else if (code == DBK_UNSUPPORTED) {
        poster->projected = poster->quarantined = 0;
    }
    pg_clear(result);
    poster_moved(poster);
    return code;
}

enum dbk_code poster_begin(struct poster *poster, struct dbk_error *err)
{
    enum dbk_code code = pg_script(poster->pg, sql_projector_session, QUERY_MS, err);

    return code == DBK_OK ? poster_load(poster, err) : code;
}

enum dbk_code poster_poll(struct poster *poster, bool *same, uint64_t *retries,
                          struct dbk_error *err)
{
    struct pg_result *result;
    struct dbk_uuid store_id;
    enum dbk_code code = pg_run(poster->pg, &poll, NULL, 0, QUERY_MS, &result, err);

    *same = false;
    *retries = 0;
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0) {
        *same = read_uuid(result, 0, POLL_STORE_ID, &store_id) &&
                dbk_uuid_equal(&store_id, &poster->store_id) &&
                pg_u64(result, 0, POLL_SEQUENCE) == poster->projected &&
                pg_u64(result, 0, POLL_QUARANTINED) == poster->quarantined &&
                pg_u64(result, 0, POLL_TABLES) == poster->tables;
        *retries = pg_u64(result, 0, POLL_RETRIES);
    }
    pg_clear(result);
    return DBK_OK;
}
