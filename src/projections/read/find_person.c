/* One person by its id, with its newest events.
 *
 * All that is carried together is in memory at once, so nothing large is: a person that
 * has large events among those shown, or of whom many are asked for, is asked for alone.
 */
#include "find_person.h"
#include "gather.h"
#include "pg_array.h"
#include "projections/model_json.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is shown of a person's events is at most 1 MiB. This many, none larger, cannot come
 * to more, so nobody needs to add them up: beside its properties an event takes 256 bytes,
 * and 1,400 more with the longest type and anonymous id (person_get.sql). */
#define EVENTS_MAX 100
#define PROPERTIES_MAX ((1 << 20) / EVENTS_MAX - 256 - 1400)

/* The statement's columns, of persons and of events. */
enum {
    PLACE,
    SEQUENCE,
    ID,
    DATETIME_CREATED,
    DATETIME_MODIFIED,
    ROLE,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    PROPERTIES,
    CREATED_SEQUENCE,
    EXTERNAL_ID,
    EVENT_TYPE = EMAIL,
    PROPERTIES_BYTES = CREATED_SEQUENCE,
    ANONYMOUS_ID = EXTERNAL_ID,
};

static const struct pg_statement together = {"person_find", sql_person_find};
static const struct pg_statement alone = {"person_get", sql_person_get};
static const struct pg_statement count_events = {"person_events_count",
                                                 sql_person_events_count};

/* The rows of one person: its own, and those of its events, oldest first. */
struct found {
    bool person;
    size_t row;
    size_t count;
    struct found_event {
        uint64_t sequence;
        size_t row;
    } * events;     /* a part of find.events */
    uint64_t total; /* of all its events, where some are not shown; else 0 */
};

