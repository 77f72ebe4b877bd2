#include "poster.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static enum dbk_code decode(const struct poster *poster, size_t i,
                            struct dbk_record *record, struct dbk_error *err)
{
    const struct dbk_batch_entry *entry = &poster->batch.entries[i];

    return dbk_record_decode(poster->batch.bytes + entry->offset, entry->length, record,
                             err);
}

/* Whether the record is about an event that these tables do not have by intent. */
static enum dbk_code is_left_out(struct poster *poster, const struct dbk_record *record,
                                 bool *left_out, struct dbk_error *err)
{
    struct dbk_event_state event = {.sequence = record->sequence};
    enum dbk_code code = DBK_OK;

    *left_out = false;
    if (poster->events_from == 0 || dbk_type_subject(record->type) != DBK_SUBJECT_EVENT)
        return DBK_OK;
    if (record->type != DBK_EVENT_RECORDED)
        code = dbk_log_event(poster->log, &record->subject, &event, err);
    *left_out = event.sequence < poster->events_from;
    return code;
}

static enum dbk_code fold_one(struct poster *poster, const struct dbk_record *record,
                              struct dbk_error *err)
{
    bool left_out;

    if (post_aside_skips(&poster->aside, dbk_record_person(record), record->sequence))
        return DBK_OK;
    if (is_left_out(poster, record, &left_out, err) != DBK_OK)
        return err->code;
    return left_out ? DBK_OK : fold_add(&poster->fold, record, err);
}

static enum dbk_code fold_range(struct poster *poster, size_t first, size_t end,
                                struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code = DBK_OK;

    fold_clear(&poster->fold);
    for (size_t i = first; i < end && code == DBK_OK; i++) {
        code = decode(poster, i, &record, err);
        if (code == DBK_OK)
            code = fold_one(poster, &record, err);
    }
    return code;
}

static enum dbk_code move_to(const struct poster *poster, uint64_t to,
                             struct apply_move *move, struct dbk_error *err)
{
    *move = (struct apply_move){.store_id = poster->store_id,
                                .from = poster->projected,
                                .from_checksum = poster->checksum,
                                .to = to,
                                .epoch = poster->epoch,
                                .quarantined = poster->quarantined,
                                .tables = poster->tables};
    return history_checksum(poster->log, to, &move->to_checksum, err);
}

static void moved(struct poster *poster, const struct apply_move *move)
{
    poster->projected = move->to;
    poster->checksum = move->to_checksum;
}

static enum dbk_code apply_range(struct poster *poster, size_t first, size_t end,
                                 struct dbk_error *err)
{
    struct apply_move move;
    enum dbk_code code =
        move_to(poster, poster->batch.entries[end - 1].sequence, &move, err);

    /* What is applied begins where the tables end, so no record is passed over. */
    assert(first < end && end <= poster->batch.count);
    assert(poster->batch.entries[first].sequence == poster->projected + 1);
    if (code != DBK_OK)
        return code;
    code = fold_range(poster, first, end, err);
    if (code == DBK_OK)
        code = apply_batch(&poster->apply, poster->pg, &poster->fold, &move, err);
    if (code != DBK_OK)
        return code;
    moved(poster, &move);
    poster_moved(poster);
    return DBK_OK;
}

bool poster_data_fault(enum dbk_code code)
{
    return code == DBK_INVALID || code == DBK_CONFLICT || code == DBK_DAMAGED ||
           code == DBK_UNSUPPORTED;
}

static void say_quarantined(const struct poster *poster, uint64_t sequence,
                            const struct dbk_uuid *person, const char *reason)
{
    char id[DBK_UUID_TEXT + 1] = "nobody";

    if (person)
        dbk_uuid_format(person, id);
    poster_say(poster, "record %llu cannot be applied, %s%s is in quarantine: %s",
               (unsigned long long)sequence, person ? "person " : "", id, reason);
}

static enum dbk_code quarantine(struct poster *poster, size_t i, const char *reason,
                                struct dbk_error *err)
{
    struct dbk_set_aside one = {.no_row = true};
    struct apply_move move;
    struct dbk_record record;
    const struct dbk_uuid *person = NULL;
    enum dbk_code code = move_to(poster, poster->batch.entries[i].sequence, &move, err);

    if (code != DBK_OK)
        return code;
    assert(move.to == poster->projected + 1); /* all before it were applied */
    one.first = one.last = move.to;
    if (decode(poster, i, &record, NULL) == DBK_OK) {
        person = dbk_record_person(&record);
        one.has_person = true;
        one.person_id = *person;
        one.no_row = record.type == DBK_PERSON_CREATED;
    }
    /* First, so that what is in the table is known here, too. */
    if (!post_aside_add(&poster->aside, &one))
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    code = apply_quarantine(&poster->apply, poster->pg, person, reason, &move, err);
    if (code == DBK_INVALID) /* not a record's fault: do not halve or repeat it */
        code = dbk_fail(err, DBK_INTERNAL,
                        "record %llu can neither be applied nor set "
                        "aside",
                        (unsigned long long)move.to);
    if (code != DBK_OK)
        return code;
    moved(poster, &move);
    poster->quarantined++;
    say_quarantined(poster, move.to, person, reason);
    poster_moved(poster);
    return DBK_OK;
}

