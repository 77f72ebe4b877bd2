/* Lists of persons: first which they are, then they themselves with their events, some at a
 * time. So no more are read than there is room for. */
#include "find_person.h"
#include "pg_array.h"
#include "projections/read_model.h"
#include "read_count.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"

#include <assert.h>
#include <string.h>

#define FILTER_PARAMS 3
#define PATTERN_MAX (2 * DBK_FILTER_PREFIX_MAX + 1)
#define PART_MAX 256 /* of which it is asked which they are, at a time */
#define FIRST_TOGETHER 4

struct listing {
    struct dbk_read_model *model;
    const struct dbk_person_filter *filter;
    const struct dbk_asker *asker;
    dbk_deadline deadline;
    bool descending;
    bool few; /* look all matches up and sort them */

    const struct pg_param *params; /* of the statement that is under way */
    struct pg_result *result;      /* which they are */
};

/* Each in the order of the log, and backwards. */
static const struct pg_statement list[] = {{"person_list", sql_person_list},
                                           {"person_list_desc", sql_person_list_desc}};
static const struct pg_statement list_few[] = {
    {"person_list_few", sql_person_list_few},
    {"person_list_few_desc", sql_person_list_few_desc}};

/* The columns of all. */
enum { CURSOR, ID };

/* What LIKE takes for a text that begins so. */
static struct pg_param put_prefix(struct dbk_slice prefix, char out[PATTERN_MAX])
{
    size_t used = 0;

    assert(prefix.length <= DBK_FILTER_PREFIX_MAX); /* the caller's own bound */
    for (size_t i = 0; i < prefix.length; i++) {
        if (strchr("%_\\", prefix.data[i]))
            out[used++] = '\\';
        out[used++] = prefix.data[i];
    }
    out[used++] = '%';
    return pg_bytes((struct dbk_slice){out, used});
}

/* $1 to $3; NULL where the filter does not ask. */
static void put_filter(const struct dbk_person_filter *filter,
                       char pattern[PATTERN_MAX], struct pg_param params[FILTER_PARAMS])
{
    const struct pg_param null = {NULL, 0, false};

    params[0] = filter->has_id ? pg_uuid(&filter->id) : null;
    params[1] = filter->properties.length ? pg_bytes(filter->properties) : null;
    params[2] = filter->prefix.length ? put_prefix(filter->prefix, pattern) : null;
}

static struct listing listing_of(struct dbk_read_model *model,
                                 const struct dbk_page *page,
                                 const struct dbk_person_filter *filter)
{
    return (struct listing){
        .model = model,
        .filter = filter,
        .asker = filter->has_id ? NULL : read_asker(page->asker), /* else a look-up */
        .deadline = dbk_deadline_in(model->timeout_ms),
        .descending = page->descending,
        .few = filter->has_id || filter->properties.length > 0 ||
               filter->prefix.length > 0,
    };
}

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct listing *listing = context;
    const struct pg_statement *statements = listing->few ? list_few : list;
    enum dbk_code code = DBK_OK;

    if (listing->few)
        code = pg_script(pg, sql_plan_each_time, dbk_deadline_left(deadline), err);
    if (code == DBK_OK)
        code = pg_run(pg, &statements[listing->descending], listing->params,
                      FILTER_PARAMS + 2, dbk_deadline_left(deadline), &listing->result,
                      err);
    if (listing->few && pg_alive(pg))
        pg_script(pg, sql_plan_once, dbk_deadline_left(deadline), NULL);
    return code;
}

static uint64_t cursor_at(const struct listing *listing, size_t i)
{
    return (uint64_t)pg_binary_int8(listing->result, i, CURSOR);
}

/* Which persons are behind the cursor, at most so many. A row with cursor 0 says that more
 * match than are worth sorting. */
static enum dbk_code list_part(struct listing *listing, uint64_t after, size_t most,
                               struct dbk_error *err)
{
    char behind[8], limit[8], pattern[PATTERN_MAX];
    struct pg_param params[FILTER_PARAMS + 2];
    enum dbk_code code;

    put_filter(listing->filter, pattern, params);
    params[FILTER_PARAMS] = read_behind(behind, after, listing->descending);
    params[FILTER_PARAMS + 1] = pg_int8(limit, (int64_t)most);
    listing->params = params;
    do {
        pg_clear(listing->result);
        listing->result = NULL;
        code = read_with_connection(listing->model, listing->asker, listing->deadline,
                                    run, listing, err);
        if (code != DBK_OK)
            return code;
        if (pg_rows(listing->result) == 0 || cursor_at(listing, 0) > 0)
            return DBK_OK;
        assert(listing->few); /* the others have no such row */
        listing->few = false;
    } while (true);
}

