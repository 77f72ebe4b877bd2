/* One person by its id, with its newest events.
 *
 * All that is carried together is in memory at once, so nothing large is: a person that
 * has large events among those shown, or of whom many are asked for, is asked for alone.
 */
#include "find_person.h"
#include "count_events.h"
#include "find_rows.h"
#include "gather.h"
#include "pg_array.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <string.h>

static const struct pg_statement together = {"person_find", sql_person_find};
static const struct pg_statement alone = {"person_get", sql_person_get};

/* What is asked of several at once, and what was found. */
struct find {
    struct dbk_read_model *model;
    const struct dbk_asker *asker; /* of a list; NULL: they are look-ups */
    dbk_deadline deadline;
    uint64_t tag; /* event_totals.h */
    struct dbk_uuid ids[FIND_TOGETHER_MAX];
    struct find_rows rows;
};

/* A statement of one round trip. */
struct ask {
    const struct pg_statement *statement;
    const struct pg_param *params;
    int count;
    struct pg_result *result;
};

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct ask *ask = context;

    return pg_run(pg, ask->statement, ask->params, ask->count,
                  dbk_deadline_left(deadline), &ask->result, err);
}

/* Of those of find->ids whose bit is set. */
static enum dbk_code count_all(struct find *find, unsigned which, struct dbk_error *err)
{
    struct count_one ones[FIND_TOGETHER_MAX];
    struct find_one *of[FIND_TOGETHER_MAX];
    size_t count = 0;
    enum dbk_code code;

    for (size_t i = 0; i < find->rows.count; i++) {
        struct find_one *found = &find->rows.found[i];

        if (!(which & 1u << i) || found->count == 0)
            continue;
        of[count] = found;
        ones[count++] =
            (struct count_one){.id = find->ids[i],
                               .newest = found->events[found->count - 1].sequence,
                               .shown = found->count};
    }
    code = count_events(find->model, find->asker, find->deadline, find->tag, ones,
                        count, err);
    for (size_t i = 0; i < count && code == DBK_OK; i++)
        of[i]->total = ones[i].total;
    return code;
}

/* One more event of each than is shown tells whether there are more. */
static enum dbk_code find_together(struct find *find, unsigned most,
                                   struct dbk_error *err)
{
    char events[8], bytes[8];
    struct pg_param params[] = {{NULL, 0, false},
                                pg_int8(events, most > 0 ? (int64_t)most + 1 : 0),
                                pg_int8(bytes, FIND_PROPERTIES_MAX)};
    struct ask ask = {.statement = &together, .params = params, .count = 3};
    struct pg_array ids;
    enum dbk_code code;

    find->tag = event_totals_tag(&find->model->totals);
    pg_array_init(&ids, PG_UUID);
    for (size_t i = 0; i < find->rows.count; i++)
        pg_array_uuid(&ids, &find->ids[i]);
    code = pg_array_param(&ids, &params[0], err);
    if (code == DBK_OK)
        code = read_with_connection(find->model, find->asker, find->deadline, run, &ask,
                                    err);
    pg_array_finish(&ids);
    find->rows.result = ask.result;
    return code == DBK_OK ? find_rows_sort(&find->rows, err) : code;
}

enum dbk_code find_person_alone(struct dbk_read_model *model,
                                const struct dbk_asker *asker, dbk_deadline deadline,
                                const struct dbk_uuid *id, unsigned limit,
                                struct dbk_rows *rows, struct dbk_error *err)
{
    struct find find = {.model = model,
                        .asker = asker,
                        .deadline = deadline,
                        .tag = event_totals_tag(&model->totals),
                        .rows.count = 1,
                        .ids = {*id}};
    char events[8];
    const struct pg_param params[] = {pg_uuid(id), pg_int8(events, limit)};
    struct ask ask = {.statement = &alone, .params = params, .count = 2};
    enum dbk_code code = read_with_connection(model, asker, deadline, run, &ask, err);

