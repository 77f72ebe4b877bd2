/* scripted_reads.h - a server over real HTTP whose read tables are scripted here: so that they
 * can be long, late, change in between, and fail. Each program that includes it is linked with
 * --wrap for what begins with __wrap_. */
#ifndef DBK_TESTS_HTTP_HANDLERS_SCRIPTED_READS_H
#define DBK_TESTS_HTTP_HANDLERS_SCRIPTED_READS_H

#include "live.h"

#include <jansson.h>

/* The script. Set before a request; read by the server's threads. */
static struct {
    atomic_uint rows;        /* of the list: cursors 1 to rows */
    atomic_uint row_bytes;   /* about, of each */
    atomic_uint fail_after;  /* reads that succeed; then PostgreSQL is away. 0: all */
    atomic_uint then_rows;   /* as many after the first walk; 0: the same */
    atomic_uint reads;       /* so far */
    atomic_int wait_code;    /* of dbk_projector_wait */
    atomic_int waited_ms;    /* the bound it was given */
    atomic_bool wait_blocks; /* until it is false again */
    atomic_bool waiting;
    atomic_uint_least64_t projected;
    atomic_uint_least64_t claimed; /* what dbk_read_model_claim was told last */
    atomic_uint heals, healed;     /* how often somebody is to come out, and has */
    atomic_int hangs_ms;           /* of dbk_read_model_hangs */
    atomic_bool has_person;
    atomic_bool log_away;
    atomic_uint_least64_t says; /* what each record calls its sequence; 0: what it is */
} script;

enum dbk_code __wrap_dbk_projector_wait(struct dbk_projector *projector,
                                        uint64_t sequence, int timeout_ms,
                                        struct dbk_error *err);
void __wrap_dbk_projector_status(struct dbk_projector *projector,
                                 struct dbk_projector_status *out);
enum dbk_code __real_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *err);
enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *err);
enum dbk_code __wrap_dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                                      uint32_t *checksum, struct dbk_error *err);
enum dbk_code __real_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);
enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err);
void __wrap_dbk_read_model_claim(struct dbk_read_model *model, uint64_t sequence);
int64_t __wrap_dbk_read_model_hangs(const struct dbk_read_model *model);
bool __wrap_dbk_read_model_refused(const struct dbk_read_model *model,
                                   struct dbk_error *err);
void __wrap_dbk_read_model_gauges(const struct dbk_read_model *model,
                                  struct dbk_read_model_gauges *out);
void __wrap_dbk_read_model_rearranged(struct dbk_read_model *model, uint64_t times);
uint64_t __wrap_dbk_projector_rearranged(struct dbk_projector *projector);
enum dbk_code __wrap_dbk_read_events(struct dbk_read_model *model,
                                     const struct dbk_page *page,
                                     const struct dbk_event_filter *filter,
                                     struct dbk_rows *rows, struct dbk_error *err);
enum dbk_code __wrap_dbk_read_person(struct dbk_read_model *model,
                                     const struct dbk_uuid *id, unsigned events_limit,
                                     struct dbk_rows *rows, struct dbk_error *err);

enum dbk_code __wrap_dbk_projector_wait(struct dbk_projector *projector,
                                        uint64_t sequence, int timeout_ms,
                                        struct dbk_error *err)
{
    (void)projector, (void)sequence;
    atomic_store(&script.waited_ms, timeout_ms);
    atomic_store(&script.waiting, true);
    while (atomic_load(&script.wait_blocks))
        usleep(1000);
    if (atomic_load(&script.wait_code) == DBK_OK)
        return DBK_OK;
    return dbk_fail(err, (enum dbk_code)atomic_load(&script.wait_code), "scripted");
}

enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *err)
{
    if (atomic_load(&script.log_away))
        return dbk_fail(err, DBK_UNAVAILABLE, "scripted");
    return __real_dbk_log_head(log, head, err);
}

/* The tables here have persons that the log has not. */
enum dbk_code __wrap_dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                                      uint32_t *checksum, struct dbk_error *err)
{
    (void)log, (void)err;
    *checksum = (uint32_t)sequence;
    return DBK_OK;
}

enum dbk_code __wrap_dbk_record_decode(const char *bytes, size_t length,
                                       struct dbk_record *out, struct dbk_error *err)
{
    enum dbk_code code = __real_dbk_record_decode(bytes, length, out, err);

    if (atomic_load(&script.says))
        out->sequence = atomic_load(&script.says);
    return code;
}

void __wrap_dbk_projector_status(struct dbk_projector *projector,
                                 struct dbk_projector_status *out)
{
    (void)projector;
    *out = (struct dbk_projector_status){.projected = atomic_load(&script.projected),
                                         .running = true,
                                         .state = "scripted"};
}

bool __wrap_dbk_projector_any_aside(struct dbk_projector *projector);
bool __wrap_dbk_projector_set_aside(struct dbk_projector *projector,
                                    const struct dbk_uuid *person,
                                    struct dbk_set_aside *out);
bool __wrap_dbk_projector_aside_between(struct dbk_projector *projector,
                                        enum dbk_set_aside_of of, uint64_t after,
                                        uint64_t to, struct dbk_set_aside *out);

uint64_t __wrap_dbk_projector_healed(struct dbk_projector *projector);

uint64_t __wrap_dbk_projector_healed(struct dbk_projector *projector)
{
    unsigned healed = atomic_load(&script.healed);

    (void)projector;
    if (healed < atomic_load(&script.heals))
        atomic_store(&script.healed, healed + 1);
    return healed;
}

bool __wrap_dbk_projector_any_aside(struct dbk_projector *projector)
{
    (void)projector;
    return false;
}

