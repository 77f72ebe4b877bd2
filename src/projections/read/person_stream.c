#include "person_stream.h"
#include "count_events.h"
#include "find_person.h"
#include "find_rows.h"
#include "pg_array.h"
#include "read_query.h"
#include "rows.h"
#include "sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct pg_statement listed = {"person_stream", sql_person_stream};
static const struct pg_statement all[] = {
    {"person_stream_all", sql_person_stream_all},
    {"person_stream_all_desc", sql_person_stream_all_desc}};

enum { PERSON_ID }; /* the first column, of whom the row is */

/* What is left for the total of one of whom not all events are shown, and where they are. */
#define TOTAL_BYTES 160

/* An event of the person at hand, and where its JSON is. */
struct streamed {
    uint64_t sequence;
    size_t offset, length;
    bool large;
};

/* One of whom not all events are shown: the total is known only after the statement. */
struct cut {
    size_t row;
    uint64_t oldest; /* that is shown */
};

struct streaming {
    const struct person_stream *stream;
    uint64_t tag; /* event_totals.h */
    struct dbk_rows *rows;
    size_t before; /* rows that were there */

    /* The person at hand. */
    bool any; /* there is one */
    bool is_there, shows_events;
    struct dbk_uuid id;
    size_t place; /* among the ids */
    struct dbk_row row;
    struct dbk_render begin, rest, events;
    struct streamed list[FIND_EVENTS_MAX + 1];
    size_t count;

    /* What became of those before it. */
    struct person_stream_end end;
    bool alone;   /* this one must be asked for alone */
    bool strange; /* rows came that no such statement has */
    struct count_one ones[PERSON_STREAM_MAX];
    struct cut cuts[PERSON_STREAM_MAX];
    struct rows_closing closings[PERSON_STREAM_MAX];
    size_t cut;
};

static int by_sequence(const void *a, const void *b)
{
    const struct streamed *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void forget_person(struct streaming *s)
{
    dbk_render_clear(&s->begin);
    dbk_render_clear(&s->rest);
    dbk_render_clear(&s->events);
    s->any = s->is_there = false;
    s->count = 0;
}

/* The newest that are shown, oldest first. */
static const struct streamed *shown_events(struct streaming *s, size_t *count)
{
    size_t most = s->stream->events_limit;

    qsort(s->list, s->count, sizeof *s->list, by_sequence);
    *count = s->count < most ? s->count : most;
    return s->list + s->count - *count;
}

static bool any_large(const struct streamed *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].large)
            return true;
    }
    return false;
}

static void put_events(struct streaming *s, const struct streamed *events, size_t count)
{
    struct dbk_render *out = &s->rows->json;

    dbk_render_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            dbk_render_text(out, ",");
        dbk_render_raw(out, s->events.text + events[i].offset, events[i].length);
    }
    dbk_render_text(out, "]");
}

static bool is_whole(const struct streaming *s)
{
    return dbk_render_code(&s->begin) == DBK_OK &&
           dbk_render_code(&s->rest) == DBK_OK && dbk_render_code(&s->events) == DBK_OK;
}

/* Its row, as long as no total is known. */
static bool put_person(struct streaming *s, const struct streamed *events, size_t count)
{
    struct dbk_render *out = &s->rows->json;

    if (!is_whole(s)) {
        s->rows->no_memory = true;
        return false;
    }
    dbk_render_raw(out, s->begin.text, s->begin.length);
    if (s->shows_events)
        put_events(s, events, count);
    dbk_render_raw(out, s->rest.text, s->rest.length);
    dbk_render_text(out, "}");
    return rows_end(s->rows, &s->row);
}

static bool has_room(const struct streaming *s)
{
    return s->rows->count == 1 ||
           s->rows->json.length + s->cut * TOTAL_BYTES <= s->stream->max_bytes;
}

static void note_cut(struct streaming *s, const struct streamed *events, size_t count)
{
    s->cuts[s->cut] = (struct cut){s->rows->count - 1, events[0].sequence};
    s->ones[s->cut++] = (struct count_one){
        .id = s->row.person_id, .newest = events[count - 1].sequence, .shown = count};
}

static void drop_last(struct streaming *s)
{
    rows_truncate(s->rows, s->rows->count - 1);
    if (s->cut > 0 && s->cuts[s->cut - 1].row == s->rows->count)
        s->cut--;
}

