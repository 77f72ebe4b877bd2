/* Lists of events. */
#include "person_pages.h"
#include "pg_array.h"
#include "projections/model_json.h"
#include "projections/read_model.h"
#include "read_count.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#define FIRST_PART 256
#define FILTER_PARAMS 6

struct events {
    struct dbk_read_model *model;
    const struct dbk_event_filter *filter;
    struct pg_array types, without;
    dbk_deadline deadline;
    size_t bytes_max;
    bool descending;
    const struct dbk_asker *asker;
    bool few;      /* look all matches up and sort them */
    bool together; /* with what others ask of their persons now */
};

/* $1 to $6; NULL where the filter does not ask. */
static enum dbk_code put_filter(struct events *events, char since[8], char until[8],
                                struct pg_param params[FILTER_PARAMS],
                                struct dbk_error *err)
{
    const struct pg_param null = {NULL, 0, false};
    const struct dbk_event_filter *filter = events->filter;

    params[0] = filter->has_person_id ? pg_uuid(&filter->person_id) : null;
    params[1] = null;
    params[2] = filter->has_since ? pg_timestamp(since, filter->since) : null;
    params[3] = filter->has_until ? pg_timestamp(until, filter->until) : null;
    params[4] = filter->properties.length ? pg_bytes(filter->properties) : null;
    params[5] = filter->anonymous_id.length ? pg_bytes(filter->anonymous_id) : null;
    if (filter->event_types_count == 0)
        return DBK_OK;
    pg_array_clear(&events->types);
    for (size_t i = 0; i < filter->event_types_count; i++)
        pg_array_text(&events->types, filter->event_types[i]);
    return pg_array_param(&events->types, &params[1], err);
}

static void begin(struct events *events)
{
    pg_array_init(&events->types, PG_TEXT);
    pg_array_init(&events->without, PG_UUID);
    for (size_t i = 0; i < events->filter->without_count; i++)
        pg_array_uuid(&events->without, &events->filter->without[i]);
}

static void finish(struct events *events)
{
    pg_array_finish(&events->types);
    pg_array_finish(&events->without);
}

/* Those whose are left out; NULL where nobody's. */
static enum dbk_code put_without(struct events *events, struct pg_param *param,
                                 struct dbk_error *err)
{
    *param = (struct pg_param){NULL, 0, false};
    return events->filter->without_count == 0
               ? DBK_OK
               : pg_array_param(&events->without, param, err);
}

/* Each in the order of the log, and backwards. */
static const struct pg_statement list[] = {{"event_list", sql_event_list},
                                           {"event_list_desc", sql_event_list_desc}};
static const struct pg_statement list_person[] = {
    {"event_list_person", sql_event_list_person},
    {"event_list_person_desc", sql_event_list_person_desc}};
static const struct pg_statement list_type[] = {
    {"event_list_type", sql_event_list_type},
    {"event_list_type_desc", sql_event_list_type_desc}};
static const struct pg_statement list_types[] = {
    {"event_list_types", sql_event_list_types},
    {"event_list_types_desc", sql_event_list_types_desc}};
static const struct pg_statement list_anonymous[] = {
    {"event_list_anonymous", sql_event_list_anonymous},
    {"event_list_anonymous_desc", sql_event_list_anonymous_desc}};
static const struct pg_statement list_few[] = {
    {"event_list_few", sql_event_list_few},
    {"event_list_few_desc", sql_event_list_few_desc}};

static const struct pg_statement *choose(const struct events *events)
{
    if (events->few)
        return &list_few[events->descending];
    if (events->filter->anonymous_id.length > 0)
        return &list_anonymous[events->descending];
    if (events->filter->has_person_id)
        return &list_person[events->descending];
    if (events->filter->event_types_count > 1)
        return &list_types[events->descending];
    if (events->filter->event_types_count == 1)
        return &list_type[events->descending];
    return &list[events->descending];
}

void read_add_event(const struct pg_result *result, size_t row, struct dbk_rows *rows,
                    struct dbk_row *added)
{
    enum {
        SEQUENCE,
        ID,
        DATETIME_CREATED,
        EVENT_TYPE,
        PERSON_ID,
        PROPERTIES,
        ANONYMOUS_ID,
        RECEIVED
    };
    struct dbk_event_view event = {
        .shown = rows->shown,
        .datetime_created = pg_binary_timestamp(result, row, DATETIME_CREATED),
        .received = pg_binary_timestamp(result, row, RECEIVED),
        .event_type = pg_value(result, row, EVENT_TYPE),
        .anonymous_id = pg_value(result, row, ANONYMOUS_ID),
        .properties = pg_binary_jsonb(result, row, PROPERTIES),
    };

