#include "post_retry.h"

#include "post_attempt.h"
#include "post_party.h"
#include "sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MS = 60000, TOGETHER_MAX = 512 };
enum column { SEQUENCE, CREATED_SEQUENCE };

static const struct pg_statement pending = {"quarantine_pending",
                                            sql_quarantine_pending};
static const struct pg_statement keep = {"quarantine_keep", sql_quarantine_keep};

void post_retry_init(struct post_retry *retry, struct poster *poster)
{
    *retry = (struct post_retry){.poster = poster};
    post_scan_init(&retry->scan);
}

void post_retry_finish(struct post_retry *retry)
{
    free(retry->rows);
    post_scan_finish(&retry->scan);
}

bool post_retry_pending(const struct post_retry *retry)
{
    return retry->run_count > 0;
}

static void push(struct post_retry *retry, size_t first, size_t end)
{
    assert(end <= retry->row_count);
    assert(retry->run_count < sizeof retry->runs / sizeof retry->runs[0]);
    if (first < end)
        retry->runs[retry->run_count++] = (struct post_run){first, end};
}

static enum dbk_code keep_row(struct poster *poster, uint64_t sequence,
                              const char *reason, struct dbk_error *err)
{
    char number[8];
    const struct pg_param params[] = {pg_int8(number, (int64_t)sequence),
                                      pg_text(reason)};

    return pg_run(poster->pg, &keep, params, 2, QUERY_MS, NULL, err);
}

/* Whose record is it, and from where on must the log be read? */
static enum dbk_code look_up(struct poster *poster, struct post_row *row,
                             struct dbk_error *err)
{
    struct post_party party;
    struct dbk_record record;
    bool nobody;
    enum dbk_code code =
        dbk_log_record(poster->log, row->sequence, &poster->batch, &record, err);

    if (code == DBK_OK)
        code = post_party(poster->log, &record, &poster->event, &party, &nobody, err);
    if (code == DBK_OK && nobody)
        code = dbk_fail(err, DBK_DAMAGED, "the event that it deletes cannot be read");
    if (code != DBK_OK)
        return code;
    row->person_id = party.person_id;
    if (party.anonymous_id.length > 0)
        memcpy(row->anonymous_id, party.anonymous_id.data, party.anonymous_id.length);
    if (record.type == DBK_PERSON_CREATED)
        row->scan_from = row->sequence;
    return DBK_OK;
}

static enum dbk_code take_rows(struct post_retry *retry, const struct pg_result *result,
                               struct dbk_error *err)
{
    free(retry->rows);
    retry->row_count = retry->run_count = 0;
    retry->rows = calloc(pg_rows(result) + 1, sizeof *retry->rows);
    if (!retry->rows)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < pg_rows(result); i++) {
        struct post_row *row = &retry->rows[retry->row_count];
        enum dbk_code code;

        row->sequence = pg_u64(result, i, SEQUENCE);
        row->scan_from = pg_null(result, i, CREATED_SEQUENCE)
                             ? 1
                             : pg_u64(result, i, CREATED_SEQUENCE);
        code = look_up(retry->poster, row, err);
        if (code == DBK_OK)
            retry->row_count++;
        else if (!poster_data_fault(code) ||
                 (code = keep_row(retry->poster, row->sequence, err->text, err)) !=
                     DBK_OK)
            return code;
    }
    if (post_scan_begin(&retry->scan, retry->rows, retry->row_count, err) != DBK_OK)
        return err->code;
    retry->patience_ms = 0;
    retry->tries = 0;
    push(retry, 0, retry->row_count); /* not before all of them are looked for */
    return DBK_OK;
}

enum dbk_code post_retry_begin(struct post_retry *retry, bool all,
                               struct dbk_error *err)
{
    struct pg_param param = pg_text(all ? "true" : "false");
    struct pg_result *result;
    enum dbk_code code;

