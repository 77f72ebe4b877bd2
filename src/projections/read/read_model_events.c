/* Lists of events. */
#include "projections/read_model.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"
#include "store/clock.h"

#define FIRST_PART 256
#define FILTER_PARAMS 5

struct events {
    struct dbk_read_model *model;
    const struct dbk_event_filter *filter;
    dbk_deadline deadline;
    size_t bytes_max;
    bool few; /* look all matches up and sort them */
};

/* $1 to $5; NULL where the filter does not ask. */
static void put_filter(const struct dbk_event_filter *filter, char since[8],
                       char until[8], struct pg_param params[FILTER_PARAMS])
{
    const struct pg_param null = {NULL, 0, false};

    params[0] = filter->has_person_id ? pg_uuid(&filter->person_id) : null;
    params[1] = filter->event_type.length ? pg_bytes(filter->event_type) : null;
    params[2] = filter->has_since ? pg_timestamp(since, filter->since) : null;
    params[3] = filter->has_until ? pg_timestamp(until, filter->until) : null;
    params[4] = filter->properties.length ? pg_bytes(filter->properties) : null;
}

static const struct pg_statement list = {"event_list", sql_event_list};
static const struct pg_statement list_person = {"event_list_person",
                                                sql_event_list_person};
static const struct pg_statement list_type = {"event_list_type", sql_event_list_type};
static const struct pg_statement list_few = {"event_list_few", sql_event_list_few};

static const struct pg_statement *choose(const struct events *events)
{
    if (events->few)
        return &list_few;
    if (events->filter->has_person_id)
        return &list_person;
    return events->filter->event_type.length > 0 ? &list_type : &list;
}

/* Their columns are the sequence, then the event. */
static void add_event(const struct pg_result *result, size_t row, struct dbk_rows *rows,
                      uint64_t *cursor, uint64_t *version)
{
    *cursor = *version = (uint64_t)pg_binary_int8(result, row, 0);
    if (*cursor > 0) /* else too many for few */
        read_add_event(result, row, 1, rows);
}

static enum dbk_code fetch(const struct events *events, uint64_t after, size_t part,
                           struct dbk_rows *rows, bool *full, struct dbk_error *err)
{
    char since[8], until[8], behind[8], limit[8];
    struct pg_param params[FILTER_PARAMS + 2];
    const struct read_query query = {
        .statement = choose(events),
        .params = params,
        .count = FILTER_PARAMS + 2,
        .add = add_event,
        .plan_each_time = events->few,
        .rows_max = part,
        .bytes_max = events->bytes_max,
    };

    put_filter(events->filter, since, until, params);
    params[FILTER_PARAMS] =
        pg_int8(behind, after < INT64_MAX ? (int64_t)after : INT64_MAX);
    params[FILTER_PARAMS + 1] = pg_int8(limit, (int64_t)part + 1);
    return read_query_run(events->model, &query, events->deadline, rows, full, err);
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
                            .bytes_max = page->max_bytes};

    /* For a person alone, a type alone, or neither, there is an index in the order of
     * the list. Anything else could walk far between two matches. */
    events.few = filter->has_since || filter->has_until ||
                 filter->properties.length > 0 ||
                 (filter->has_person_id && filter->event_type.length > 0);
    return read_in_parts(page, FIRST_PART, fetch_events, &events, rows, err);
}