bool __wrap_dbk_projector_set_aside(struct dbk_projector *projector,
                                    const struct dbk_uuid *person,
                                    struct dbk_set_aside *out)
{
    (void)projector, (void)person, (void)out;
    return false;
}

bool __wrap_dbk_projector_aside_between(struct dbk_projector *projector,
                                        enum dbk_set_aside_of of, uint64_t after,
                                        uint64_t to, struct dbk_set_aside *out)
{
    (void)projector, (void)of, (void)after, (void)to, (void)out;
    return false;
}

static inline void make_room(struct dbk_rows *rows, size_t count)
{
    rows->count = 0;
    dbk_render_clear(&rows->json);
    if (rows->rows_size < count)
        rows->rows =
            realloc(rows->rows, (rows->rows_size = count) * sizeof *rows->rows);
    if (!rows->rows)
        abort();
}

static inline void add_row(struct dbk_rows *rows, uint64_t cursor, unsigned bytes)
{
    size_t start = rows->json.length;

    dbk_render_text(&rows->json, "{\"n\":");
    dbk_render_number(&rows->json, cursor);
    dbk_render_text(&rows->json, ",\"pad\":\"");
    for (unsigned i = 0; i < bytes; i++)
        dbk_render_text(&rows->json, "x");
    dbk_render_text(&rows->json, "\"}");
    rows->rows[rows->count++] = (struct dbk_row){.cursor = cursor,
                                                 .version = cursor,
                                                 .offset = start,
                                                 .length = rows->json.length - start};
}

void __wrap_dbk_read_model_claim(struct dbk_read_model *read_model, uint64_t sequence)
{
    (void)read_model;
    atomic_store(&script.claimed, sequence);
}

void __wrap_dbk_read_model_rearranged(struct dbk_read_model *read_model, uint64_t times)
{
    (void)read_model, (void)times;
}

uint64_t __wrap_dbk_projector_rearranged(struct dbk_projector *unused)
{
    (void)unused;
    return 1;
}

int64_t __wrap_dbk_read_model_hangs(const struct dbk_read_model *read_model)
{
    (void)read_model;
    return atomic_load(&script.hangs_ms);
}

bool __wrap_dbk_read_model_refused(const struct dbk_read_model *read_model,
                                   struct dbk_error *err)
{
    (void)read_model, (void)err;
    return false;
}

void __wrap_dbk_read_model_gauges(const struct dbk_read_model *read_model,
                                  struct dbk_read_model_gauges *out)
{
    (void)read_model;
    *out = (struct dbk_read_model_gauges){0};
}

enum dbk_code __wrap_dbk_read_events(struct dbk_read_model *model,
                                     const struct dbk_page *page,
                                     const struct dbk_event_filter *filter,
                                     struct dbk_rows *rows, struct dbk_error *err)
{
    unsigned reads = atomic_fetch_add(&script.reads, 1) + 1;
    unsigned fail_after = atomic_load(&script.fail_after);
    unsigned all = atomic_load(&script.rows), bytes = atomic_load(&script.row_bytes);
    unsigned then = atomic_load(&script.then_rows);

    (void)model, (void)filter;
    if (fail_after && reads > fail_after)
        return dbk_fail(err, DBK_UNAVAILABLE, "scripted");
    make_room(rows, page->limit);
    for (uint64_t at = page->after + 1; at <= all && rows->count < page->limit; at++) {
        if (rows->count > 0 && rows->json.length + bytes + 64 > page->max_bytes)
            break;
        add_row(rows, at, bytes);
    }
    rows->more = rows->count && rows->rows[rows->count - 1].cursor < all;
    if (then && !rows->more)
        atomic_store(&script.rows, then);
    return DBK_OK;
}

enum dbk_code __wrap_dbk_read_person(struct dbk_read_model *model,
                                     const struct dbk_uuid *id, unsigned events_limit,
                                     struct dbk_rows *rows, struct dbk_error *err)
{
    (void)model, (void)id;
    if (!atomic_load(&script.has_person))
        return dbk_fail(err, DBK_NOT_FOUND, "scripted");
    make_room(rows, 1);
    add_row(rows, 7, events_limit);
    return DBK_OK;
}

/* Nothing looks into these. */
static char projector, model;

static inline struct live *start_with(const struct dbk_server_options *options)
{
    memset(&script, 0, sizeof script);
    atomic_store(&script.row_bytes, 100);
    return live_start(options, (struct dbk_projector *)&projector,
                      (struct dbk_read_model *)&model);
}

static inline int start(void **state)
{
    *state = start_with(NULL);
    return 0;
}

static inline int tear_down(void **state)
{
    live_stop(*state);
    return 0;
}

/* The body as JSON, chunks put together. */
static inline json_t *json_of(const struct heard *heard)
{
    char *text = calloc(1, heard->length + 1), *out = text;
    const char *at = heard->body;
    json_t *json;

    assert_non_null(text);
    if (!strcasestr(heard->text, "\r\nTransfer-Encoding: chunked")) {
        strcpy(text, at);
    } else {
        for (size_t size; (size = strtoul(at, (char **)&at, 16)) > 0; at += size + 2) {
            memcpy(out, at += 2, size);
            out += size;
        }
    }
    json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        fail_msg("not JSON: %.200s ... %s", text,
                 text + (strlen(text) > 200 ? strlen(text) - 200 : 0));
    free(text);
    return json;
}

/* The answer's rows are 1 to count, in order. */
static inline void assert_rows(const struct heard *heard, size_t count)
{
    json_t *json = json_of(heard), *data = json_object_get(json, "data"), *row;
    size_t i;

    assert_int_equal(json_array_size(data), count);
    json_array_foreach(data, i, row)
        assert_int_equal(json_integer_value(json_object_get(row, "n")), i + 1);
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(json, "response"), "status")),
                     200);
    json_decref(json);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

#endif
