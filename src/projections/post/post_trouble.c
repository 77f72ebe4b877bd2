#include "post_trouble.h"

#include "poster.h"
#include "sql.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { USUAL_MS = 60000 };
enum { SLACK_MS = 5000 }; /* so that PostgreSQL ends a statement before we give it up */
enum { QUERY_MS = 60000 };

void post_trouble_init(struct post_trouble *trouble)
{
    *trouble = (struct post_trouble){.usual_ms = USUAL_MS, .patience_ms = USUAL_MS};
}

enum dbk_code post_trouble_set(struct poster *poster, struct dbk_error *err)
{
    static const struct pg_statement set = {NULL, sql_statement_timeout};
    struct post_trouble *trouble = &poster->trouble;
    char text[16];
    struct pg_param param = pg_text(text);
    enum dbk_code code;

    poster->apply.timeout_ms = trouble->patience_ms + SLACK_MS;
    if (trouble->session_ms == trouble->patience_ms)
        return DBK_OK;
    snprintf(text, sizeof text, "%d", trouble->patience_ms);
    code = pg_run(poster->pg, &set, &param, 1, QUERY_MS, NULL, err);
    if (code == DBK_OK)
        trouble->session_ms = trouble->patience_ms;
    return code;
}

static bool class_in(const char *sqlstate, const char *classes)
{
    for (; *classes; classes += 3) {
        if (!strncmp(sqlstate, classes, 2))
            return true;
    }
    return false;
}

enum post_cause post_cause(const struct poster *poster, enum dbk_code code,
                           dbk_deadline half)
{
    const char *sqlstate = pg_sqlstate(poster->pg);

    if (poster_data_fault(code))
        return POST_DATA;
    if (code == DBK_TIMEOUT && dbk_deadline_left(half) == 0)
        return POST_SLOW;
    if (code == DBK_MOVED || code == DBK_NO_MEMORY || !*sqlstate ||
        !pg_alive(poster->pg))
        return POST_ELSEWHERE;
    return POST_UNCLEAR; /* whatever it is called: a trigger can raise any of them */
}

bool post_trouble_passes(const struct poster *poster)
{
    return class_in(pg_sqlstate(poster->pg), "08 40 53 55 57 ");
}

bool post_trouble_again(struct poster *poster)
{
    struct post_trouble *trouble = &poster->trouble;
    bool passes = post_trouble_passes(poster);

    if (trouble->times > 0 && trouble->after == poster->projected)
        trouble->times++;
    else
        trouble->times = 1;
    trouble->after = poster->projected;
    return trouble->times >= (unsigned)(passes ? POST_PATIENT_TRIES : POST_TRIES);
}

int post_trouble_longer(int ms)
{
    return ms < POST_PATIENCE_MAX_MS / 2 ? ms * 2 : POST_PATIENCE_MAX_MS;
}

void post_trouble_slow(struct poster *poster, size_t count, uint64_t last)
{
    struct post_trouble *trouble = &poster->trouble;

    assert(count > 0);
    trouble->most = count > 1 ? count / 2 : 1;
    if (trouble->until < last)
        trouble->until = last;
    trouble->patience_ms = post_trouble_longer(trouble->patience_ms);
}

bool post_trouble_may_pass(const struct poster *poster, enum dbk_code code)
{
    const struct post_trouble *trouble = &poster->trouble;

    if (code == DBK_OK || !pg_alive(poster->pg))
        return false;
    if (code == DBK_TIMEOUT)
        return trouble->until > 0 && trouble->patience_ms < POST_PATIENCE_MAX_MS;
    return code == DBK_UNAVAILABLE && *pg_sqlstate(poster->pg) &&
           trouble->after == poster->projected && trouble->times > 0 &&
           trouble->times < POST_PATIENT_TRIES;
}

void post_trouble_passed(struct poster *poster)
{
    struct post_trouble *trouble = &poster->trouble;

    trouble->times = 0;
    if (poster->projected < trouble->until)
        return;
    trouble->most = 0;
    trouble->until = 0;
    trouble->patience_ms = trouble->usual_ms;
}