    if (all && retry->poster->quarantined == 0)
        return DBK_OK;
    code = pg_run(retry->poster->pg, &pending, &param, 1, QUERY_MS, &result, err);
    if (code != DBK_OK)
        return code;
    code = take_rows(retry, result, err);
    pg_clear(result);
    return code;
}

static void say_healed(const struct post_retry *retry, struct post_run run)
{
    char who[POST_PARTY_TEXT];

    for (size_t i = run.first; i < run.end; i++) {
        const struct post_row *row = &retry->rows[i];
        const struct post_party party = {.person_id = row->person_id,
                                         .anonymous_id = dbk_slice(row->anonymous_id)};

        post_party_text(&party, false, who);
        poster_say(retry->poster, "%s is out of quarantine", who);
    }
}

/* One person more slowly than the last time, whose events are many. */
static enum dbk_code try_longer(struct post_retry *retry, struct post_run run,
                                const struct dbk_error *err)
{
    retry->patience_ms = post_trouble_longer(retry->poster->trouble.patience_ms);
    push(retry, run.first, run.end);
    poster_say(retry->poster, "the retry of record %llu takes up to %d s next: %s",
               (unsigned long long)retry->rows[run.first].sequence,
               retry->patience_ms / 1000, err->text);
    return DBK_OK;
}

/* Who is set aside stays so, whatever the reason is that PostgreSQL gives: no evidence is
 * asked for. But what may pass by itself is tried again, within
 * a bound for all: each such try costs the session. */
static enum dbk_code settle(struct post_retry *retry, struct post_run run,
                            enum dbk_code code, enum post_cause cause,
                            struct dbk_error *err)
{
    size_t middle = run.first + (run.end - run.first) / 2;
    char reason[sizeof err->text];

    if (code == DBK_OK) {
        say_healed(retry, run);
        retry->patience_ms = 0;
        return poster_load(retry->poster, err);
    }
    if (cause == POST_ELSEWHERE || !pg_alive(retry->poster->pg)) {
        push(retry, run.first, run.end);
        return code;
    }
    if (run.end - run.first > 1) {
        push(retry, middle, run.end);
        push(retry, run.first, middle);
        return DBK_OK;
    }
    if (cause == POST_SLOW && retry->patience_ms < POST_PATIENCE_MAX_MS)
        return try_longer(retry, run, err);
    if (post_trouble_passes(retry->poster) && ++retry->tries < POST_PATIENT_TRIES) {
        push(retry, run.first, run.end);
        return code;
    }
    retry->patience_ms = 0;
    memcpy(reason, err->text, sizeof reason);
    return keep_row(retry->poster, retry->rows[run.first].sequence, reason, err);
}

enum dbk_code post_retry_step(struct post_retry *retry, struct dbk_error *err)
{
    struct poster *poster = retry->poster;
    int usual_ms = poster->trouble.patience_ms;
    dbk_deadline half;
    enum post_cause cause;
    struct post_run run;
    enum dbk_code code = DBK_OK;

    if (!post_scan_done(&retry->scan, poster))
        code = post_scan_slice(&retry->scan, poster, err);
    if (code != DBK_OK || !post_scan_done(&retry->scan, poster))
        return code;
    assert(retry->run_count > 0); /* it is called while one is pending */
    run = retry->runs[--retry->run_count];
    if (run.end - run.first > TOGETHER_MAX) {
        push(retry, run.first + TOGETHER_MAX, run.end);
        run.end = run.first + TOGETHER_MAX;
    }
    if (retry->patience_ms > usual_ms)
        poster->trouble.patience_ms = retry->patience_ms;
    half = dbk_deadline_in(poster->trouble.patience_ms / 2);
    code = post_trouble_set(poster, err);
    if (code == DBK_OK)
        code = post_attempt(poster, &retry->scan, &retry->rows[run.first],
                            run.end - run.first, err);
    cause = code == DBK_OK ? POST_ELSEWHERE : post_cause(poster, code, half);
    code = settle(retry, run, code, cause, err);
    poster->trouble.patience_ms = usual_ms;
    return code;
}
