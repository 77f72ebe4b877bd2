/* One person by its id, with its newest events.
 *
 * All that is carried together is in memory at once, so nothing large is: a person that
 * has large events among those shown, or of whom many are asked for, is asked for alone.
 */
#include "find_person.h"
#include "find_rows.h"
#include "gather.h"
#include "pg_array.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <string.h>

/* What is shown of a person's events is at most 1 MiB. This many, none larger, cannot come
 * to more, so nobody needs to add them up: beside its properties an event takes 256 bytes,
 * and 1,400 more with the longest type and anonymous id (person_get.sql). */
#define EVENTS_MAX 100
#define PROPERTIES_MAX ((1 << 20) / EVENTS_MAX - 256 - 1400)

static const struct pg_statement together = {"person_find", sql_person_find};
static const struct pg_statement alone = {"person_get", sql_person_get};
static const struct pg_statement count_events = {"person_events_count",
                                                 sql_person_events_count};

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

/* Those whose events are counted, and what is known of them. */
struct counting {
    struct pg_array ids, behind, newest;
    size_t count;
    struct find_one *found[FIND_TOGETHER_MAX];
    struct dbk_uuid id[FIND_TOGETHER_MAX];
    struct event_total known[FIND_TOGETHER_MAX];
};

static void know(struct find *find, struct find_one *found, const struct dbk_uuid *id,
                 const struct event_total *total)
{
    event_totals_keep(&find->model->totals, find->tag, id, total);
    if (total->events > found->count) /* else they were deleted meanwhile */
        found->total = total->events;
}

/* That of the person is known, or else to be counted. */
static void add_to_count(struct find *find, struct counting *counting, size_t i)
{
    struct find_one *found = &find->rows.found[i];
    uint64_t newest = found->events[found->count - 1].sequence;
    struct event_total *known = &counting->known[counting->count];

    event_totals_find(&find->model->totals, find->tag, &find->ids[i], known);
    if (known->newest == newest || known->events >= FIND_EVENTS_COUNTED_MAX) {
        known->newest = newest;
        know(find, found, &find->ids[i], known);
        return;
    }
    pg_array_uuid(&counting->ids, &find->ids[i]);
    pg_array_int8(&counting->behind, (int64_t)known->newest);
    pg_array_int8(&counting->newest, (int64_t)newest);
    known->newest = newest;
    counting->id[counting->count] = find->ids[i];
    counting->found[counting->count++] = found;
}

static void take_count(struct find *find, struct counting *counting,
                       const struct pg_result *result)
{
    for (size_t row = 0; row < pg_rows(result); row++) {
        size_t i = (size_t)pg_binary_int8(result, row, 0) - 1;
        struct event_total *total = &counting->known[i];

        total->events += (uint64_t)pg_binary_int8(result, row, 1);
        if (total->events > FIND_EVENTS_COUNTED_MAX)
            total->events = FIND_EVENTS_COUNTED_MAX;
        know(find, counting->found[i], &counting->id[i], total);
    }
}

static enum dbk_code count_added(struct find *find, struct counting *counting,
                                 struct dbk_error *err)
{
    char most[8];
    struct pg_param params[4];
    struct ask ask = {.statement = &count_events, .params = params, .count = 4};
    enum dbk_code code;

    params[3] = pg_int8(most, FIND_EVENTS_COUNTED_MAX);
    code = pg_array_param(&counting->ids, &params[0], err);
    if (code == DBK_OK)
        code = pg_array_param(&counting->behind, &params[1], err);
    if (code == DBK_OK)
        code = pg_array_param(&counting->newest, &params[2], err);
    if (code == DBK_OK)
        code = read_with_connection(find->model, find->asker, find->deadline, run, &ask,
                                    err);
    if (code == DBK_OK)
        take_count(find, counting, ask.result);
    pg_clear(ask.result);
    return code;
}

/* Of those of find->ids whose bit is set. */
static enum dbk_code count_all(struct find *find, unsigned which, struct dbk_error *err)
{
    struct counting counting = {.count = 0};
    enum dbk_code code = DBK_OK;

    pg_array_init(&counting.ids, PG_UUID);
    pg_array_init(&counting.behind, PG_INT8);
    pg_array_init(&counting.newest, PG_INT8);
    for (size_t i = 0; i < find->rows.count; i++) {
        if ((which & 1u << i) && find->rows.found[i].count > 0)
            add_to_count(find, &counting, i);
    }
    if (counting.count > 0)
        code = count_added(find, &counting, err);
    pg_array_finish(&counting.ids);
    pg_array_finish(&counting.behind);
    pg_array_finish(&counting.newest);
    return code;
}

/* One more event of each than is shown tells whether there are more. */
static enum dbk_code find_together(struct find *find, unsigned most,
                                   struct dbk_error *err)
{
    char events[8], bytes[8];
    struct pg_param params[] = {{NULL, 0, false},
                                pg_int8(events, most > 0 ? (int64_t)most + 1 : 0),
                                pg_int8(bytes, PROPERTIES_MAX)};
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

/* One that has large events among those shown, or of whom many are asked for. */
static enum dbk_code find_alone(const struct find *group, const struct dbk_uuid *id,
                                unsigned limit, struct dbk_rows *rows,
                                struct dbk_error *err)
{
    struct find find = {.model = group->model,
                        .asker = group->asker,
                        .deadline = group->deadline,
                        .tag = event_totals_tag(&group->model->totals),
                        .rows.count = 1,
                        .ids = {*id}};
    char events[8];
    const struct pg_param params[] = {pg_uuid(id), pg_int8(events, limit)};
    struct ask ask = {.statement = &alone, .params = params, .count = 2};
    enum dbk_code code =
        read_with_connection(find.model, find.asker, find.deadline, run, &ask, err);

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
        if (find_rows_have_large(&find.rows, &find.rows.found[i], PROPERTIES_MAX))
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
    const struct find find = {.model = model, .deadline = look_up.deadline};

    rows_clear(rows);
    if (look_up.limit <= EVENTS_MAX)
        gather_ask(&model->persons, &look_up);
    if (look_up.code == DBK_TOO_LARGE)
        look_up.code = find_alone(&find, id, look_up.limit, rows, &look_up.error);
    return tell(&look_up, err);
}

static enum dbk_code find_each(const struct find *find, unsigned limit,
                               struct dbk_rows *rows, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < find->rows.count && code == DBK_OK; i++)
        code = find_alone(find, &find->ids[i], limit, rows, err);
    return code;
}

enum dbk_code find_persons_listed(struct dbk_read_model *model,
                                  const struct dbk_asker *asker, dbk_deadline deadline,
                                  const struct dbk_uuid *ids, size_t count,
                                  unsigned events_limit, struct dbk_rows *rows,
                                  struct dbk_error *err)
{
    struct find find = {
        .model = model, .asker = asker, .deadline = deadline, .rows.count = count};
    unsigned limits[FIND_TOGETHER_MAX];
    enum dbk_code code;

    assert(count <= FIND_TOGETHER_MAX);
    memcpy(find.ids, ids, count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        limits[i] = events_limit;
    if (events_limit > EVENTS_MAX)
        return find_each(&find, events_limit, rows, err);
    code = find_cut(&find, limits, err);
    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        if (!find.rows.found[i].person)
            continue;
        if (find_rows_have_large(&find.rows, &find.rows.found[i], PROPERTIES_MAX))
            code = find_alone(&find, &find.ids[i], events_limit, rows, err);
        else
            find_rows_put(&find.rows, &find.rows.found[i], rows);
    }
    find_rows_finish(&find.rows);
    return code;
}