    find.rows.result = ask.result;
    if (code == DBK_OK)
        code = find_rows_sort(&find.rows, err);
    if (code == DBK_OK && find.rows.found[0].person && limit > 0)
        code = count_all(&find, 1, err);
    if (code == DBK_OK && find.rows.found[0].person)
        find_rows_put(&find.rows, &find.rows.found[0], rows);
    find_rows_finish(&find.rows);
    return code;
}

/* Bits of those of whom not all events are shown, of which no more than limits[i]. */
static unsigned cut_all(struct find *find, const unsigned *limits)
{
    unsigned which = 0;

    for (size_t i = 0; i < find->rows.count; i++) {
        if (find_rows_cut(&find->rows.found[i], limits[i]) && limits[i] > 0)
            which |= 1u << i;
    }
    return which;
}

static enum dbk_code find_cut(struct find *find, const unsigned *limits,
                              struct dbk_error *err)
{
    unsigned most = 0, which;
    enum dbk_code code;

    for (size_t i = 0; i < find->rows.count; i++)
        most = limits[i] > most ? limits[i] : most;
    code = find_together(find, most, err);
    if (code != DBK_OK)
        return code;
    which = cut_all(find, limits);
    return which ? count_all(find, which, err) : DBK_OK;
}

static void carry(void *context, struct carrying *carrying,
                  struct look_up *const *asked, size_t count)
{
    struct find find = {
        .model = context, .rows.count = count, .deadline = asked[0]->deadline};
    unsigned limits[FIND_TOGETHER_MAX];
    struct dbk_error err = {0};
    enum dbk_code code;

    assert(count <= FIND_TOGETHER_MAX);
    for (size_t i = 0; i < count; i++) {
        find.ids[i] = asked[i]->id;
        limits[i] = asked[i]->limit;
    }
    code = find_cut(&find, limits, &err);
    gather_pass_on(carrying);
    for (size_t i = 0; i < count; i++) {
        asked[i]->code = code;
        asked[i]->error = err;
        if (code != DBK_OK || !find.rows.found[i].person)
            continue;
        if (find_rows_have_large(&find.rows, &find.rows.found[i], FIND_PROPERTIES_MAX))
            asked[i]->code = DBK_TOO_LARGE; /* it must be asked for alone */
        else
            find_rows_put(&find.rows, &find.rows.found[i], asked[i]->rows);
    }
    find_rows_finish(&find.rows);
}

void find_persons_init(struct dbk_read_model *model, unsigned processors)
{
    gather_init(&model->persons, FIND_TOGETHER_MAX, processors, carry, model);
}

void find_persons_now(struct dbk_read_model *model, struct look_up *const *asked,
                      size_t count)
{
    gather_now(&model->persons, asked, count);
}

static enum dbk_code tell(const struct look_up *look_up, struct dbk_error *err)
{
    if (look_up->code != DBK_OK && err)
        *err = look_up->error;
    if (look_up->code != DBK_OK)
        return look_up->code;
    if (look_up->rows->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    if (look_up->rows->count == 0)
        return dbk_fail(err, DBK_NOT_FOUND, "There is no such person");
    return DBK_OK;
}

enum dbk_code dbk_read_person(struct dbk_read_model *model, const struct dbk_uuid *id,
                              unsigned events_limit, struct dbk_rows *rows,
                              struct dbk_error *err)
{
    struct look_up look_up = {.id = *id,
                              .limit = read_events_limit(rows, events_limit),
                              .rows = rows,
                              .deadline = dbk_deadline_in(model->timeout_ms),
                              .code = DBK_TOO_LARGE};

    rows_clear(rows);
    if (look_up.limit <= FIND_EVENTS_MAX)
        gather_ask(&model->persons, &look_up);
    if (look_up.code == DBK_TOO_LARGE)
        look_up.code = find_person_alone(model, NULL, look_up.deadline, id,
                                         look_up.limit, rows, &look_up.error);
    return tell(&look_up, err);
}
