#include "person_pages.h"
#include "pg_array.h"
#include "rows.h"
#include "sql.h"

#include <assert.h>
#include <stdlib.h>

/* As many rows of this size and no larger, beside which stand 256 bytes and 1,400 of the
 * longest type and anonymous id, come to 1 MiB at most, as of a person (find_person.c). */
#define PROPERTIES_MAX ((1 << 20) / PERSON_PAGES_ROWS_MAX - 256 - 1400)

static const struct pg_statement statements[] = {
    {"person_pages", sql_person_pages}, {"person_pages_desc", sql_person_pages_desc}};

/* Behind the columns that the query's own statements have. */
enum { SEQUENCE = 0, PLACE = 8, PROPERTIES_BYTES = 9 };

static struct person_pages_one *waiting_of(struct look_up *look_up)
{
    return (struct person_pages_one *)look_up;
}

/* Where a row belongs. */
struct placed {
    int64_t place, at; /* `at` falls where the list does */
    size_t row;
};

struct pages {
    bool descending;
    struct pg_array ids, behind, most;
    struct pg_result *result;
    struct placed *placed;
    size_t count;
};

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct pages *pages = context;
    char bytes[8];
    struct pg_param params[4];
    enum dbk_code code = pg_array_param(&pages->ids, &params[0], err);

    params[3] = pg_int8(bytes, PROPERTIES_MAX);
    if (code == DBK_OK)
        code = pg_array_param(&pages->behind, &params[1], err);
    if (code == DBK_OK)
        code = pg_array_param(&pages->most, &params[2], err);
    if (code == DBK_OK)
        code = pg_run(pg, &statements[pages->descending], params, 4,
                      dbk_deadline_left(deadline), &pages->result, err);
    return code;
}

static void begin(struct pages *pages, struct look_up *const *asked, size_t count)
{
    pages->descending = waiting_of(asked[0])->page->descending;
    pg_array_init(&pages->ids, PG_UUID);
    pg_array_init(&pages->behind, PG_INT8);
    pg_array_init(&pages->most, PG_INT8);
    for (size_t i = 0; i < count; i++) {
        const struct person_page *page = waiting_of(asked[i])->page;

        assert(page->descending == pages->descending); /* each order has its gather */
        pg_array_uuid(&pages->ids, &page->id);
        pg_array_int8(&pages->behind,
                      read_behind_number(page->after, page->descending));
        /* One more tells whether there are more. */
        pg_array_int8(&pages->most, (int64_t)page->query->rows_max + 1);
    }
}

static void finish(struct pages *pages)
{
    pg_array_finish(&pages->ids);
    pg_array_finish(&pages->behind);
    pg_array_finish(&pages->most);
    pg_clear(pages->result);
    free(pages->placed);
}

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* In the order of those who asked, and of their lists: no statement promises that. */
static enum dbk_code sort(struct pages *pages, struct dbk_error *err)
{
    pages->count = pg_rows(pages->result);
    pages->placed = malloc((pages->count + 1) * sizeof *pages->placed);
    if (!pages->placed)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    for (size_t row = 0; row < pages->count; row++) {
        int64_t sequence = pg_binary_int8(pages->result, row, SEQUENCE);

        pages->placed[row] =
            (struct placed){pg_binary_int8(pages->result, row, PLACE),
                            pages->descending ? -sequence : sequence, row};
    }
    qsort(pages->placed, pages->count, sizeof *pages->placed, by_place);
    return DBK_OK;
}

/* Whether one that is shown was too large to come along. */
static bool has_large(const struct pages *pages, const struct placed *first,
                      size_t count, size_t shown)
{
    for (size_t i = 0; i < count && i < shown; i++) {
        if (pg_binary_int8(pages->result, first[i].row, PROPERTIES_BYTES) >
            PROPERTIES_MAX)
            return true;
    }
    return false;
}

static void put(const struct pages *pages, const struct placed *first, size_t count,
                struct person_pages_one *one)
{
    const struct read_query *query = one->page->query;
    struct read_collection to;

    if (has_large(pages, first, count, query->rows_max)) {
        one->look_up.code = DBK_TOO_LARGE;
        return;
    }
    read_collection_begin(&to, query, one->look_up.rows);
    for (size_t i = 0; i < count && read_collect(&to, pages->result, first[i].row); i++)
        ;
    one->full = to.full;
}

static void put_each(const struct pages *pages, struct look_up *const *asked,
                     size_t count)
{
    const struct placed *first = pages->placed, *end = first + pages->count;

    for (size_t i = 0; i < count; i++) {
        size_t rows = 0;

        while (first + rows < end && first[rows].place == (int64_t)i + 1)
            rows++;
        put(pages, first, rows, waiting_of(asked[i]));
        first += rows;
    }
}

static void carry(void *context, struct carrying *carrying,
                  struct look_up *const *asked, size_t count)
{
    struct pages pages = {.result = NULL};
    struct dbk_error err = {0};
    enum dbk_code code;

    begin(&pages, asked, count);
    code = read_with_connection(context, NULL, asked[0]->deadline, run, &pages, &err);
    gather_pass_on(carrying);
    if (code == DBK_OK)
        code = sort(&pages, &err);
    for (size_t i = 0; i < count; i++) {
        asked[i]->code = code;
        asked[i]->error = err;
    }
    if (code == DBK_OK)
        put_each(&pages, asked, count);
    finish(&pages);
}

void person_pages_init(struct dbk_read_model *model, unsigned processors)
{
    for (size_t i = 0; i < sizeof model->pages / sizeof *model->pages; i++)
        gather_init(&model->pages[i], PERSON_PAGES_TOGETHER_MAX, processors, carry,
                    model);
}

void person_pages_begin(struct person_pages_one *one, const struct person_page *page,
                        struct dbk_rows *rows)
{
    assert(page->query->rows_max <= PERSON_PAGES_ROWS_MAX);
    *one = (struct person_pages_one){.look_up = {.id = page->id,
                                                 .rows = rows,
                                                 .deadline = page->deadline,
                                                 .code = DBK_OK},
                                     .page = page};
}

enum dbk_code person_pages_read(struct dbk_read_model *model,
                                const struct person_page *page, struct dbk_rows *rows,
                                bool *full, struct dbk_error *err)
{
    struct person_pages_one one;

    person_pages_begin(&one, page, rows);
    gather_ask(&model->pages[page->descending], &one.look_up);
    if (one.look_up.code == DBK_OK && rows->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    if (one.look_up.code != DBK_OK && err)
        *err = one.look_up.error;
    *full = one.full;
    return one.look_up.code;
}