/* All rows of the person at hand have come. False: no more are wanted. */
static bool end_person(struct streaming *s)
{
    size_t count;
    const struct streamed *events = shown_events(s, &count);

    s->end.taken = s->place;
    s->strange = !s->is_there;
    s->alone = any_large(events, count);
    if (s->strange || s->alone || !put_person(s, events, count))
        return false;
    if (count > 0 && count < s->count)
        note_cut(s, events, count);
    s->end.full = !has_room(s);
    if (s->end.full) {
        drop_last(s);
        return false;
    }
    s->end.taken++;
    forget_person(s);
    return true;
}

static bool add_person(struct streaming *s, const struct pg_result *row)
{
    struct dbk_person_view person = {.shown = s->rows->shown};

    if (s->is_there)
        return false;
    s->is_there = true;
    s->row = find_row_person(row, 0, &person);
    s->shows_events = dbk_render_person_begin(&s->begin, &person);
    dbk_render_person_rest(&s->rest, &person);
    return true;
}

static bool add_event(struct streaming *s, const struct pg_result *row)
{
    struct streamed *event = &s->list[s->count];

    if (s->count > s->stream->events_limit)
        return false;
    s->count++;
    event->sequence = find_row_sequence(row, 0);
    event->large = find_row_is_large(row, 0, FIND_PROPERTIES_MAX);
    event->offset = s->events.length;
    find_row_put_event(row, 0, &s->id, &s->events);
    event->length = s->events.length - event->offset;
    return true;
}

/* The next person. False: it is none of those asked for, or one too many. */
static bool begin_person(struct streaming *s, const struct dbk_uuid *id)
{
    const struct person_stream *stream = s->stream;

    s->place = s->end.taken;
    while (stream->ids && s->place < stream->count &&
           memcmp(&stream->ids[s->place], id, sizeof *id) != 0)
        s->place++; /* who is not there any more */
    s->strange = stream->ids && s->place == stream->count;
    s->id = *id;
    s->any = true;
    return s->place < stream->count;
}

static bool visit(void *context, const struct pg_result *row)
{
    struct streaming *s = context;
    struct dbk_uuid id;
    bool fits;

    pg_binary_uuid(row, 0, PERSON_ID, &id);
    if (!s->any || memcmp(&id, &s->id, sizeof id) != 0) {
        s->end.more = true;
        if ((s->any && !end_person(s)) || !begin_person(s, &id))
            return false;
        s->end.more = false;
    }
    fits = find_row_is_person(row, 0) ? add_person(s, row) : add_event(s, row);
    s->strange = !fits;
    return fits;
}

static void begin(struct streaming *s)
{
    rows_truncate(s->rows, s->before);
    forget_person(s);
    s->end = (struct person_stream_end){.taken = 0};
    s->alone = s->strange = false;
    s->cut = 0;
    s->tag = event_totals_tag(&s->stream->model->totals);
}

static enum dbk_code run_listed(struct streaming *s, struct pg *pg,
                                struct pg_param events, struct pg_param bytes,
                                dbk_deadline deadline, struct dbk_error *err)
{
    struct pg_param params[] = {{NULL, 0, false}, events, bytes};
    struct pg_array ids;
    enum dbk_code code;

    pg_array_init(&ids, PG_UUID);
    for (size_t i = 0; i < s->stream->count; i++)
        pg_array_uuid(&ids, &s->stream->ids[i]);
    code = pg_array_param(&ids, &params[0], err);
    if (code == DBK_OK)
        code =
            pg_each(pg, &listed, params, 3, dbk_deadline_left(deadline), visit, s, err);
    pg_array_finish(&ids);
    return code;
}

/* One more person than is wanted tells whether there are more. */
static enum dbk_code run_all(struct streaming *s, struct pg *pg, struct pg_param events,
                             struct pg_param bytes, dbk_deadline deadline,
                             struct dbk_error *err)
{
    const struct person_stream *stream = s->stream;
    char behind[8], persons[8];
    const struct pg_param params[] = {
        read_behind(behind, stream->after, stream->descending),
        pg_int8(persons, (int64_t)stream->count + 1), events, bytes};

    return pg_each(pg, &all[stream->descending], params, 4, dbk_deadline_left(deadline),
                   visit, s, err);
}

