#include "poster.h"

#include "post_expired.h"
#include "post_restricted.h"
#include "sql.h"
#include "tables.h"

#include <string.h>

enum { QUERY_MS = 30000, TRIES = 5 };
enum column {
    STORE_ID,
    SEQUENCE,
    QUARANTINE_SEQUENCE,
    QUARANTINE_PERSON,
    OID,
    CHECKSUM,
    EPOCH,
    WERE_AT,
    QUARANTINE_ANONYMOUS
};
enum poll_column {
    POLL_STORE_ID,
    POLL_SEQUENCE,
    POLL_QUARANTINED,
    POLL_RETRIES,
    POLL_TABLES,
    POLL_CHECKSUM,
    POLL_EPOCH
};

static const struct pg_statement load = {"checkpoint_load", sql_checkpoint_load};
static const struct pg_statement insert = {"checkpoint_insert", sql_checkpoint_insert};
static const struct pg_statement take = {"checkpoint_claim", sql_checkpoint_claim};
static const struct pg_statement lock = {"checkpoint_lock", sql_checkpoint_lock};
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

/* Tables of another log, or of another history of this one, are left alone. */
static enum dbk_code check_ours(struct poster *poster, const struct pg_result *result,
                                struct history_place *place, struct dbk_error *err)
{
    if (pg_rows(result) == 0)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "the read tables have rows but no checkpoint: daybook rebuild "
                        "makes them again from the log");
    if (!history_read(result, 0, STORE_ID, SEQUENCE, CHECKSUM, place))
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "the checkpoint's store id is no UUID: daybook rebuild makes the "
            "tables again from the log");
    return history_check(poster->log, place, err);
}

/* Take the tables over as they were found: from then on they have an epoch of ours, and the
 * checksum. *epoch is the one that they had. */
static enum dbk_code claim(struct poster *poster, struct history_place *place,
                           uint64_t oid, uint64_t *epoch, struct dbk_error *err)
{
    const struct holder *holder = poster->holder;
    char numbers[4][8];
    int64_t checksum;
    enum dbk_code code = history_checksum(poster->log, place->sequence, &checksum, err);
    const struct pg_param params[] = {pg_uuid(&poster->store_id),
                                      pg_int8(numbers[0], (int64_t)place->sequence),
                                      history_param(numbers[1], place->checksum),
                                      pg_int8(numbers[2], (int64_t)oid),
                                      history_param(numbers[3], checksum),
                                      pg_text(holder ? holder->id : NULL),
                                      pg_text(holder ? holder->text : NULL)};
    struct pg_result *result;

    if (code != DBK_OK)
        return code;
    code = pg_run(poster->pg, &take, params, 7, QUERY_MS, &result, err);
    if (code != DBK_OK)
        return pg_read_only(poster->pg) && place->checksum == checksum ? DBK_OK : code;
    if (pg_rows(result) == 1)
        *epoch = pg_u64(result, 0, 0);
    else
        code = dbk_fail(err, DBK_MOVED, "somebody else takes the read tables over");
    pg_clear(result);
    place->checksum = checksum;
    return code;
}

/* Of one row. What was left out since is not known: it may be all up to the checkpoint. */
static bool add_set_aside(struct poster *poster, const struct pg_result *result,
                          size_t row, struct post_aside *aside)
{
    uint64_t first = pg_u64(result, row, QUARANTINE_SEQUENCE);
    uint64_t projected = pg_u64(result, 0, SEQUENCE);
    struct dbk_set_aside one = {
        .first = first, .last = projected > first ? projected : first, .no_row = true};
    struct dbk_slice anonymous_id = pg_value(result, row, QUARANTINE_ANONYMOUS);
    struct dbk_record record;

    if (anonymous_id.length < sizeof one.anonymous_id)
        memcpy(one.anonymous_id, anonymous_id.data, anonymous_id.length);
    one.has_person = !pg_null(result, row, QUARANTINE_PERSON) &&
                     read_uuid(result, row, QUARANTINE_PERSON, &one.person_id);
    if (*one.anonymous_id)
        one.no_row = false;
    else if (!one.has_person)
        one.last = first;
    else { /* its type is in the clear, also where its key cannot be read */
        dbk_log_record(poster->log, first, &poster->batch, &record, NULL);
        one.no_row = record.format == 0 || record.type == DBK_PERSON_CREATED;
    }
    return post_aside_add(aside, &one);
}

static enum dbk_code take_set_aside(struct poster *poster,
                                    const struct pg_result *result,
                                    struct dbk_error *err)
{
    struct post_aside aside;
    bool fine = true;

