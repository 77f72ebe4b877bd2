/* Reads over real HTTP, of read tables that are scripted here: so that they can be long,
 * late, change in between, and fail. */
#include "live.h"

#include <jansson.h>
#include <limits.h>
#include <pthread.h>

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

static void make_room(struct dbk_rows *rows, size_t count)
{
    rows->count = 0;
    dbk_render_clear(&rows->json);
    if (rows->rows_size < count)
        rows->rows =
            realloc(rows->rows, (rows->rows_size = count) * sizeof *rows->rows);
    if (!rows->rows)
        abort();
}

static void add_row(struct dbk_rows *rows, uint64_t cursor, unsigned bytes)
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

static struct live *start_with(const struct dbk_server_options *options)
{
    memset(&script, 0, sizeof script);
    atomic_store(&script.row_bytes, 100);
    return live_start(options, (struct dbk_projector *)&projector,
                      (struct dbk_read_model *)&model);
}

static int start(void **state)
{
    *state = start_with(NULL);
    return 0;
}

static int tear_down(void **state)
{
    live_stop(*state);
    return 0;
}

/* The body as JSON, chunks put together. */
static json_t *json_of(const struct heard *heard)
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
static void assert_rows(const struct heard *heard, size_t count)
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

static void a_short_list_is_one_piece_without_a_link(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 3);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 200, "Content-Length: ");
    assert_rows(&heard, 3);
    assert_string_equal(heard_header(&heard, "Link", value), "");
    heard_free(&heard);
}

static void the_next_link_keeps_the_parameters(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 30);
    heard =
        live_ask(*state, "GET",
                 "/events?after=0&keyword=a.b&properties=%7B%22x%22:%20%22y%20%C3%BC%22"
                 "%7D&limit=7",
                 "", NULL);
    assert_rows(&heard, 7);
    assert_string_equal(
        heard_header(&heard, "Link", value),
        "</events?keyword=a.b&properties=%7B%22x%22%3A%20%22y%20%C3%BC%22"
        "%7D&limit=7&after=7>; rel=\"next\"");
    heard_free(&heard);
}

/* As long as a query can be, of bytes that take three when they are written again. */
static void the_longest_query_still_fits_the_link(void **state)
{
    enum { BRACKETS = 15000 };
    char path[BRACKETS + 64] = "/events?limit=7&properties={\"x\":\"";
    size_t length = strlen(path);
    struct heard heard;

    memset(path + length, '{', BRACKETS);
    strcpy(path + length + BRACKETS, "\"}");
    atomic_store(&script.rows, 30);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_rows(&heard, 7);
    assert_non_null(strstr(heard.text, "%7B%22%7D&after=7>; rel=\"next\"\r\n"));
    heard_free(&heard);
}

static void no_link_where_the_page_just_fits(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 7);
    heard = live_ask(*state, "GET", "/events?limit=7", "", NULL);
    assert_rows(&heard, 7);
    assert_string_equal(heard_header(&heard, "Link", value), "");
    heard_free(&heard);
}

static void a_long_list_is_streamed_whole(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 200, "Transfer-Encoding: chunked");
    assert_rows(&heard, 10000);
    assert_string_equal(heard_header(&heard, "Link", value),
                        "</events?limit=10000&after=10000>; rel=\"next\"");
    heard_free(&heard);
}

static void a_page_of_very_large_rows_ends_early_with_a_link(void **state)
{
    struct heard heard;
    char value[256];
    unsigned long rows;

    atomic_store(&script.rows, 1000);
    atomic_store(&script.row_bytes, 65000);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    heard_header(&heard, "Link", value);
    assert_int_equal(sscanf(value, "</events?after=%lu>", &rows), 1);
    assert_in_range(rows, 200, 300);
    assert_rows(&heard, rows);
    heard_free(&heard);
}

static void rows_larger_than_a_piece_are_streamed(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 3);
    atomic_store(&script.row_bytes, 1500000);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    heard_free(&heard);
}

static void rows_deleted_meanwhile_are_just_not_there(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 9000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.then_rows, 8000);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_rows(&heard, 8000);
    heard_free(&heard);
}

static void rows_added_meanwhile_are_left_for_the_next_page(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 8000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.then_rows, 9000);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_rows(&heard, 8000);
    heard_free(&heard);
}

static void a_failure_before_the_head_is_an_error(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.fail_after, 3);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 503, "{\"data\":null");
    heard_free(&heard);
}

