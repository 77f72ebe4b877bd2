#include "post_attempt.h"

#include "records.h"
#include "sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MS = 60000 };
enum { FOLD_RECORDS = 4096, FOLD_BYTES = 4 << 20 };

static const struct pg_statement release = {"quarantine_release",
                                            sql_quarantine_release};
static const struct pg_statement lock = {"checkpoint_lock", sql_checkpoint_lock};

/* The texts of a person, copied out of the records they came from. */
struct texts {
    char email[DBK_EMAIL_MAX];
    char first_name[DBK_NAME_MAX];
    char last_name[DBK_NAME_MAX];
};

/* One attempt: the persons of a run, and what the log says of them. */
struct attempt {
    struct poster *poster;
    const struct post_scan *scan;
    const struct post_row *rows;
    size_t count;
    struct fold_index persons;
    struct texts *texts;    /* one a person */
    struct records records; /* theirs, not folded yet */
    struct fold events;     /* of some of them */
};

/* Copy the text where it is still a slice of a record. */
static void own(struct dbk_slice *slice, char *text, size_t size)
{
    if (slice->length == 0 || slice->data == text)
        return;
    slice->length = slice->length < size ? slice->length : size;
    memcpy(text, slice->data, slice->length);
    slice->data = text;
}

/* The records' bytes are about to go. */
static void own_texts(struct attempt *attempt)
{
    struct fold *fold = &attempt->poster->fold;

    assert(fold->person_count <= attempt->count); /* nobody else's are folded */
    for (size_t i = 0; i < fold->person_count; i++) {
        struct dbk_person_fields *fields = &fold->persons[i].fields;
        struct texts *texts = &attempt->texts[i];

        own(&fields->email, texts->email, sizeof texts->email);
        own(&fields->first_name, texts->first_name, sizeof texts->first_name);
        own(&fields->last_name, texts->last_name, sizeof texts->last_name);
    }
}

/* Persons are folded to the end first: a state in between may have an email that is by
 * now another's. Their events can be many, and go in part by part. */
static enum dbk_code fold_records(struct attempt *attempt, struct dbk_error *err)
{
    struct poster *poster = attempt->poster;
    struct records *records = &attempt->records;
    enum dbk_code code = DBK_OK;

    fold_clear(&attempt->events);
    for (size_t i = 0; i < records->count && code == DBK_OK; i++) {
        struct dbk_record record;
        bool event;

        code = dbk_record_decode(records->bytes + records->parts[i].offset,
                                 records->parts[i].length, &record, err);
        if (code != DBK_OK)
            break;
        event = dbk_type_subject(record.type) == DBK_SUBJECT_EVENT;
        code = fold_add(event ? &attempt->events : &poster->fold, &record, err);
    }
    own_texts(attempt);
    if (code == DBK_OK)
        code = apply_within(&poster->apply, poster->pg, &attempt->events, err);
    records_clear(records);
    return code;
}

/* Of what was read, what concerns the persons of this attempt. */
static enum dbk_code take_theirs(struct attempt *attempt, struct dbk_error *err)
{
    const struct dbk_batch *batch = &attempt->poster->batch;

    for (size_t i = 0; i < batch->count; i++) {
        const char *bytes = batch->bytes + batch->entries[i].offset;
        size_t length = batch->entries[i].length;
        struct dbk_record record;

        if (dbk_batch_record(batch, i, &record, NULL) != DBK_OK)
            continue; /* it has a quarantine row of its own */
        if (fold_index_find(&attempt->persons, dbk_record_person(&record), NULL) &&
            !records_add(&attempt->records, bytes, length))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    return DBK_OK;
}

static enum dbk_code read_span(struct attempt *attempt, struct post_span span,
                               struct dbk_error *err)
{
    struct poster *poster = attempt->poster;
    uint64_t at = span.first - 1;
    enum dbk_code code = DBK_OK;

    assert(0 < span.first && span.first <= span.last);
    /* Tables may have fallen back behind what was looked through. */
    if (span.last > poster->projected)
        span.last = poster->projected;
    while (code == DBK_OK && at < span.last) {
        if (poster_stopping(poster))
            return dbk_fail(err, DBK_UNAVAILABLE, "the projector is stopping");
        code = poster_read(poster, at, span.last, err);
        if (code == DBK_OK && poster->batch.count == 0)
            code = dbk_fail(err, DBK_IO, "the log ends before the checkpoint");
        if (code != DBK_OK)
            return code;
        at = poster->batch.entries[poster->batch.count - 1].sequence;
        code = take_theirs(attempt, err);
        if (code == DBK_OK && (attempt->records.count >= FOLD_RECORDS ||
                               attempt->records.bytes_used >= FOLD_BYTES))
            code = fold_records(attempt, err);
    }
    return code;
}

static enum dbk_code read_spans(struct attempt *attempt, struct dbk_error *err)
{
    const struct post_scan *scan = attempt->scan;
    enum dbk_code code = DBK_OK;