    post_aside_init(&aside);
    poster->quarantined = 0;
    for (size_t i = 0; fine && i < pg_rows(result); i++) {
        if (pg_null(result, i, QUARANTINE_SEQUENCE))
            continue;
        poster->quarantined++;
        fine = add_set_aside(poster, result, i, &aside);
    }
    if (fine)
        post_aside_replace(&poster->aside, &aside);
    poster->batch.count = 0;
    post_aside_finish(&aside);
    return fine ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

static enum dbk_code load_once(struct poster *poster, struct dbk_error *err)
{
    struct history_place place = {.checksum = HISTORY_UNKNOWN};
    struct pg_result *result = NULL;
    uint64_t epoch = 0, oid = 0;
    enum dbk_code code = query_or_make(poster, &result, err);

    if (code == DBK_OK)
        code = check_ours(poster, result, &place, err);
    if (code == DBK_OK) {
        oid = pg_u64(result, 0, OID);
        epoch = pg_u64(result, 0, EPOCH);
        code = claim(poster, &place, oid, &epoch, err);
    }
    if (code == DBK_OK && !pg_read_only(poster->pg))
        code = post_restricted(poster->log, poster->pg, epoch, err);
    if (code == DBK_OK)
        code = take_set_aside(poster, result, err);
    if (code == DBK_OK) {
        poster->projected = place.sequence;
        poster->tables = oid;
        poster->epoch = epoch;
        poster->checksum = place.checksum;
        poster->were_at = pg_u64(result, 0, WERE_AT);
        poster->erased.through = 0; /* who posted them may have been behind */
    } else if (code == DBK_UNSUPPORTED) {
        poster->projected = poster->quarantined = 0;
        poster->checksum = HISTORY_UNKNOWN;
    }
    pg_clear(result);
    return code;
}

enum dbk_code poster_load(struct poster *poster, struct dbk_error *err)
{
    enum dbk_code code = DBK_MOVED;

    for (int i = 0; i < TRIES && code == DBK_MOVED; i++)
        code = load_once(poster, err);
    if (code == DBK_OK)
        code = post_expired_look(poster, err);
    poster->other_history = code == DBK_UNSUPPORTED;
    atomic_fetch_add(&poster->rearranged, 1); /* these may be other tables */
    poster_moved(poster);
    return code;
}

enum dbk_code poster_check_former(struct poster *poster, struct dbk_error *err)
{
    static const struct pg_statement former = {NULL, sql_checkpoint_former};
    struct history_place place;
    struct pg_result *result;
    enum dbk_code code = pg_run(poster->pg, &former, NULL, 0, QUERY_MS, &result, err);

    if (code != DBK_OK)
        return tables_broken(poster->pg) ? DBK_OK : code;
    if (pg_rows(result) > 0 && history_read(result, 0, 0, 1, 2, &place))
        code = history_check(poster->log, &place, err);
    poster->other_history = code == DBK_UNSUPPORTED;
    pg_clear(result);
    return code;
}

enum dbk_code poster_begin(struct poster *poster, struct dbk_error *err)
{
    enum dbk_code code = pg_script(poster->pg, sql_projector_session, QUERY_MS, err);

    poster->trouble.session_ms = 0; /* a new one: what it is set to we do not know */
    return code == DBK_OK ? poster_load(poster, err) : code;
}

enum dbk_code poster_check_log(struct poster *poster, struct dbk_error *err)
{
    const struct history_place place = {poster->store_id, poster->projected,
                                        poster->checksum};
    enum dbk_code code = history_check(poster->log, &place, err);

    poster->other_history = code == DBK_UNSUPPORTED;
    return code;
}

enum dbk_code poster_poll(struct poster *poster, bool *same, uint64_t *retries,
                          struct dbk_error *err)
{
    struct pg_result *result;
    struct history_place place;
    enum dbk_code code = pg_run(poster->pg, &poll, NULL, 0, QUERY_MS, &result, err);

    *same = false;
    *retries = 0;
    if (code != DBK_OK)
        return code;
    if (pg_rows(result) > 0) {
        *same = history_read(result, 0, POLL_STORE_ID, POLL_SEQUENCE, POLL_CHECKSUM,
                             &place) &&
                dbk_uuid_equal(&place.store_id, &poster->store_id) &&
                place.sequence == poster->projected &&
                place.checksum == poster->checksum &&
                pg_u64(result, 0, POLL_EPOCH) == poster->epoch &&
                pg_u64(result, 0, POLL_QUARANTINED) == poster->quarantined &&
                pg_u64(result, 0, POLL_TABLES) == poster->tables;
        *retries = pg_u64(result, 0, POLL_RETRIES);
    }
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code poster_hold(struct poster *poster, struct dbk_error *err)
{
    uint64_t retries;
    bool same;
    enum dbk_code code = pg_check_place(poster->pg, QUERY_MS, err);

    if (code == DBK_OK)
        code = pg_run(poster->pg, &lock, NULL, 0, QUERY_MS, NULL, err);
    if (code == DBK_OK)
        code = poster_poll(poster, &same, &retries, err);
    if (code == DBK_OK && !same)
        code = dbk_fail(err, DBK_MOVED, "another projector moves the checkpoint");
    return code;
}
