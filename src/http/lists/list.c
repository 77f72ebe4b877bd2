#include "list.h"

#include "ahead.h"
#include "aside.h"
#include "fresh.h"
#include "guard.h"
#include "response_stream.h"
#include "spares.h"
#include "worker.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_MAX (1u << 20)     /* a larger page is streamed */
#define PIECE_BYTES (480u << 10) /* what is read, and sent, at a time */
#define LARGE_LIMIT 50           /* fewer rows come to little */
#define TRIES 5

static_assert(PIECE_BYTES >= AHEAD_BYTES, "what is read ahead is all of it");

/* Where a walk over the page is. */
struct walk {
    uint64_t first; /* cursor of the first row seen, */
    uint64_t at;    /* and of the last */
    uint64_t count; /* rows seen */
    size_t bytes;   /* of their JSON */
    bool more;      /* there are rows behind */
};

static const char *const orders[] = {"asc", "desc", NULL};
static const char *const counts[] = {"exact", "estimated", NULL};

void list_params(struct request *rq, struct list *list)
{
    list->after = 0;
    list->limit = LIST_LIMIT_DEFAULT;
    list->descending = params_choice(&rq->params, "order", orders, &rq->fields) == 1;
    list->counted = params_choice(&rq->params, "count", counts, &rq->fields);
    params_unsigned(&rq->params, "limit", 1, LIST_LIMIT_MAX, &list->limit, &rq->fields);
    params_unsigned(&rq->params, "after", 0, INT64_MAX, &list->after, &rq->fields);
}

static void add_encoded(struct dbk_render *out, struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char encoded[4];
        if ((c < 0x80 && isalnum(c)) || strchr("-._~", c))
            snprintf(encoded, sizeof encoded, "%c", c);
        else
            snprintf(encoded, sizeof encoded, "%%%02X", c);
        dbk_render_text(out, encoded);
    }
}

void list_link_next(const struct request *rq, struct response *rs, uint64_t after)
{
    dbk_render_text(&rs->head, "Link: <");
    dbk_render_text(&rs->head, rq->path);
    dbk_render_text(&rs->head, "?");
    for (size_t i = 0; i < rq->params.count; i++) {
        const struct param *param = &rq->params.list[i];
        if (dbk_slice_equal(param->name, dbk_slice("after")))
            continue;
        add_encoded(&rs->head, param->name);
        dbk_render_text(&rs->head, "=");
        add_encoded(&rs->head, param->value);
        dbk_render_text(&rs->head, "&");
    }
    dbk_render_text(&rs->head, "after=");
    dbk_render_number(&rs->head, after);
    dbk_render_text(&rs->head, ">; rel=\"next\"\r\n");
}

static bool is_gone(void *context)
{
    return guarded_gone(context);
}

struct dbk_asker list_asker(const struct request *rq)
{
    return (struct dbk_asker){rq->reader.client, is_gone, rq->guarded};
}

enum dbk_code list_tell(struct request *rq, struct dbk_error *err)
{
    if (err->code == DBK_INTERRUPTED) {
        rq->unavailable = "The client's end of the connection was closed meanwhile";
        err->code = DBK_UNAVAILABLE;
    } else if (err->code == DBK_BUSY) {
        rq->unavailable =
            "Lists have all connections to PostgreSQL that they may have; "
            "try again shortly, or ask for less";
        err->code = DBK_UNAVAILABLE;
    }
    return err->code;
}

/* Of one that was read ahead this is all. */
static enum dbk_code read_piece(struct request *rq, const struct list *list,
                                const struct dbk_page *page, struct dbk_error *err)
{
    if (ahead_of(rq))
        return ahead_take(rq, err);
    return list->read(rq->service->model, page, list->context, &rq->worker->rows, err);
}

static enum dbk_code read_rows(struct request *rq, const struct list *list,
                               struct walk *walk, struct dbk_error *err)
{
    const struct dbk_asker asker = list_asker(rq);
    struct dbk_page page = {.descending = list->descending,
                            .asker = &asker,
                            .after = walk->at,
                            .limit = (unsigned)(list->limit - walk->count),
                            .max_bytes = PIECE_BYTES,
                            .brief = walk->bytes > (size_t)2 * LIST_BYTES_MAX};
    struct dbk_rows *rows = &rq->worker->rows;

