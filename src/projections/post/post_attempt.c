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

/* The texts of a person, copied out of the records they came from. */
struct texts {
    char email[DBK_EMAIL_MAX];
    char first_name[DBK_NAME_MAX];
    char last_name[DBK_NAME_MAX];
    char external_id[DBK_EXTERNAL_ID_MAX];
    char *properties; /* allocated: most have none */
};

/* One attempt: the persons and anonymous ids of a run, and what the log says of them. */
struct attempt {
    struct poster *poster;
    const struct post_scan *scan;
    const struct post_row *rows;
    size_t count;
    struct post_wanted wanted;
    struct texts *texts;    /* one a person */
    bool *claimed;          /* which of the scan's claims are of this run */
    struct records records; /* theirs, not folded yet */
    struct fold events;     /* of some of them */
    struct apply_again again;
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

static bool own_properties(struct dbk_slice *slice, char **text)
{
    char *larger;

    if (slice->length == 0 || slice->data == *text)
        return true;
    larger = realloc(*text, slice->length);
    if (!larger)
        return false;
    *text = larger;
    own(slice, larger, slice->length);
    return true;
}

/* The records' bytes are about to go. */
static bool own_texts(struct attempt *attempt)
{
    struct fold *fold = &attempt->poster->fold;
    bool fine = true;

    assert(fold->person_count <= attempt->count); /* nobody else's are folded */
    for (size_t i = 0; i < fold->person_count && fine; i++) {
        struct dbk_person_fields *fields = &fold->persons[i].fields;
        struct texts *texts = &attempt->texts[i];

        own(&fields->email, texts->email, sizeof texts->email);
        own(&fields->first_name, texts->first_name, sizeof texts->first_name);
        own(&fields->last_name, texts->last_name, sizeof texts->last_name);
        own(&fields->external_id, texts->external_id, sizeof texts->external_id);
        fine = own_properties(&fields->properties, &texts->properties);
    }
    return fine;
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
        code =
            poster_fold(poster, event ? &attempt->events : &poster->fold, &record, err);
    }
    if (!own_texts(attempt))
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    if (code == DBK_OK)
        code = apply_within(&poster->apply, poster->pg, &attempt->events, err);
    records_clear(records);
    return code;
}

/* As it would be in a log that is not sealed. */
static bool add_opened(struct attempt *attempt, const struct dbk_record *record)
{
    char *bytes = malloc(DBK_RECORD_MAX);
    size_t length;
    bool fine =
        bytes &&
        dbk_record_encode(record, bytes, DBK_RECORD_MAX, &length, NULL) == DBK_OK &&
        records_add(&attempt->records, bytes, length);

    free(bytes);
    return fine;
}

/* One of theirs. What an alias comes to, the scan has found; here is seen whose it was. */
static bool take(struct attempt *attempt, size_t i, const struct dbk_record *record)
{
    const struct dbk_batch *batch = &attempt->poster->batch;
    size_t place;

    if (record->type == DBK_PERSON_ALIASED || record->type == DBK_PERSON_UNALIASED) {
        if (post_claims_find(&attempt->scan->claims, record->anonymous_id, &place))
            attempt->claimed[place] = true;
        return true;
    }
    if (record->erased)
        return true;
    if (record->opened)
        return add_opened(attempt, record);
    return records_add(&attempt->records, batch->bytes + batch->entries[i].offset,
                       batch->entries[i].length);
}

/* Of what was read, what concerns this attempt. */
static enum dbk_code take_theirs(struct attempt *attempt, struct dbk_error *err)
{
    struct poster *poster = attempt->poster;

    for (size_t i = 0; i < poster->batch.count; i++) {
        struct dbk_record record;
        enum dbk_code code = dbk_batch_record(&poster->batch, i, &record, err);
        bool theirs;

        if (poster_data_fault(code))
            continue; /* it has a quarantine row of its own */
        if (code != DBK_OK)
            return code;
        if (post_wanted_has(&attempt->wanted, poster, &record, &theirs, err) != DBK_OK)
            return err->code;
        if (theirs && !take(attempt, i, &record))
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
    for (size_t i = 0; i < attempt->count; i++) {
        const struct post_row *row = &attempt->rows[i];

        if (*row->anonymous_id)
            pg_array_text(&attempt->again.anonymous_ids, dbk_slice(row->anonymous_id));
        else
            pg_array_uuid(&attempt->again.persons, &row->person_id);
    }
    return apply_drop(attempt->poster->pg, &attempt->again,
                      attempt->poster->apply.timeout_ms, err);
}

/* Events of anonymous ids are now whose those were when they were recorded, or as far as
 * others' records were posted meanwhile. */
static enum dbk_code settle(struct attempt *attempt, struct dbk_error *err)
{
    const struct post_claims *claims = &attempt->scan->claims;
    struct apply_again *again = &attempt->again;

    for (size_t i = 0; i < claims->count; i++) {
        const struct post_claim *claim = &claims->list[i];

        if (!attempt->claimed[i])
            continue;
        pg_array_text(&again->settled, dbk_slice(claim->anonymous_id));
        if (dbk_uuid_is_nil(&claim->owner))
            pg_array_null(&again->owners);
        else
            pg_array_uuid(&again->owners, &claim->owner);
        pg_array_int8(&again->gone, (int64_t)claim->gone);
    }
    return apply_settle(attempt->poster->pg, again, attempt->poster->apply.timeout_ms,
                        err);
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

static enum dbk_code fold_again(struct attempt *attempt, struct dbk_error *err)
{
    struct poster *poster = attempt->poster;
    enum dbk_code code = pg_begin(poster->pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    code = poster_hold(poster, err);
    if (code == DBK_OK)
        code = drop_everything(attempt, err);
    if (code == DBK_OK)
        code = read_spans(attempt, err);
    if (code == DBK_OK)
        code = apply_within(&poster->apply, poster->pg, &poster->fold, err);
    if (code == DBK_OK)
        code = settle(attempt, err);
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
    const struct post_claims *claims = &attempt->scan->claims;
    size_t place;

    post_wanted_init(&attempt->wanted);
    fold_init(&attempt->events);
    apply_again_init(&attempt->again);
    attempt->texts = calloc(attempt->count, sizeof *attempt->texts);
    attempt->claimed = calloc(claims->count + 1, sizeof *attempt->claimed);
    if (!attempt->texts || !attempt->claimed)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < attempt->count; i++) {
        struct dbk_slice anonymous_id = dbk_slice(attempt->rows[i].anonymous_id);

        if (anonymous_id.length > 0 && post_claims_find(claims, anonymous_id, &place))
            attempt->claimed[place] = true;
    }
    return post_wanted_set(&attempt->wanted, attempt->rows, attempt->count, err);
}

static void finish(struct attempt *attempt)
{
    post_wanted_finish(&attempt->wanted);
    fold_finish(&attempt->events);
    apply_again_finish(&attempt->again);
    records_finish(&attempt->records);
    for (size_t i = 0; attempt->texts && i < attempt->count; i++)
        free(attempt->texts[i].properties);
    free(attempt->texts);
    free(attempt->claimed);
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
    finish(&attempt);
    return code;
}
