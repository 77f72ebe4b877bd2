/* What one thread asks for together: a statement of each kind. */
#include "find_person.h"
#include "person_pages.h"
#include "rows.h"

#include <assert.h>

/* Who asks answers others meanwhile: what takes longer is asked for alone. */
#define PATIENCE_MS 1000

static dbk_deadline deadline_of(const struct dbk_read_model *model)
{
    return dbk_deadline_in(model->timeout_ms < PATIENCE_MS ? model->timeout_ms
                                                           : PATIENCE_MS);
}

static void ask_persons(struct dbk_read_model *model, struct dbk_ahead *asked,
                        size_t count)
{
    struct look_up look_ups[DBK_AHEAD_MAX], *list[DBK_AHEAD_MAX];
    struct dbk_ahead *of[DBK_AHEAD_MAX];
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (asked[i].events)
            continue;
        of[found] = &asked[i];
        list[found] = &look_ups[found];
        look_ups[found++] =
            (struct look_up){.id = asked[i].id,
                             .limit = read_events_limit(asked[i].rows, asked[i].limit),
                             .rows = asked[i].rows,
                             .deadline = deadline_of(model)};
    }
    if (found > 0)
        find_persons_now(model, list, found);
    for (size_t i = 0; i < found; i++) {
        of[i]->code = look_ups[i].code;
        of[i]->error = look_ups[i].error;
        if (of[i]->code == DBK_OK && of[i]->rows->count == 0)
            of[i]->code =
                dbk_fail(&of[i]->error, DBK_NOT_FOUND, "There is no such person");
    }
}

static void ask_events(struct dbk_read_model *model, struct dbk_ahead *asked,
                       size_t count)
{
    struct read_query queries[DBK_AHEAD_MAX];
    struct person_page pages[DBK_AHEAD_MAX];
    struct person_pages_one ones[DBK_AHEAD_MAX];
    struct look_up *list[DBK_AHEAD_MAX];
    struct dbk_ahead *of[DBK_AHEAD_MAX];
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (!asked[i].events)
            continue;
        of[found] = &asked[i];
        queries[found] = (struct read_query){.add = read_add_event,
                                             .rows_max = asked[i].limit,
                                             .bytes_max = asked[i].max_bytes};
        pages[found] = (struct person_page){.query = &queries[found],
                                            .id = asked[i].id,
                                            .deadline = deadline_of(model)};
        person_pages_begin(&ones[found], &pages[found], asked[i].rows);
        list[found] = &ones[found].look_up;
        found++;
    }
    if (found > 0)
        gather_now(&model->pages[false], list, found);
    for (size_t i = 0; i < found; i++) {
        of[i]->code = ones[i].look_up.code;
        of[i]->error = ones[i].look_up.error;
    }
}

void dbk_read_ahead(struct dbk_read_model *model, struct dbk_ahead *asked, size_t count)
{
    static_assert(DBK_AHEAD_MAX <= FIND_TOGETHER_MAX &&
                      DBK_AHEAD_MAX <= PERSON_PAGES_TOGETHER_MAX,
                  "a statement takes them all");

    assert(count <= DBK_AHEAD_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(asked[i].limit <= PERSON_PAGES_ROWS_MAX);
        rows_clear(asked[i].rows);
    }
    ask_persons(model, asked, count);
    ask_events(model, asked, count);
    for (size_t i = 0; i < count; i++) {
        if (asked[i].code == DBK_OK && asked[i].rows->no_memory)
            asked[i].code = dbk_fail(&asked[i].error, DBK_NO_MEMORY, "out of memory");
    }
}