/* How many are asked for together: about as many as there is room for. */
static size_t together(const struct dbk_rows *rows, size_t max_bytes, size_t left)
{
    size_t used = rows->json.length, count = FIRST_TOGETHER;

    if (rows->count > 0)
        count = used < max_bytes ? (max_bytes - used) / (used / rows->count + 1) : 1;
    if (count > FIND_TOGETHER_MAX)
        count = FIND_TOGETHER_MAX;
    if (count > left)
        count = left;
    return count > 0 ? count : 1;
}

/* Leave out what there is no room for, but for the first. True where that is some. */
static bool drop_excess(struct dbk_rows *rows, size_t max_bytes)
{
    size_t count = rows->count;

    while (count > 1 &&
           rows->rows[count - 1].offset + rows->rows[count - 1].length > max_bytes)
        count--;
    if (count == rows->count)
        return false;
    rows_truncate(rows, count);
    return true;
}

/* The first `count` of the part that was listed. *full: there is no room for more. */
static enum dbk_code read_part_of(struct listing *listing, size_t count,
                                  unsigned events_limit, size_t max_bytes,
                                  struct dbk_rows *rows, bool *full,
                                  struct dbk_error *err)
{
    struct dbk_uuid ids[FIND_TOGETHER_MAX];
    enum dbk_code code = DBK_OK;

    for (size_t at = 0, some; at < count && !*full && code == DBK_OK; at += some) {
        some = together(rows, max_bytes, count - at);
        for (size_t i = 0; i < some; i++)
            pg_binary_uuid(listing->result, at + i, ID, &ids[i]);
        code = find_persons_listed(listing->model, listing->asker, listing->deadline,
                                   ids, some, events_limit, rows, err);
        if (code == DBK_OK && rows->no_memory)
            code = dbk_fail(err, DBK_NO_MEMORY, "out of memory");
        *full = drop_excess(rows, max_bytes);
    }
    return code;
}

enum dbk_code dbk_read_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter,
                               unsigned events_limit, struct dbk_rows *rows,
                               struct dbk_error *err)
{
    struct listing listing = listing_of(model, page, filter);
    unsigned events = read_events_limit(rows, events_limit);
    uint64_t after = page->after;
    enum dbk_code code = DBK_OK;
    bool full = false, more = true;

    if (page->brief && events > 1)
        events = 1;
    rows_clear(rows);
    while (code == DBK_OK && more && !full && rows->count < page->limit) {
        size_t left = page->limit - rows->count;
        size_t part = left < PART_MAX ? left : PART_MAX, found;

        code = list_part(&listing, after, part + 1, err);
        if (code != DBK_OK)
            break;
        found = pg_rows(listing.result);
        more = found > part;
        if (found == 0)
            break;
        if (more)
            found = part;
        after = cursor_at(&listing, found - 1);
        code = read_part_of(&listing, found, events, page->max_bytes, rows, &full, err);
    }
    rows->more = more || full;
    if (code != DBK_OK)
        rows_clear(rows);
    pg_clear(listing.result);
    return code;
}

enum dbk_code dbk_skip_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter, uint64_t *cursor,
                               bool *more, struct dbk_error *err)
{
    struct listing listing = listing_of(model, page, filter);
    enum dbk_code code = list_part(&listing, page->after, (size_t)page->limit + 1, err);
    size_t found;

    *cursor = page->after;
    *more = false;
    if (code != DBK_OK)
        return code;
    found = pg_rows(listing.result);
    *more = found > page->limit;
    if (*more)
        found = page->limit;
    if (found > 0)
        *cursor = cursor_at(&listing, found - 1);
    pg_clear(listing.result);
    return DBK_OK;
}

enum dbk_code dbk_count_persons(struct dbk_read_model *model,
                                const struct dbk_person_filter *filter, bool exact,
                                struct dbk_count *count, struct dbk_error *err)
{
    static const struct read_count_statements statements = {
        {"person_count", sql_person_count}, {NULL, sql_person_estimate}};
    struct pg_param params[FILTER_PARAMS];
    char pattern[PATTERN_MAX];

    put_filter(filter, pattern, params);
    return read_count(model, &statements, params, FILTER_PARAMS, exact, count, err);
}