/* What is asked of several at once, and what was found. */
struct find {
    struct dbk_read_model *model;
    const struct dbk_asker *asker; /* of a list; NULL: they are look-ups */
    dbk_deadline deadline;
    uint64_t tag; /* event_totals.h */
    size_t count;
    struct dbk_uuid ids[FIND_TOGETHER_MAX];
    struct pg_result *result;
    struct found found[FIND_TOGETHER_MAX];
    struct found_event *events;
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

static int by_sequence(const void *a, const void *b)
{
    const struct found_event *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static struct found *found_at(struct find *find, const struct pg_result *result,
                              size_t row)
{
    return &find->found[pg_binary_int8(result, row, PLACE) - 1];
}

/* Each gets its part of the events' places. */
static void give_room(struct find *find, size_t rows)
{
    struct found_event *next = find->events;

    for (size_t row = 0; row < rows; row++) {
        struct found *one = found_at(find, find->result, row);

        if (pg_null(find->result, row, ROLE)) {
            one->count++;
            continue;
        }
        one->person = true;
        one->row = row;
    }
    for (size_t i = 0; i < find->count; i++) {
        find->found[i].events = next;
        next += find->found[i].count;
        find->found[i].count = 0;
    }
}

/* Sort the rows out: found[i] is for the place i + 1. */
static enum dbk_code look_through(struct find *find, struct dbk_error *err)
{
    size_t rows = pg_rows(find->result);

    memset(find->found, 0, sizeof find->found);
    find->events = malloc((rows + 1) * sizeof *find->events);
    if (!find->events)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    give_room(find, rows);
    for (size_t row = 0; row < rows; row++) {
        struct found *one = found_at(find, find->result, row);

        if (pg_null(find->result, row, ROLE))
            one->events[one->count++] = (struct found_event){
                (uint64_t)pg_binary_int8(find->result, row, SEQUENCE), row};
    }
    for (size_t i = 0; i < find->count; i++)
        qsort(find->found[i].events, find->found[i].count, sizeof *find->events,
              by_sequence);
    return DBK_OK;
}

static void find_finish(struct find *find)
{
    pg_clear(find->result);
    free(find->events);
    find->result = NULL;
    find->events = NULL;
}

/* Only the newest, `most` of them. True where that leaves some out. */
static bool cut(struct found *found, size_t most)
{
    if (found->count <= most)
        return false;
    found->events += found->count - most;
    found->count = most;
    return true;
}

static bool has_large(const struct find *find, const struct found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        if (pg_binary_int8(find->result, found->events[i].row, PROPERTIES_BYTES) >
            PROPERTIES_MAX)
            return true;
    }
    return false;
}

/* Those whose events are counted, and what is known of them. */
struct counting {
    struct pg_array ids, behind, newest;
    size_t count;
    struct found *found[FIND_TOGETHER_MAX];
    struct dbk_uuid id[FIND_TOGETHER_MAX];
    struct event_total known[FIND_TOGETHER_MAX];
};

static void know(struct find *find, struct found *found, const struct dbk_uuid *id,
                 const struct event_total *total)
{
    event_totals_keep(&find->model->totals, find->tag, id, total);
    if (total->events > found->count) /* else they were deleted meanwhile */
        found->total = total->events;
}

/* That of the person is known, or else to be counted. */
static void add_to_count(struct find *find, struct counting *counting, size_t i)
{
    struct found *found = &find->found[i];
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
        size_t i = (size_t)pg_binary_int8(result, row, PLACE) - 1;
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
    for (size_t i = 0; i < find->count; i++) {
        if ((which & 1u << i) && find->found[i].count > 0)
            add_to_count(find, &counting, i);
    }
    if (counting.count > 0)
        code = count_added(find, &counting, err);
    pg_array_finish(&counting.ids);
    pg_array_finish(&counting.behind);
    pg_array_finish(&counting.newest);
    return code;
}

static void put_event(const struct pg_result *result, size_t row,
                      const struct dbk_uuid *person_id, struct dbk_rows *rows)
{
    struct dbk_event_view event = {
        .person_id = *person_id,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .event_type = pg_value(result, row, EVENT_TYPE),
        .anonymous_id = pg_value(result, row, ANONYMOUS_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
    };

    pg_binary_uuid(result, row, ID, &event.id);
    dbk_render_event(&rows->json, &event);
}

static void put_events(const struct pg_result *result, const struct found *found,
                       const struct dbk_uuid *person_id, struct dbk_rows *rows)
{
    dbk_render_text(&rows->json, "[");
    for (size_t i = 0; i < found->count; i++) {
        if (i > 0)
            dbk_render_text(&rows->json, ",");
        put_event(result, found->events[i].row, person_id, rows);
    }
    dbk_render_text(&rows->json, "]");
}

static void put_person(const struct find *find, const struct found *found,
                       struct dbk_rows *rows)
{
    const struct pg_result *result = find->result;
    size_t row = found->row;
    struct dbk_person_view person = {
        .shown = rows->shown,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .datetime_modified = pg_binary_timestamp(result, row, DATETIME_MODIFIED),
        .email = pg_value(result, row, EMAIL),
        .first_name = pg_value(result, row, FIRST_NAME),
        .last_name = pg_value(result, row, LAST_NAME),
        .role = pg_value(result, row, ROLE),
        .external_id = pg_value(result, row, EXTERNAL_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
        .events_total = found->total,
        .events_after = found->count > 0 ? found->events[0].sequence : 0,
    };
    struct dbk_row added = {
        .cursor = (uint64_t)pg_binary_int8(result, row, CREATED_SEQUENCE),
        .version = (uint64_t)pg_binary_int8(result, row, SEQUENCE),
    };

    pg_binary_uuid(result, row, ID, &person.id);
    added.person_id = person.id;
    if (dbk_render_person_begin(&rows->json, &person))
        put_events(result, found, &person.id, rows);
    dbk_render_person_end(&rows->json, &person);
    rows_end(rows, &added);
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
    for (size_t i = 0; i < find->count; i++)
        pg_array_uuid(&ids, &find->ids[i]);
    code = pg_array_param(&ids, &params[0], err);
    if (code == DBK_OK)
        code = read_with_connection(find->model, find->asker, find->deadline, run, &ask,
                                    err);
    pg_array_finish(&ids);
    find->result = ask.result;
    return code == DBK_OK ? look_through(find, err) : code;
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
                        .count = 1,
                        .ids = {*id}};
    char events[8];
    const struct pg_param params[] = {pg_uuid(id), pg_int8(events, limit)};
    struct ask ask = {.statement = &alone, .params = params, .count = 2};
    enum dbk_code code =
        read_with_connection(find.model, find.asker, find.deadline, run, &ask, err);

    find.result = ask.result;
    if (code == DBK_OK)
        code = look_through(&find, err);
    if (code == DBK_OK && find.found[0].person && limit > 0)
        code = count_all(&find, 1, err);
    if (code == DBK_OK && find.found[0].person)
        put_person(&find, &find.found[0], rows);
    find_finish(&find);
    return code;
}

/* Bits of those of whom not all events are shown, of which no more than limits[i]. */
static unsigned cut_all(struct find *find, const unsigned *limits)
{
    unsigned which = 0;

    for (size_t i = 0; i < find->count; i++) {
        if (cut(&find->found[i], limits[i]) && limits[i] > 0)
            which |= 1u << i;
    }
    return which;
}

static enum dbk_code find_cut(struct find *find, const unsigned *limits,
                              struct dbk_error *err)
{
    unsigned most = 0, which;

    for (size_t i = 0; i < find->count; i++)
        most = limits[i] > most ? limits[i] : most;
    if (find_together(find, most, err) != DBK_OK)
        return err->code;
    which = cut_all(find, limits);
    return which ? count_all(find, which, err) : DBK_OK;
}

static void carry(void *context, struct carrying *carrying,
                  struct look_up *const *asked, size_t count)
{
    struct find find = {
        .model = context, .count = count, .deadline = asked[0]->deadline};
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
        if (code != DBK_OK || !find.found[i].person)
            continue;
        if (has_large(&find, &find.found[i]))
            asked[i]->code = DBK_TOO_LARGE; /* it must be asked for alone */
        else
            put_person(&find, &find.found[i], asked[i]->rows);
    }
    find_finish(&find);
}

void find_persons_init(struct dbk_read_model *model, unsigned processors)
{
    gather_init(&model->persons, FIND_TOGETHER_MAX, processors, carry, model);
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

    for (size_t i = 0; i < find->count && code == DBK_OK; i++)
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
        .model = model, .asker = asker, .deadline = deadline, .count = count};
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
        if (!find.found[i].person)
            continue;
        if (has_large(&find, &find.found[i]))
            code = find_alone(&find, &find.ids[i], events_limit, rows, err);
        else
            put_person(&find, &find.found[i], rows);
    }
    find_finish(&find);
    return code;
}