/* What is nobody's is refused as well. err has why the records were. */
static enum dbk_code blame_postgres(const struct dbk_error *neutral,
                                    struct dbk_error *err)
{
    return dbk_fail(
        err, DBK_UNAVAILABLE,
        "%.200s (nobody is set aside, for what is nobody's is refused, too: "
        "%.200s)",
        err->text, neutral->text);
}

/* It was refused alone: is that the record, or would any be? */
static enum dbk_code convict(struct poster *poster, size_t i, enum dbk_code refused,
                             enum post_cause cause, struct dbk_error *err)
{
    char reason[sizeof err->text], sqlstate[6];
    struct dbk_error neutral;
    bool sure;

    snprintf(reason, sizeof reason, "%s", err->text);
    snprintf(sqlstate, sizeof sqlstate, "%s", pg_sqlstate(poster->pg));
    if (cause == POST_DATA && refused != DBK_INVALID) /* PostgreSQL has not seen it */
        return quarantine(poster, i, reason, err);
    if (post_neutral(poster, &neutral) == DBK_OK)
        return quarantine(poster, i, reason, err);
    /* A constraint that somebody has added refuses what is nobody's, too. */
    sure = cause == POST_DATA && *pg_sqlstate(poster->pg) &&
           strcmp(sqlstate, pg_sqlstate(poster->pg)) != 0;
    if (sure && pg_alive(poster->pg))
        return quarantine(poster, i, reason, err);
    return blame_postgres(&neutral, err);
}

/* Name what takes so long, and what is done about it. */
static enum dbk_code say_slow(struct poster *poster, size_t first, size_t end,
                              struct dbk_error *err)
{
    uint64_t from = poster->batch.entries[first].sequence;
    uint64_t to = poster->batch.entries[end - 1].sequence;
    int before_s = poster->trouble.patience_ms / 1000;
    char id[DBK_UUID_TEXT + 1] = "";
    struct dbk_record record;

    post_trouble_slow(poster, end - first, to);
    if (end - first > 1)
        return dbk_fail(
            err, DBK_TIMEOUT,
            "PostgreSQL takes longer than %d s for records %llu to %llu: next "
            "for fewer of them, with up to %d s",
            before_s, (unsigned long long)from, (unsigned long long)to,
            poster->trouble.patience_ms / 1000);
    if (decode(poster, first, &record, NULL) == DBK_OK)
        dbk_uuid_format(dbk_record_person(&record), id);
    return dbk_fail(
        err, DBK_TIMEOUT,
        "PostgreSQL takes longer than %d s for record %llu (%s of person %s): "
        "next with up to %d s",
        before_s, (unsigned long long)from,
        *id ? dbk_type_name(record.type) : "unreadable", id,
        poster->trouble.patience_ms / 1000);
}

/* Records that are refused together are applied in halves, each in a transaction of its
 * own, down to the one at fault. What may not be a record's fault has to be refused more
 * than once for that (isolating: it was). */
static enum dbk_code apply_or_halve(struct poster *poster, size_t first, size_t end,
                                    bool isolating, struct dbk_error *err)
{
    dbk_deadline half = dbk_deadline_in(poster->trouble.patience_ms / 2);
    enum dbk_code code = apply_range(poster, first, end, err);
    size_t middle = first + (end - first) / 2;
    struct dbk_error neutral;
    enum post_cause cause;

    if (code == DBK_OK)
        return DBK_OK;
    cause = post_cause(poster, code, half);
    if (cause == POST_SLOW)
        return say_slow(poster, first, end, err);
    if (cause == POST_ELSEWHERE ||
        (cause == POST_UNCLEAR && !isolating && !post_trouble_again(poster)))
        return code;
    /* Before it is looked for in vain. */
    if (cause == POST_UNCLEAR && !isolating && post_neutral(poster, &neutral) != DBK_OK)
        return blame_postgres(&neutral, err);
    isolating = isolating || cause == POST_UNCLEAR;
    if (end - first == 1)
        return convict(poster, first, code, cause, err);
    code = apply_or_halve(poster, first, middle, isolating, err);
    return code == DBK_OK ? apply_or_halve(poster, middle, end, isolating, err) : code;
}

enum dbk_code poster_step(struct poster *poster, uint64_t to, struct dbk_error *err)
{
    size_t most = poster->trouble.most;
    enum dbk_code code = poster_read(poster, poster->projected, to, err);

    if (code == DBK_OK) /* what was read goes on from where the tables are */
        code = poster_check_log(poster, err);
    if (code == DBK_OK)
        code = post_trouble_set(poster, err);
    if (most > 0 && poster->batch.count > most)
        poster->batch.count = most;
    if (code == DBK_OK && poster->batch.count > 0)
        code = apply_or_halve(poster, 0, poster->batch.count, false, err);
    if (code == DBK_OK)
        post_trouble_passed(poster);
    return code;
}