static enum dbk_code run(void *context, struct pg *pg, dbk_deadline deadline,
                         struct dbk_error *err)
{
    struct streaming *s = context;
    unsigned limit = s->stream->events_limit;
    char events_bytes[8], bytes_bytes[8];
    /* One more event than is shown tells whether there are more. */
    struct pg_param events = pg_int8(events_bytes, limit > 0 ? (int64_t)limit + 1 : 0),
                    bytes = pg_int8(bytes_bytes, FIND_PROPERTIES_MAX);
    enum dbk_code code;

    begin(s);
    code = s->stream->ids ? run_listed(s, pg, events, bytes, deadline, err)
                          : run_all(s, pg, events, bytes, deadline, err);
    if (code != DBK_OK)
        return code;
    if (!s->end.more && !s->strange) { /* all rows have come */
        if (s->any)
            end_person(s);
        if (!s->end.full && !s->alone)
            s->end.taken = s->stream->count;
    }
    s->end.more = s->end.more || s->end.full;
    if (s->strange)
        return dbk_fail(err, DBK_UNAVAILABLE, "PostgreSQL answered rows out of order");
    if (s->rows->no_memory)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    return DBK_OK;
}

/* What closes the rows of those who have more events than are shown. */
static enum dbk_code put_totals(struct streaming *s, struct dbk_error *err)
{
    struct dbk_render text = {0};
    size_t count = 0, at = 0;
    enum dbk_code code;

    for (size_t i = 0; i < s->cut; i++) {
        const struct dbk_person_view person = {.shown = s->rows->shown,
                                               .id = s->ones[i].id,
                                               .events_total = s->ones[i].total,
                                               .events_after = s->cuts[i].oldest};
        size_t before = text.length;

        dbk_render_person_close(&text, &person);
        s->closings[count++] =
            (struct rows_closing){s->cuts[i].row, {NULL, text.length - before}};
    }
    for (size_t i = 0; i < count; at += s->closings[i++].text.length)
        s->closings[i].text.data = text.text + at;
    code = dbk_render_code(&text);
    if (code == DBK_OK && !rows_close(s->rows, s->closings, count))
        code = DBK_NO_MEMORY;
    dbk_render_finish(&text);
    return code == DBK_OK ? code : dbk_fail(err, code, "out of memory");
}

static enum dbk_code read_many(struct streaming *s, struct dbk_error *err)
{
    const struct person_stream *stream = s->stream;
    enum dbk_code code = read_with_connection(stream->model, stream->asker,
                                              stream->deadline, run, s, err);

    if (code == DBK_OK && s->cut > 0)
        code = count_events(stream->model, stream->asker, stream->deadline, s->tag,
                            s->ones, s->cut, err);
    if (code == DBK_OK && s->cut > 0)
        code = put_totals(s, err);
    return code;
}

enum dbk_code person_stream_alone(const struct person_stream *stream,
                                  const struct dbk_uuid *id, struct dbk_rows *rows,
                                  struct person_stream_end *end, struct dbk_error *err)
{
    size_t before = rows->count;
    enum dbk_code code =
        find_person_alone(stream->model, stream->asker, stream->deadline, id,
                          stream->events_limit, rows, err);

    if (code == DBK_OK && rows->no_memory)
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    if (code != DBK_OK)
        return code;
    end->full = before > 0 && rows->json.length > stream->max_bytes;
    if (end->full) {
        rows_truncate(rows, before);
        end->more = true;
    } else {
        end->taken++;
    }
    return DBK_OK;
}

enum dbk_code person_stream_read(const struct person_stream *stream,
                                 struct dbk_rows *rows, struct person_stream_end *end,
                                 struct dbk_error *err)
{
    struct streaming *s;
    enum dbk_code code;

    assert(stream->count > 0 && stream->count <= PERSON_STREAM_MAX);
    assert(stream->events_limit <= FIND_EVENTS_MAX);
    s = calloc(1, sizeof *s);
    if (!s)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    s->stream = stream;
    s->rows = rows;
    s->before = rows->count;
    s->begin.zone = s->rest.zone = s->events.zone = rows->json.zone;
    code = read_many(s, err);
    *end = s->end;
    if (code == DBK_OK && s->alone)
        code = person_stream_alone(stream, &s->id, rows, end, err);
    dbk_render_finish(&s->begin);
    dbk_render_finish(&s->rest);
    dbk_render_finish(&s->events);
    free(s);
    return code;
}
