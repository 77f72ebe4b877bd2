/* Lists of persons: all there are, or those that a filter finds, of whom it is asked first
 * which they are. As many are read at a time as there is likely to be room for. */
#include "find_person.h"
#include "person_stream.h"
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
#define PART_MAX PERSON_STREAM_MAX /* of which it is asked which they are, at a time */

struct listing {
    struct dbk_read_model *model;
    const struct dbk_person_filter *filter;
    const struct dbk_asker *asker;
    dbk_deadline deadline;
    bool descending;
    bool few;                    /* look all matches up and sort them */
    atomic_size_t *person_bytes; /* the model's */
    size_t most;                 /* of whom are asked for together now */

    struct pg_array without;       /* who is left out */
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

static void begin_without(const struct dbk_person_filter *filter,
                          struct pg_array *without)
{
    pg_array_init(without, PG_UUID);
    for (size_t i = 0; i < filter->without_count; i++)
        pg_array_uuid(without, &filter->without[i]);
}

/* NULL where nobody is left out. */
static enum dbk_code put_without(struct pg_array *without, struct pg_param *param,
                                 struct dbk_error *err)
{
    *param = (struct pg_param){NULL, 0, false};
    return without->count == 0 ? DBK_OK : pg_array_param(without, param, err);
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
        .most = PERSON_STREAM_MAX,
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
                      FILTER_PARAMS + 3, dbk_deadline_left(deadline), &listing->result,
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
    struct pg_param params[FILTER_PARAMS + 3];
    enum dbk_code code =
        put_without(&listing->without, &params[FILTER_PARAMS + 2], err);

    if (code != DBK_OK)
        return code;
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

/* How many are asked for together: about as many as there is room for, if they are like
 * those of this page, or else of the one before. What is read and finds no room was in
 * vain. */
static size_t together(const struct listing *listing, const struct dbk_rows *rows,
                       size_t max_bytes, size_t left)
{
    size_t used = rows->json.length;
    size_t each =
        rows->count > 0 ? used / rows->count + 1 : atomic_load(listing->person_bytes);
    size_t count = used < max_bytes ? (max_bytes - used) / each + 1 : 1;

    if (count > listing->most)
        count = listing->most;
    return count < left ? count : left;
}

/* Read the next ones. Behind one that had to be asked for alone few are asked for, for the
 * next may be, too. */
static enum dbk_code read_some(struct listing *listing, struct person_stream *stream,
                               size_t left, struct dbk_rows *rows,
                               struct person_stream_end *end, struct dbk_error *err)
{
    enum dbk_code code;

    if (stream->ids && stream->events_limit > FIND_EVENTS_MAX) {
        *end = (struct person_stream_end){.taken = 0};
        return person_stream_alone(stream, stream->ids, rows, end, err);
    }
    stream->count = together(listing, rows, stream->max_bytes, left);
    code = person_stream_read(stream, rows, end, err);
    listing->most = 2 * stream->count;
    if (end->taken < stream->count)
        listing->most = end->taken + 1;
    if (listing->most > PERSON_STREAM_MAX)
        listing->most = PERSON_STREAM_MAX;
    return code;
}

/* The first `count` of the part that was listed. *full: there is no room for more. */
static enum dbk_code read_part_of(struct listing *listing, struct person_stream *stream,
                                  size_t count, struct dbk_rows *rows, bool *full,
                                  struct dbk_error *err)
{
    struct dbk_uuid ids[PART_MAX];
    struct person_stream_end end = {.taken = 0};
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < count; i++)
        pg_binary_uuid(listing->result, i, ID, &ids[i]);
    for (size_t at = 0; at < count && !end.full && code == DBK_OK; at += end.taken) {
        stream->ids = ids + at;
        code = read_some(listing, stream, count - at, rows, &end, err);
    }
    *full = end.full;
    return code;
}

/* Those that the filter finds: first which they are. */
static enum dbk_code read_found(struct listing *listing, struct person_stream *stream,
                                unsigned limit, struct dbk_rows *rows,
                                struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    bool full = false, more = true;

    while (code == DBK_OK && more && !full && rows->count < limit) {
        size_t left = limit - rows->count;
        size_t part = left < PART_MAX ? left : PART_MAX, found;

        code = list_part(listing, stream->after, part + 1, err);
        if (code != DBK_OK)
            break;
        found = pg_rows(listing->result);
        more = found > part;
        if (found == 0)
            break;
        if (more)
            found = part;
        stream->after = cursor_at(listing, found - 1);
        code = read_part_of(listing, stream, found, rows, &full, err);
    }
    rows->more = more || full;
    pg_clear(listing->result);
    return code;
}

static enum dbk_code read_all(struct listing *listing, struct person_stream *stream,
                              unsigned limit, struct dbk_rows *rows,
                              struct dbk_error *err)
{
    struct person_stream_end end = {.more = true};
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && end.more && !end.full && rows->count < limit) {
        code = read_some(listing, stream, limit - rows->count, rows, &end, err);
        if (rows->count > 0)
            stream->after = rows->rows[rows->count - 1].cursor;
    }
    rows->more = end.more;
    return code;
}

static bool finds_all(const struct dbk_person_filter *filter)
{
    return !filter->has_id && filter->properties.length == 0 &&
           filter->prefix.length == 0 && filter->without_count == 0;
}

enum dbk_code dbk_read_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter,
                               unsigned events_limit, struct dbk_rows *rows,
                               struct dbk_error *err)
{
    struct listing listing = listing_of(model, page, filter);
    struct person_stream stream = {.model = model,
                                   .asker = listing.asker,
                                   .deadline = listing.deadline,
                                   .events_limit =
                                       read_events_limit(rows, events_limit),
                                   .max_bytes = page->max_bytes,
                                   .after = page->after,
                                   .descending = page->descending};
    enum dbk_code code;

    if (page->brief && stream.events_limit > 1)
        stream.events_limit = 1;
    listing.person_bytes = &model->person_bytes[stream.events_limit > 0];
    begin_without(filter, &listing.without);
    rows_clear(rows);
    if (finds_all(filter) && stream.events_limit <= FIND_EVENTS_MAX)
        code = read_all(&listing, &stream, page->limit, rows, err);
    else
        code = read_found(&listing, &stream, page->limit, rows, err);
    pg_array_finish(&listing.without);
    if (code != DBK_OK)
        rows_clear(rows);
    else if (rows->count > 0)
        atomic_store(listing.person_bytes, rows->json.length / rows->count + 1);
    return code;
}

enum dbk_code dbk_skip_persons(struct dbk_read_model *model,
                               const struct dbk_page *page,
                               const struct dbk_person_filter *filter, uint64_t *cursor,
                               bool *more, struct dbk_error *err)
{
    struct listing listing = listing_of(model, page, filter);
    enum dbk_code code;
    size_t found;

    begin_without(filter, &listing.without);
    code = list_part(&listing, page->after, (size_t)page->limit + 1, err);
    pg_array_finish(&listing.without);
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
    struct pg_param params[FILTER_PARAMS + 1];
    char pattern[PATTERN_MAX];
    struct pg_array without;
    enum dbk_code code;

    begin_without(filter, &without);
    put_filter(filter, pattern, params);
    code = put_without(&without, &params[FILTER_PARAMS], err);
    if (code == DBK_OK)
        code = read_count(model, &statements, params, FILTER_PARAMS + 1, exact, count,
                          err);
    pg_array_finish(&without);
    return code;
}