/* Nobody's: ids of their own, an address that nobody can have, and sequences that no log
 * comes to. */
struct neutral {
    struct dbk_uuid person, event, anonymous; /* the last: an event */
    char id[DBK_UUID_TEXT + 1];               /* of the person, and the anonymous id */
    char email[DBK_UUID_TEXT + 32];
};

struct neutral_record {
    enum dbk_type type; /* 0: none */
    bool anonymous;
};

static uint64_t neutral_sequence(struct neutral_record which)
{
    uint64_t place = (uint64_t)which.type + (which.anonymous ? DBK_TYPE_COUNT : 0);

    return (uint64_t)INT64_MAX - UINT64_C(2) * DBK_TYPE_COUNT + place;
}

static enum dbk_code add(struct fold *fold, const struct neutral *neutral,
                         struct neutral_record which, struct dbk_error *err)
{
    bool of_event = dbk_type_subject(which.type) == DBK_SUBJECT_EVENT;
    static const struct neutral_record recorded = {DBK_EVENT_RECORDED, false};
    struct dbk_record record = {
        .type = which.type,
        .sequence = neutral_sequence(which),
        .subject = of_event ? neutral->event : neutral->person,
        .person = {.has = DBK_HAS_ALL,
                   .email = dbk_slice(neutral->email),
                   .first_name = dbk_slice("Nobody"),
                   .last_name = dbk_slice("Nobody"),
                   .role = DBK_ROLE_USER},
        .person_id = neutral->person,
        .event_type = dbk_slice("nothing"),
        .properties = dbk_slice("{\"n\":0}"),
    };
    enum dbk_code code;

    if (which.anonymous)
        record.anonymous_id = dbk_slice(neutral->id);
    if (which.anonymous && of_event) {
        record.subject = neutral->anonymous;
        record.person_id = (struct dbk_uuid){{0}};
    }
    code = fold_add(fold, &record, err);
    fold_locate(fold, &neutral->event, neutral_sequence(recorded));
    return code;
}

/* Made, changed, and taken away: each with what came before in the tables already. */
static enum dbk_code go_through(struct poster *poster, struct fold *fold,
                                struct dbk_error *err)
{
    static const struct neutral_record parts[][3] = {
        {{DBK_PERSON_CREATED, false},
         {DBK_EVENT_RECORDED, false},
         {DBK_EVENT_RECORDED, true}},
        {{DBK_PERSON_UPDATED, false},
         {DBK_EVENT_DELETED, false},
         {DBK_PERSON_ALIASED, true}},
        {{DBK_PERSON_DELETED, false}},
    };
    struct neutral neutral = {
        .person = dbk_uuid_new(), .event = dbk_uuid_new(), .anonymous = dbk_uuid_new()};
    enum dbk_code code = DBK_OK;

    dbk_uuid_format(&neutral.person, neutral.id);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && code == DBK_OK; i++) {
        fold_clear(fold);
        snprintf(neutral.email, sizeof neutral.email, "%zu-%s@daybook.invalid", i,
                 neutral.id);
        for (size_t k = 0; k < 3 && parts[i][k].type && code == DBK_OK; k++)
            code = add(fold, &neutral, parts[i][k], err);
        if (code == DBK_OK)
            code = apply_within(&poster->apply, poster->pg, fold, err);
    }
    return code;
}

enum dbk_code post_neutral(struct poster *poster, struct dbk_error *err)
{
    struct fold fold;
    enum dbk_code code = pg_begin(poster->pg, QUERY_MS, err);

    if (code != DBK_OK)
        return code;
    fold_init(&fold);
    code = pg_check_place(poster->pg, QUERY_MS, err);
    if (code == DBK_OK)
        code = go_through(poster, &fold, err);
    if (code == DBK_OK) /* it is never committed */
        code =
            pg_script(poster->pg, sql_constraints_now, poster->apply.timeout_ms, err);
    fold_finish(&fold);
    if (pg_alive(poster->pg) && pg_rollback(poster->pg, QUERY_MS, NULL) != DBK_OK)
        return dbk_fail(err, DBK_UNAVAILABLE, "a transaction cannot be rolled back");
    return code;
}