static void a_failure_in_mid_stream_leaves_the_answer_open(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    atomic_store(&script.fail_after, 30);
    heard = live_ask(*state, "GET", "/events?limit=10000", "", NULL);
    assert_heard(&heard, 200, "Transfer-Encoding: chunked");
    assert_true(heard.ended);
    assert_memory_not_equal(heard.text + heard.length - 5, "0\r\n\r\n", 5);
    heard_free(&heard);
}

static void head_of_a_streamed_list_has_no_body(void **state)
{
    struct heard heard;
    int fd = live_connect(*state);
    static const char two[] =
        "HEAD /events?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    assert_true(live_send(fd, two, sizeof two - 1));
    heard = live_hear(fd, true);
    while (!strstr(heard.body, "\"projected\"")) {
        struct heard more = live_hear(fd, false);
        assert_memory_equal(more.text, "HTTP/1.1 200", 12);
        assert_non_null(strstr(more.text, "\"projected\""));
        heard_free(&more);
        break;
    }
    assert_heard(&heard, 200, "Link: ");
    heard_free(&heard);
    close(fd);
}

static void an_old_client_gets_the_stream_without_chunks(void **state)
{
    static const char text[] = "GET /events?limit=10000 HTTP/1.0\r\n\r\n";
    struct heard heard;

    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 500);
    heard = live_raw(*state, text, sizeof text - 1);
    assert_heard(&heard, 200, "Connection: close");
    assert_true(heard.ended);
    assert_null(strcasestr(heard.text, "\r\nTransfer-Encoding"));
    assert_rows(&heard, 10000);
    heard_free(&heard);
}

static void prefer_sets_the_bound(void **state)
{
    struct heard heard = live_ask(*state, "GET", "/events", "Prefer: wait=0\r\n", NULL);
    char value[256];

    assert_int_equal(atomic_load(&script.waited_ms), 0);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "wait=0");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/events", "Prefer: wait=3600\r\n", NULL);
    assert_int_equal(atomic_load(&script.waited_ms), 60000);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "wait=60");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_int_equal(atomic_load(&script.waited_ms), 100);
    assert_string_equal(heard_header(&heard, "Preference-Applied", value), "");
    heard_free(&heard);
}

static void when_the_bound_passes_what_is_there_is_shown(void **state)
{
    struct heard heard;
    char value[256];

    atomic_store(&script.rows, 3);
    atomic_store(&script.wait_code, DBK_TIMEOUT);
    atomic_store(&script.projected, 41);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    assert_string_equal(heard_header(&heard, "Daybook-Projected-Sequence", value),
                        "41");
    assert_int_equal(atomic_load(&script.claimed), 41);
    heard_free(&heard);
}

static void a_page_is_read_again_where_somebody_has_come_out(void **state)
{
    struct heard heard;

    atomic_store(&script.rows, 3);
    atomic_store(&script.heals, 1);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_rows(&heard, 3);
    assert_int_equal(atomic_load(&script.reads), 2);
    heard_free(&heard);
    atomic_store(&script.heals, UINT_MAX);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 503, "out of quarantine");
    heard_free(&heard);
}

static void a_person_not_yet_projected_is_not_said_to_be_missing(void **state)
{
    struct heard made = live_ask(*state, "POST", "/persons", "",
                                 "{\"email\":\"a@b.cc\",\"first_name\":\"a\","
                                 "\"last_name\":\"b\"}");
    struct heard heard;
    char path[256];

    heard_header(&made, "Location", path);
    heard_free(&made);
    atomic_store(&script.wait_code, DBK_TIMEOUT);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_heard(&heard, 503, "not yet in the read tables");
    heard_free(&heard);
    atomic_store(&script.projected, 100);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_heard(&heard, 503, "set aside");
    heard_free(&heard);
    heard = live_ask(*state, "GET", "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68", "",
                     NULL);
    assert_heard(&heard, 404, "no person");
    heard_free(&heard);
}

static void a_log_that_is_away_is_not_called_postgresql(void **state)
{
    struct heard heard;

    atomic_store(&script.log_away, true);
    heard = live_ask(*state, "GET", "/events", "", NULL);
    assert_heard(&heard, 503, "The log cannot be read");
    assert_null(strstr(heard.text, "GET /log and GET /events/{id} go on"));
    heard_free(&heard);
}

