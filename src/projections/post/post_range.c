#include "poster.h"

#include "post_expired.h"
#include "post_party.h"
#include "post_restricted.h"
#include "store/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static enum dbk_code decode(const struct poster *poster, size_t i,
                            struct dbk_record *record, struct dbk_error *err)
{
    const struct dbk_batch_entry *entry = &poster->batch.entries[i];
    enum dbk_code code = dbk_record_decode(poster->batch.bytes + entry->offset,
                                           entry->length, record, err);

    if (code != DBK_OK || record->sealed.length == 0)
        return code;
    return dbk_batch_record(&poster->batch, i, record, err);
}

/* Whether the record is about an event that these tables do not have by intent. */
static enum dbk_code is_left_out(struct poster *poster, const struct dbk_record *record,
                                 bool *left_out, struct dbk_error *err)
{
    struct dbk_record event = {.sequence = record->sequence};
    enum dbk_code code = DBK_OK;

    *left_out = false;
    if ((poster->events_from == 0 && poster->expired == 0) ||
        dbk_type_subject(record->type) != DBK_SUBJECT_EVENT)
        return DBK_OK;
    if (record->type != DBK_EVENT_RECORDED)
        code = dbk_log_event_recorded(poster->log, &record->subject, &poster->event,
                                      &event, err);
    *left_out =
        event.sequence < poster->events_from || event.sequence <= poster->expired;
    return event.damaged > 0 ? DBK_OK : code; /* its sequence is in the clear */
}

/* Whether it is set aside. Not where somebody is erased: what the tables have of a person goes,
 * whatever else could not be posted. */
static enum dbk_code is_aside(struct poster *poster, const struct dbk_record *record,
                              bool *aside, struct dbk_error *err)
{
    struct post_party party;
    bool nobody;
    enum dbk_code code;

    *aside = false;
    if (atomic_load(&poster->aside.count) == 0 || record->type == DBK_PERSON_ERASED)
        return DBK_OK;
    code = post_party(poster->log, record, &poster->event, &party, &nobody, err);
    if (code == DBK_OK && !nobody)
        *aside = post_aside_skips(&poster->aside, &party, record->sequence);
    return code;
}

/* Which row goes with the event: its sequence is in the clear, whatever became of its key. Not
 * where the ring is away: a deletion that finds no row would be done for good. */
static enum dbk_code locate(struct poster *poster, struct fold *fold,
                            const struct dbk_uuid *id, struct dbk_error *err)
{
    struct dbk_record event = {.format = 0};
    enum dbk_code code =
        dbk_log_event_recorded(poster->log, id, &poster->event, &event, err);

    if (code == DBK_OK || event.damaged > 0)
        fold_locate(fold, id, event.sequence);
    if (event.erased || event.damaged > 0)
        return fold_lacks_event(fold, &event, err);
    return code == DBK_NOT_FOUND || poster_data_fault(code) ? DBK_OK : code;
}

static enum dbk_code look_erased(struct poster *poster, struct fold *fold,
                                 const struct dbk_uuid *id, struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = dbk_log_person(poster->log, id, &person, err);

    if (code == DBK_OK && person.erased)
        fold_lacks_person(fold, id);
    return code == DBK_NOT_FOUND || poster_data_fault(code) ? DBK_OK : code;
}

enum dbk_code poster_fold(struct poster *poster, struct fold *fold,
                          const struct dbk_record *record, struct dbk_error *err)
{
    struct dbk_record event;
    enum dbk_code code;

    if (record->type == DBK_EVENT_RECORDED && record->anonymous_id.length > 0 &&
        post_erased_has(&poster->erased, &record->person_id)) {
        event = *record; /* or it could not be read */
        event.person_id = (struct dbk_uuid){{0}};
        record = &event;
    }
    code = fold_add(fold, record, err);
    if (code == DBK_OK && record->type == DBK_EVENT_DELETED)
        code = locate(poster, fold, &record->subject, err);
    if (code == DBK_OK && record->type == DBK_PERSON_DELETED)
        code = look_erased(poster, fold, &record->subject, err);
    return code;
}

static enum dbk_code fold_one(struct poster *poster, const struct dbk_record *record,
                              struct dbk_error *err)
{
    bool out;
    enum dbk_code code = is_aside(poster, record, &out, err);

    if (code == DBK_OK && !out)
        code = is_left_out(poster, record, &out, err);
    if (record->type != DBK_PERSON_CREATED && record->type != DBK_PERSON_UPDATED &&
        record->type != DBK_EVENT_RECORDED)
        poster->rearranges = true;
    if (record->type == DBK_PERSON_RESTRICTED ||
        record->type == DBK_PERSON_UNRESTRICTED)
        poster->restricts = true;
    if (record->type == DBK_PERSON_ERASED)
        poster->erases = true;
    if (code == DBK_OK && record->type == DBK_EVENTS_EXPIRED)
        code = post_expired_look(poster, err);
    if (code == DBK_OK && record->erased) /* as is_aside of the person.erased */
        code = post_erased_note(poster, record, err);
    return code == DBK_OK && !out ? poster_fold(poster, &poster->fold, record, err)
                                  : code;
}

static enum dbk_code fold_range(struct poster *poster, size_t first, size_t end,
                                struct dbk_error *err)
{
    struct dbk_record record;
    size_t erased;
    enum dbk_code code;