    rows->count = 0;
    rows->more = false;
    if (!list->of_nobody && read_piece(rq, list, &page, err) != DBK_OK)
        return list_tell(rq, err);
    if (walk->count == 0 && rows->count > 0)
        walk->first = rows->rows[0].cursor;
    walk->count += rows->count;
    walk->bytes += rows->json.length;
    walk->more = rows->more && rows->count > 0;
    if (rows->count > 0)
        walk->at = rows->rows[rows->count - 1].cursor;
    return DBK_OK;
}

static bool page_ends(const struct list *list, const struct walk *walk)
{
    return !walk->more || walk->count >= list->limit || walk->bytes >= LIST_BYTES_MAX;
}

/* Whether a cursor lies behind another, in the order of the list; 0 is its start. */
static bool is_behind(const struct list *list, uint64_t cursor, uint64_t other)
{
    return list->descending ? other == 0 || cursor < other : cursor > other;
}

/* Rows up to the cursor `last`, for those behind it belong to the next page. */
static void render_rows(const struct list *list, const struct dbk_rows *rows,
                        uint64_t last, bool first, struct dbk_render *out)
{
    for (size_t i = 0; i < rows->count && !is_behind(list, rows->rows[i].cursor, last);
         i++) {
        if (!first)
            dbk_render_raw(out, ",", 1);
        dbk_render_raw(out, rows->json.text + rows->rows[i].offset,
                       rows->rows[i].length);
        first = false;
    }
}

/* As many more rows as there is room for on the page, if they are as large as those seen,
 * the last ones or all.
 * All of them are sent, whatever they come to; for what is far too large see read_rows. */
static enum dbk_code skip_to_end(struct request *rq, const struct list *list,
                                 struct walk *end, struct dbk_error *err)
{
    const struct dbk_asker asker = list_asker(rq);
    size_t room = LIST_BYTES_MAX > end->bytes ? LIST_BYTES_MAX - end->bytes : 0;
    const struct dbk_rows *last = &rq->worker->rows;
    size_t row = end->bytes / end->count, of_last = last->json.length / last->count;
    uint64_t rows = room / ((row > of_last ? row : of_last) + 1) + 1;
    uint64_t left = list->limit - end->count;
    struct dbk_page page = {.descending = list->descending,
                            .asker = &asker,
                            .after = end->at,
                            .limit = (unsigned)(rows < left ? rows : left)};

    if (list->skip(rq->service->model, &page, list->context, &end->at, &end->more,
                   err) != DBK_OK)
        return list_tell(rq, err);
    end->count += page.limit;
    return DBK_OK;
}

/* Whether the rest of the page need not be read to know where it ends. Of those who are set
 * aside each row must be looked at. */
static bool can_skip(const struct request *rq, const struct list *list,
                     const struct walk *end)
{
    return list->skip && end->bytes > WHOLE_MAX && !page_ends(list, end) &&
           !dbk_projector_any_aside(rq->service->projector);
}

/* Walk the page to its end, and render it while it is small. *rendered is how far that
 * went. */
static enum dbk_code look_ahead(struct request *rq, struct response *rs,
                                const struct list *list, struct walk *end,
                                struct walk *rendered, struct dbk_error *err)
{
    do {
        bool first = end->count == 0, whole = rendered->count == end->count;
        if (read_rows(rq, list, end, err) != DBK_OK)
            return err->code;
        if (!list->of_person && aside_check_rows(rq, &rq->worker->rows, err) != DBK_OK)
            return err->code;
        if (whole && (end->bytes <= WHOLE_MAX || can_skip(rq, list, end))) {
            render_rows(list, &rq->worker->rows, end->at, first, &rs->body);
            *rendered = *end;
        }
        if (can_skip(rq, list, end))
            return skip_to_end(rq, list, end, err);
    } while (!page_ends(list, end));
    return DBK_OK;
}

/* Whether a row of one set aside is missing between where the page begins and its end. */
static enum dbk_code check_aside(struct request *rq, const struct list *list,
                                 const struct walk *end, struct dbk_error *err)
{
    if (list->descending)
        return aside_check_page(rq, list->of, end->more ? end->at - 1 : 0,
                                list->after ? list->after - 1 : UINT64_MAX, err);
    return aside_check_page(rq, list->of, list->after, end->more ? end->at : UINT64_MAX,
                            err);
}

/* The whole page, of which nobody is set aside. One who was when its rows were read, and
 * has come out since, is in them as it was before: then they are read again. */