static void a_client_that_has_it_is_told_so(void **state)
{
    static const char path[] = "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68";
    char tag[256], header[300];
    struct heard heard;

    atomic_store(&script.has_person, true);
    heard = live_ask(*state, "GET", path, "", NULL);
    assert_memory_equal(heard_header(&heard, "ETag", tag), "\"7-", 3);
    heard_free(&heard);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    heard = live_ask(*state, "GET", path, header, NULL);
    assert_heard(&heard, 304, tag);
    assert_string_equal(heard.body, "");
    heard_free(&heard);
    heard = live_ask(*state, "GET",
                     "/persons/f4cc4f34-3f7c-4a0c-b333-df23f72ebc68"
                     "?events_limit=1",
                     header, NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
}

static void a_record_that_is_wrong_about_its_place_is_shown_once(void **state)
{
    struct heard heard =
        live_ask(*state, "POST", "/persons", "",
                 "{\"email\":\"kate@marauders.mock\",\"first_name\":"
                 "\"Kate\",\"last_name\":\"Pryde\",\"role\":\"user\"}");

    assert_heard(&heard, 201, NULL);
    heard_free(&heard);
    atomic_store(&script.says, 1);
    heard = live_ask(*state, "GET", "/log", "Accept: application/x-ndjson\r\n", NULL);
    assert_heard(&heard, 200, "\"type\":\"event.recorded\",\"sequence\":1,");
    assert_true(heard.announced > 0); /* whole at once, as two records are */
    heard_free(&heard);
}

/* One thread, and a client that takes none of a long answer: the next must be served. */
static void a_client_that_does_not_read_is_cut_off(void **state)
{
    static const char text[] =
        "GET /events?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct dbk_server_options options = live_options(NULL);
    struct heard heard;
    struct live *live;
    int fd, small = 4096;

    (void)state;
    options.threads = 1;
    options.request_timeout_ms = 300;
    live = start_with(&options);
    atomic_store(&script.rows, 12000);
    atomic_store(&script.row_bytes, 1500);
    fd = live_connect(live);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_true(live_send(fd, text, sizeof text - 1));
    heard = live_ask(live, "GET", "/health", "", NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
    close(fd);
    live_stop(live);
}

static void *stop_server(void *live)
{
    live_stop(live);
    return NULL;
}

static void a_read_under_way_is_finished_when_stopping(void **state)
{
    static const char text[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct live *live = start_with(NULL);
    pthread_t stopping;
    struct heard heard;
    int idle = live_connect(live), fd = live_connect(live);

    (void)state;
    atomic_store(&script.rows, 3);
    assert_true(live_send(idle, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 41));
    heard = live_hear(idle, false);
    heard_free(&heard);
    atomic_store(&script.wait_blocks, true);
    assert_true(live_send(fd, text, sizeof text - 1));
    while (!atomic_load(&script.waiting))
        usleep(1000);
    assert_int_equal(pthread_create(&stopping, NULL, stop_server, live), 0);
    assert_true(live_ends(idle)); /* so the server has begun to stop */
    atomic_store(&script.wait_blocks, false);
    heard = live_hear(fd, false);
    assert_heard(&heard, 200, "Connection: close");
    assert_rows(&heard, 3);
    pthread_join(stopping, NULL);
    heard_free(&heard);
    close(idle);
    close(fd);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIVE(a_short_list_is_one_piece_without_a_link),
        LIVE(the_next_link_keeps_the_parameters),
        LIVE(the_longest_query_still_fits_the_link),
        LIVE(no_link_where_the_page_just_fits),
        LIVE(a_long_list_is_streamed_whole),
        LIVE(a_page_of_very_large_rows_ends_early_with_a_link),
        LIVE(rows_larger_than_a_piece_are_streamed),
        LIVE(rows_deleted_meanwhile_are_just_not_there),
        LIVE(a_record_that_is_wrong_about_its_place_is_shown_once),
        LIVE(rows_added_meanwhile_are_left_for_the_next_page),
        LIVE(a_failure_before_the_head_is_an_error),
        LIVE(a_failure_in_mid_stream_leaves_the_answer_open),
        LIVE(head_of_a_streamed_list_has_no_body),
        LIVE(an_old_client_gets_the_stream_without_chunks),
        LIVE(prefer_sets_the_bound),
        LIVE(when_the_bound_passes_what_is_there_is_shown),
        LIVE(a_page_is_read_again_where_somebody_has_come_out),
        LIVE(a_person_not_yet_projected_is_not_said_to_be_missing),
        LIVE(a_log_that_is_away_is_not_called_postgresql),
        LIVE(a_client_that_has_it_is_told_so),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
        cmocka_unit_test(a_read_under_way_is_finished_when_stopping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
