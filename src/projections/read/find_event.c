/* One event by its id. */
#include "dbk_sql.h"
#include "find.h"
#include "rows.h"
#include "store/clock.h"

/* The statement's columns; the event's own are from EVENT on. */
enum { PLACE, SEQUENCE, EVENT };

static const struct dbk_pg_statement statement = {"event_find", dbk_sql_event_find};

static void give(const struct dbk_pg_result *result, size_t row, struct dbk_rows *rows)
{
    uint64_t sequence = (uint64_t)dbk_pg_binary_int8(result, row, SEQUENCE);

    read_add_event(result, row, EVENT, rows);
    rows_end(rows, sequence, sequence);
}

static void carry(void *context, struct carrying *carrying,
                  struct dbk_look_up *const *asked, size_t count)
{
    const struct find find = {.statement = &statement, .asked = asked, .count = count};
    struct dbk_read_model *model = context;
    struct dbk_pg_result *result;

    find_run(model, carrying, &find, &result);
    for (size_t row = 0; result && row < dbk_pg_rows(result); row++) {
        size_t place = (size_t)dbk_pg_binary_int8(result, row, PLACE);

        give(result, row, asked[place - 1]->rows);
    }
    dbk_pg_clear(result);
    for (size_t i = 0; i < count; i++)
        find_end(asked[i], "There is no such event");
}

enum dbk_code find_events_init(struct dbk_read_model *model, unsigned processors,
                               struct dbk_error *err)
{
    return gather_init(&model->events, GATHER_MAX, processors > 5 ? processors / 2 : 2,
                       carry, model, err);
}

void dbk_look_up_event(struct dbk_read_model *model, const struct dbk_uuid *id,
                       struct dbk_rows *rows, struct dbk_look_up *look_up)
{
    look_up->id = *id;
    look_up->rows = rows;
    look_up->deadline = dbk_deadline_in(model->timeout_ms);
    rows_clear(rows);
    gather_ask(&model->events, look_up);
}

enum dbk_code dbk_read_event(struct dbk_read_model *model, const struct dbk_uuid *id,
                             struct dbk_rows *rows, struct dbk_error *err)
{
    struct dbk_look_up look_up = {
        .id = *id, .rows = rows, .deadline = dbk_deadline_in(model->timeout_ms)};

    rows_clear(rows);
    gather_wait(&model->events, &look_up);
    return find_tell(&look_up, err);
}