static enum dbk_code read_page(struct request *rq, struct response *rs,
                               const struct list *list, struct walk *end,
                               struct walk *rendered, struct dbk_error *err)
{
    struct dbk_projector *projector = rq->service->projector;

    for (int i = 0; i < TRIES; i++) {
        uint64_t healed = dbk_projector_healed(projector);

        *end = *rendered = (struct walk){.at = list->after};
        if (list->of_person && aside_check_person(rq, list->of_person, err) != DBK_OK)
            return err->code;
        response_begin(rs);
        dbk_render_text(&rs->body, "[");
        if (look_ahead(rq, rs, list, end, rendered, err) != DBK_OK)
            return err->code;
        if (!list->of_person && check_aside(rq, list, end, err) != DBK_OK)
            return err->code;
        if (list->of_person || healed == dbk_projector_healed(projector))
            return DBK_OK;
    }
    rq->unavailable = "Persons come out of quarantine now; try again shortly";
    return dbk_fail(err, DBK_UNAVAILABLE, "persons come out of quarantine");
}

/* Send the rest of the page. What was deleted since we looked ahead is not there any
 * more, and what was added lies behind the end, or descending before the first. */
static enum dbk_code stream(struct request *rq, struct response *rs,
                            const struct list *list, const struct walk *end,
                            struct walk *walk, struct dbk_error *err)
{
    response_stream_begin(rs, rq, 200);
    if (walk->count == 0 && list->descending)
        walk->at = end->first + 1;
    while (response_stream_piece(rs, rq) && is_behind(list, end->at, walk->at) &&
           (walk->more || walk->count == 0)) {
        bool first = walk->count == 0;
        if (read_rows(rq, list, walk, err) != DBK_OK) {
            response_stream_break(rs, err);
            return DBK_OK;
        }
        render_rows(list, &rq->worker->rows, end->at, first, &rs->body);
    }
    dbk_render_text(&rs->body, "]");
    if (response_end(rs, 200, DETAILS_OK, err) != DBK_OK)
        response_stream_break(rs, err);
    response_stream_end(rs, rq);
    return DBK_OK;
}

/* Add how many rows there are. While anybody is set aside the tables lack rows, and may
 * have some that the log has not. */
static enum dbk_code count_rows(struct request *rq, struct response *rs,
                                const struct list *list, struct dbk_error *err)
{
    bool all = list->of_person || !dbk_projector_any_aside(rq->service->projector);
    const struct dbk_asker asker = list_asker(rq);
    struct dbk_count count = {&asker, 0, true};

    if (list->counted < 0)
        return DBK_OK;
    if (!list->of_nobody && list->count(rq->service->model, list->context,
                                        list->counted == 0, &count, err) != DBK_OK)
        return list_tell(rq, err);
    rs->count = count.rows;
    rs->count_is = counts[count.exact && all ? 0 : 1];
    return DBK_OK;
}

/* For what may become large. */
static void borrow_memory(struct request *rq, struct response *rs,
                          const struct list *list)
{
    struct spares *spares = rq->service->spares;

    if (list->of_person || list->limit < LARGE_LIMIT)
        return;
    dbk_render_clear(&rs->body);
    dbk_render_clear(&rq->worker->rows.json);
    spares_lend(spares, &rs->body);
    spares_lend(spares, &rq->worker->rows.json);
}

enum dbk_code list_answer(struct request *rq, struct response *rs,
                          const struct list *list, struct dbk_error *err)
{
    struct walk end, rendered;
    struct fresh fresh;

    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (fresh_enter(rq, list->of == DBK_SET_ASIDE_EVENTS || !list->of_person, err) !=
        DBK_OK)
        return err->code;
    if (fresh_wait(rq, rs, 0, &fresh, err) != DBK_OK)
        return err->code;
    borrow_memory(rq, rs, list);
    if (read_page(rq, rs, list, &end, &rendered, err) != DBK_OK)
        return err->code;
    if (list->is_known && end.count == 0 &&
        fresh_no_person(rq, list->of_person, &fresh, err) != DBK_NOT_FOUND)
        return err->code;
    if (count_rows(rq, rs, list, err) != DBK_OK)
        return err->code;
    if (end.more)
        list_link_next(rq, rs, end.at);
    if (rendered.count < end.count)
        return stream(rq, rs, list, &end, &rendered, err);
    dbk_render_text(&rs->body, "]");
    return response_end(rs, 200, end.count ? DETAILS_OK : list->nothing, err);
}