    poster->restricts = false;
    post_erased_clear(&poster->erased);
    do { /* till nobody was erased, who is not known, while it was read */
        erased = poster->erased.count;
        fold_clear(&poster->fold);
        poster->rearranges = erased > 0;
        poster->erases = false;
        code = post_erased_begin(poster, err);
        for (size_t i = first; i < end && code == DBK_OK; i++) {
            code = decode(poster, i, &record, err);
            if (code == DBK_OK)
                code = fold_one(poster, &record, err);
        }
    } while (code == DBK_OK && poster->erased.count > erased);
    return code == DBK_OK ? post_erased_fold(poster, err) : code;
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
    dbk_metric_add(DBK_METRIC_PROJECTION_BATCHES, 1);
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
    if (code == DBK_OK && poster->restricts)
        code = post_restricted(poster->log, poster->pg, poster->epoch, err);
    if (code == DBK_OK)
        code = apply_batch(&poster->apply, poster->pg, &poster->fold, &move, err);
    if (code != DBK_OK)
        return code;
    moved(poster, &move);
    if (poster->erased.noted)
        poster->erased.through = poster->erased.going_through;
    if (poster->rearranges)
        atomic_fetch_add(&poster->rearranged, 1);
    poster->erasures += poster->erases;
    poster_moved(poster);
    return DBK_OK;
}

bool poster_data_fault(enum dbk_code code)
{
    return code == DBK_INVALID || code == DBK_CONFLICT || code == DBK_DAMAGED ||
           code == DBK_UNSUPPORTED;
}

static void say_quarantined(const struct poster *poster, uint64_t sequence,
                            const struct post_party *party, bool nobody,
                            const char *reason)
{
    char who[POST_PARTY_TEXT];

    post_party_text(party, nobody, who);
    poster_say(poster, "record %llu cannot be applied, %s is in quarantine: %s",
               (unsigned long long)sequence, who, reason);
}

/* With whom the record is set aside: *nobody where it does not say. */
static enum dbk_code find_party(struct poster *poster, size_t i,
                                struct post_party *party, bool *nobody,
                                struct dbk_set_aside *one, struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code;

    *party = (struct post_party){0};
    *nobody = true;
    code = decode(poster, i, &record, err);
    if (code != DBK_OK)
        return poster_data_fault(code) ? DBK_OK : code;
    code = post_party(poster->log, &record, &poster->event, party, nobody, err);
    if (code != DBK_OK || *nobody)
        return code;
    one->has_person = party->anonymous_id.length == 0;
    one->person_id = party->person_id;
    if (!one->has_person)
        memcpy(one->anonymous_id, party->anonymous_id.data, party->anonymous_id.length);
    one->no_row = record.type == DBK_PERSON_CREATED;
    return DBK_OK;
}

static enum dbk_code quarantine(struct poster *poster, size_t i, const char *reason,
                                struct dbk_error *err)
{
    struct dbk_set_aside one = {.no_row = true};
    struct post_party party;
    struct apply_move move;
    bool nobody;
    enum dbk_code code = move_to(poster, poster->batch.entries[i].sequence, &move, err);

    if (code == DBK_OK)
        code = find_party(poster, i, &party, &nobody, &one, err);
    if (code != DBK_OK)
        return code;
    assert(move.to == poster->projected + 1); /* all before it were applied */
    one.first = one.last = move.to;
    /* First, so that what is in the table is known here, too. */
    if (!post_aside_add(&poster->aside, &one))
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    code = apply_quarantine(&poster->apply, poster->pg,
                            one.has_person ? &one.person_id : NULL, party.anonymous_id,
                            reason, &move, err);
    if (code == DBK_INVALID) /* not a record's fault: do not halve or repeat it */
        code = dbk_fail(err, DBK_INTERNAL,
                        "record %llu can neither be applied nor set "
                        "aside",
                        (unsigned long long)move.to);
    if (code != DBK_OK)
        return code;
    moved(poster, &move);
    poster->quarantined++;
    say_quarantined(poster, move.to, &party, nobody, reason);
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
    char who[POST_PARTY_TEXT];
    struct post_party party;
    struct dbk_record record;
    bool nobody = true;

    post_trouble_slow(poster, end - first, to);
    if (end - first > 1)
        return dbk_fail(
            err, DBK_TIMEOUT,
            "PostgreSQL takes longer than %d s for records %llu to %llu: next "
            "for fewer of them, with up to %d s",
            before_s, (unsigned long long)from, (unsigned long long)to,
            poster->trouble.patience_ms / 1000);
    if (decode(poster, first, &record, NULL) != DBK_OK ||
        post_party(poster->log, &record, &poster->event, &party, &nobody, NULL) !=
            DBK_OK) /* as it was decoded to be applied */
        return dbk_fail(err, DBK_TIMEOUT, "record %llu cannot be read",
                        (unsigned long long)from);
    post_party_text(&party, nobody, who);
    return dbk_fail(err, DBK_TIMEOUT,
                    "PostgreSQL takes longer than %d s for record %llu (%s of %s): "
                    "next with up to %d s",
                    before_s, (unsigned long long)from, dbk_type_name(record.type), who,
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