    fold_clear(&attempt->poster->fold);
    for (size_t i = 0; i < scan->span_count && code == DBK_OK; i++)
        code = read_span(attempt, scan->spans[i], err);
    return code == DBK_OK ? fold_records(attempt, err) : code;
}

static enum dbk_code drop_everything(struct attempt *attempt, struct dbk_error *err)
{
    struct pg_array ids;
    enum dbk_code code;

    pg_array_init(&ids, PG_UUID);
    for (size_t i = 0; i < attempt->count; i++)
        pg_array_uuid(&ids, &attempt->rows[i].person_id);
    code =
        apply_forget(attempt->poster->pg, &ids, attempt->poster->apply.timeout_ms, err);
    pg_array_finish(&ids);
    return code;
}

/* The events of those who were deleted went in with the rest. */
static enum dbk_code drop_deleted(struct attempt *attempt, struct dbk_error *err)
{
    const struct fold *fold = &attempt->poster->fold;
    struct pg_array ids;
    enum dbk_code code;

    pg_array_init(&ids, PG_UUID);
    for (size_t i = 0; i < fold->person_count; i++) {
        if (fold->persons[i].deleted)
            pg_array_uuid(&ids, &fold->persons[i].id);
    }
    code =
        apply_forget(attempt->poster->pg, &ids, attempt->poster->apply.timeout_ms, err);
    pg_array_finish(&ids);
    return code;
}

static enum dbk_code release_rows(struct attempt *attempt, struct dbk_error *err)
{
    struct pg_array sequences;
    struct pg_param param;
    enum dbk_code code;

    pg_array_init(&sequences, PG_INT8);
    for (size_t i = 0; i < attempt->count; i++)
        pg_array_int8(&sequences, (int64_t)attempt->rows[i].sequence);
    code = pg_array_param(&sequences, &param, err);
    if (code == DBK_OK)
        code = pg_run(attempt->poster->pg, &release, &param, 1, QUERY_MS, NULL, err);
    pg_array_finish(&sequences);
    return code;
}

/* With the checkpoint locked, so that no other projector moves while we read. */
static enum dbk_code check_position(struct poster *poster, struct dbk_error *err)
{
    uint64_t retries;
    bool same;
    enum dbk_code code = pg_run(poster->pg, &lock, NULL, 0, QUERY_MS, NULL, err);

    if (code == DBK_OK)
        code = poster_poll(poster, &same, &retries, err);
    if (code == DBK_OK && !same)
        code = dbk_fail(err, DBK_MOVED, "another projector moves the checkpoint");
    return code;
}

static enum dbk_code fold_again(struct attempt *attempt, struct dbk_error *err)
{
    struct poster *poster = attempt->poster;
    enum dbk_code code = pg_begin(poster->pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    code = pg_check_place(poster->pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = check_position(poster, err);
    if (code == DBK_OK)
        code = drop_everything(attempt, err);
    if (code == DBK_OK)
        code = read_spans(attempt, err);
    if (code == DBK_OK)
        code = apply_within(&poster->apply, poster->pg, &poster->fold, err);
    if (code == DBK_OK)
        code = drop_deleted(attempt, err);
    if (code == DBK_OK)
        code = release_rows(attempt, err);
    if (code == DBK_OK)
        code = pg_commit(poster->pg, QUERY_MS, err);
    if (code != DBK_OK && pg_alive(poster->pg) &&
        pg_rollback(poster->pg, QUERY_MS, NULL) != DBK_OK)
        return dbk_fail(err, DBK_UNAVAILABLE, "a transaction cannot be rolled back");
    return code;
}

static enum dbk_code prepare(struct attempt *attempt, struct dbk_error *err)
{
    fold_index_init(&attempt->persons);
    fold_init(&attempt->events);
    attempt->texts = malloc(attempt->count * sizeof *attempt->texts);
    if (!attempt->texts)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < attempt->count; i++) {
        if (!fold_index_put(&attempt->persons, &attempt->rows[i].person_id))
            return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    return DBK_OK;
}

enum dbk_code post_attempt(struct poster *poster, const struct post_scan *scan,
                           const struct post_row *rows, size_t count,
                           struct dbk_error *err)
{
    struct attempt attempt = {
        .poster = poster, .scan = scan, .rows = rows, .count = count};
    enum dbk_code code = prepare(&attempt, err);

    if (code == DBK_OK)
        code = fold_again(&attempt, err);
    fold_index_finish(&attempt.persons);
    fold_finish(&attempt.events);
    records_finish(&attempt.records);
    free(attempt.texts);
    return code;
}