    added->cursor = added->version = (uint64_t)pg_binary_int8(result, row, SEQUENCE);
    if (added->cursor == 0) /* too many for few */
        return;
    pg_binary_uuid(result, row, ID, &event.id);
    pg_binary_uuid(result, row, PERSON_ID, &event.person_id);
    added->person_id = event.person_id;
    dbk_render_event(&rows->json, &event);
}

enum dbk_code dbk_count_events(struct dbk_read_model *model,
                               const struct dbk_event_filter *filter, bool exact,
                               struct dbk_count *count, struct dbk_error *err)
{
    static const struct read_count_statements statements = {
        {"event_count", sql_event_count}, {NULL, sql_event_estimate}};
    struct events events = {.filter = filter};
    struct pg_param params[FILTER_PARAMS + 1];
    char since[8], until[8];
    enum dbk_code code;

    begin(&events);
    code = put_filter(&events, since, until, params, err);
    if (code == DBK_OK)
        code = put_without(&events, &params[FILTER_PARAMS], err);
    if (code == DBK_OK)
        code = read_count(model, &statements, params, FILTER_PARAMS + 1, exact, count,
                          err);
    finish(&events);
    return code;
}

static enum dbk_code fetch(struct events *events, uint64_t after, size_t part,
                           struct dbk_rows *rows, bool *full, struct dbk_error *err)
{
    char since[8], until[8], behind[8], limit[8];
    struct pg_param params[FILTER_PARAMS + 3];
    const struct read_query query = {
        .asker = events->asker,
        .statement = choose(events),
        .params = params,
        .count = FILTER_PARAMS + 3,
        .add = read_add_event,
        .plan_each_time = events->few,
        .rows_max = part,
        .bytes_max = events->bytes_max,
    };
    enum dbk_code code;

    code = put_filter(events, since, until, params, err);
    if (code == DBK_OK)
        code = put_without(events, &params[FILTER_PARAMS + 2], err);
    if (code != DBK_OK)
        return code;
    params[FILTER_PARAMS] = read_behind(behind, after, events->descending);
    params[FILTER_PARAMS + 1] = pg_int8(limit, (int64_t)part + 1);
    return read_query_run(events->model, &query, events->deadline, rows, full, err);
}

/* The first rows of one person's list. */
static enum dbk_code fetch_together(const struct events *events, uint64_t after,
                                    size_t part, struct dbk_rows *rows, bool *full,
                                    struct dbk_error *err)
{
    const struct read_query query = {
        .add = read_add_event, .rows_max = part, .bytes_max = events->bytes_max};
    const struct person_page page = {.query = &query,
                                     .id = events->filter->person_id,
                                     .after = after,
                                     .descending = events->descending,
                                     .deadline = events->deadline};

    return person_pages_read(events->model, &page, rows, full, err);
}

/* A row with cursor 0 says that more match than are worth sorting. Then walking along an
 * index in sequence order comes upon enough of them soon. */
static enum dbk_code fetch_events(void *context, uint64_t after, size_t part,
                                  struct dbk_rows *rows, bool *full,
                                  struct dbk_error *err)
{
    struct events *events = context;
    size_t before = rows->count;
    enum dbk_code code;

    if (events->together && before == 0) {
        code = fetch_together(events, after, part, rows, full, err);
        if (code != DBK_TOO_LARGE)
            return code;
    }
    code = fetch(events, after, part, rows, full, err);
    if (code == DBK_OK && rows->count > before && rows->rows[before].cursor == 0) {
        rows_truncate(rows, before);
        events->few = false;
        code = fetch(events, after, part, rows, full, err);
    }
    return code;
}

enum dbk_code dbk_read_events(struct dbk_read_model *model, const struct dbk_page *page,
                              const struct dbk_event_filter *filter,
                              struct dbk_rows *rows, struct dbk_error *err)
{
    struct events events = {.model = model,
                            .filter = filter,
                            .deadline = dbk_deadline_in(model->timeout_ms),
                            .bytes_max = page->max_bytes,
                            .descending = page->descending,
                            .asker = read_asker(page->asker)};
    enum dbk_code code;

    /* For a person alone, an anonymous id alone, types alone, or none of them, there is an
     * index in the order of the list. Anything else could walk far between two matches. */
    events.few = filter->has_since || filter->has_until ||
                 filter->properties.length > 0 ||
                 filter->has_person_id + (filter->anonymous_id.length > 0) +
                         (filter->event_types_count > 0) >
                     1;
    events.together =
        filter->has_person_id && !events.few && filter->without_count == 0;
    begin(&events);
    code = read_in_parts(page, events.together ? PERSON_PAGES_ROWS_MAX : FIRST_PART,
                         fetch_events, &events, rows, err);
    finish(&events);
    return code;
}
