#include "body_fields.h"
#include "budget.h"
#include "chunks.h"
#include "civetweb_settings.h"
#include "decode.h"
#include "guard.h"
#include "media_type.h"
#include "request.h"
#include "tap.h"
#include "worker.h"

#include <assert.h>
#include <civetweb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_SIZE (16u << 10)
#define READ_MAX (64u << 10)
#define CODED_PIECE (16u << 10)
#define ITEM_LEAST 64 /* bytes of the shortest event */
#define ITEM_COST 2560

static int refuse(struct dbk_error *err, int status, const char *details)
{
    dbk_fail(err, DBK_INVALID, "%s", details);
    return status;
}

/* A person is shown with as many events as come to BODY_MAX by its default, and can be
 * put back as it was shown: its own fields come on top. */
#define PERSON_MAX 4096

static size_t limit_of(const struct request *rq)
{
    if (strcmp(rq->match.route->method, "PUT") == 0)
        return rq->service->options.body_max + PERSON_MAX;
    return rq->match.route->body == BODY_BATCH ? rq->service->options.batch_body_max
                                               : rq->service->options.body_max;
}

static int too_large(const struct request *rq, struct dbk_error *err)
{
    dbk_fail(err, DBK_TOO_LARGE, "The body is larger than the %zu bytes taken here",
             limit_of(rq));
    return 413;
}

static int check_type(struct request *rq, struct dbk_error *err)
{
    enum media_type type = media_type_parse(request_header(rq, "Content-Type"));
    enum body_kind kind = rq->match.route->body;

    rq->coding = coding_of_body(rq->head);
    rq->wrong_coding = rq->coding == CODING_OTHER;
    if (rq->wrong_coding)
        return refuse(err, 415,
                      "Send the body as it is, or with one Content-Encoding of "
                      "these: " CODINGS_TAKEN);
    rq->lines = type == MEDIA_NDJSON;
    rq->beacon = type == MEDIA_TEXT;
    /* What a page can send without asking is taken from it only where it learns nothing. */
    if (rq->beacon && kind == BODY_BATCH && request_only_ingests(rq))
        return 0;
    if (type == MEDIA_JSON || (type == MEDIA_MERGE_PATCH && kind == BODY_PATCH) ||
        (type == MEDIA_NDJSON && kind == BODY_BATCH))
        return 0;
    switch (kind) {
    case BODY_PATCH:
        return refuse(err, 415,
                      "Send the header Content-Type: application/merge-patch+json (or "
                      "application/json), and UTF-8");
    case BODY_BATCH:
        return refuse(err, 415,
                      "Send the header Content-Type: application/json (an array, or an "
                      "object with items) or application/x-ndjson (an item a line), "
                      "and UTF-8");
    case BODY_NONE:
    case BODY_JSON:
    case BODY_OPTIONAL:
        break;
    }
    return refuse(err, 415,
                  "Send the header Content-Type: application/json, and UTF-8");
}

/* A client that asks first waits for this before it sends the body. */
static int answer_expect(struct request *rq, struct dbk_error *err)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *expect = request_header(rq, "Expect");

    if (!expect)
        return 0;
    if (strcasecmp(expect, "100-continue") != 0)
        return refuse(err, 417, "The only Expect taken is 100-continue");
    if (strcmp(rq->version, "1.1") == 0)
        mg_write(rq->connection, go_on, sizeof go_on - 1);
    return 0;
}

/* What a body of so many bytes comes to with what is made of it, measured: a batch is
 * cut into items, each a command with its record, a verdict, and what the answer says. */
static size_t cost_of(const struct request *rq, size_t bytes)
{
    size_t items = bytes / ITEM_LEAST;

    if (rq->match.route->body != BODY_BATCH)
        return bytes * 4;
    if (items > rq->service->options.batch_items_max)
        items = rq->service->options.batch_items_max;
    return bytes * 3 + items * ITEM_COST;
}

static int hold(struct request *rq, size_t bytes, struct dbk_error *err)
{
    size_t window = rq->coding == CODING_IDENTITY ? 0 : bytes; /* a decoder's */

    if (budget_hold(rq->service->budget, &rq->held, cost_of(rq, bytes) + window))
        return 0;
    rq->unavailable = "The server has as many large bodies under way as it has memory "
                      "for; try again shortly";
    dbk_fail(err, DBK_UNAVAILABLE, "no room in BODIES_MAX for a body of %zu bytes",
             bytes);
    return 503;
}

/* Room for so many bytes: twice what there was, and never more than was announced. */
static int grow(const struct request *rq, size_t wanted, struct dbk_error *err)
{
    struct worker *worker = rq->worker;
    size_t size = worker->body_size ? worker->body_size : FIRST_SIZE;
    char *larger;

    while (size < wanted)
        size *= 2;
    if (size <= worker->body_size)
        return 0;
    if (rq->has_length && rq->coding == CODING_IDENTITY && size > FIRST_SIZE &&
        size > rq->length)
        size = (size_t)rq->length;
    larger = realloc(worker->body, size);
    if (!larger) {
        dbk_fail(err, DBK_NO_MEMORY, "no memory for a body of %zu bytes", wanted);
        return 503;
    }
    worker->body = larger;
    worker->body_size = size;
    return 0;
}

static int ended_early(struct request *rq, bool late, struct dbk_error *err)
{
    if (late || guarded_late(rq->guarded))
        return refuse(err, 408, "The request did not arrive in time");
    if (rq->chunked)
        return refuse(err, 400, "The chunked encoding of the body is broken");
    return refuse(err, 400, "The body is shorter than its Content-Length");
}

/* Some programs write a byte order mark before UTF-8, which is no part of the text. */
static struct dbk_slice without_mark(const char *text, size_t length)
{
    size_t mark = length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;

    return (struct dbk_slice){text + mark, length - mark};
}

/* The first that is no white space. */
static bool begins_with(struct dbk_slice body, char first)
{
    size_t i = 0;

    while (i < body.length && strchr(" \t\r\n", body.data[i]) && body.data[i])
        i++;
    return i < body.length && body.data[i] == first;
}

static ssize_t read_some(struct request *rq, struct chunks *chunks, char *out,
                         size_t size)
{
    return rq->chunked ? chunks_read(chunks, out, size)
                       : tap_read(out, size, CIVETWEB_STALL_MS);
}

/* Whether nothing came though the body goes on. */
static bool ended(ssize_t got, const struct chunks *chunks)
{
    return got < 0 || (got == 0 && !chunks->ended);
}

/* Read until the body's end, or one byte past the limit. Memory grows with what has
 * arrived, not with what was announced. */
static int read_plain(struct request *rq, size_t *used, struct dbk_error *err)
{
    struct worker *worker = rq->worker;
    size_t wanted = rq->chunked ? limit_of(rq) + 1 : (size_t)rq->length;
    struct chunks chunks = {.stall_ms = CIVETWEB_STALL_MS};

    while (*used < wanted && !chunks.ended) {
        size_t part = wanted - *used < READ_MAX ? wanted - *used : READ_MAX;
        int status = grow(rq, *used + part, err);
        ssize_t got;
        if (status != 0)
            return status;
        got = read_some(rq, &chunks, worker->body + *used, part);
        if (ended(got, &chunks))
            return ended_early(rq, got == (rq->chunked ? CHUNKS_LATE : 0), err);
        *used += (size_t)got;
        status = hold(rq, *used, err);
        if (status != 0)
            return status;
    }
    assert(*used <= wanted && *used <= worker->body_size);
    return *used > limit_of(rq) ? too_large(rq, err) : 0;
}

/* All that comes of what was fed, up to one byte past the limit. */
static int decode(struct request *rq, struct decoder *decoder, size_t *used,
                  struct dbk_error *err)
{
    size_t limit = limit_of(rq);
    ssize_t got;

    do {
        size_t part = limit + 1 - *used < READ_MAX ? limit + 1 - *used : READ_MAX;
        int status = grow(rq, *used + part, err);
        if (status != 0)
            return status;
        got = decoder_take(decoder, rq->worker->body + *used, part);
        if (got < 0) {
            dbk_fail(err, DBK_INVALID, "The body is damaged, or is not %s",
                     coding_name(rq->coding));
            return 400;
        }
        *used += (size_t)got;
        if (*used > limit)
            return too_large(rq, err);
        status = hold(rq, *used, err);
        if (status != 0)
            return status;
    } while (got > 0);
    return 0;
}

/* The same of a body that has a coding. It is bounded by what comes out, so a bomb costs
 * no more than that, and by what comes in. */
static int read_coded(struct request *rq, struct decoder *decoder, size_t *used,
                      struct dbk_error *err)
{
    size_t limit = limit_of(rq), left = rq->chunked ? limit + 1 : (size_t)rq->length;
    struct chunks chunks = {.stall_ms = CIVETWEB_STALL_MS};
    char coded[CODED_PIECE];

    while (left > 0 && !chunks.ended) {
        ssize_t got =
            read_some(rq, &chunks, coded, left < sizeof coded ? left : sizeof coded);
        int status;
        if (ended(got, &chunks))
            return ended_early(rq, got == (rq->chunked ? CHUNKS_LATE : 0), err);
        left -= (size_t)got;
        decoder_feed(decoder, coded, (size_t)got);
        status = decode(rq, decoder, used, err);
        if (status != 0)
            return status;
    }
    if (rq->chunked && left == 0)
        return too_large(rq, err);
    if (decoder_is_whole(decoder))
        return 0;
    dbk_fail(err, DBK_INVALID, "The body ends before its %s does",
             coding_name(rq->coding));
    return 400;
}

static int read_all(struct request *rq, struct dbk_error *err)
{
    struct decoder *decoder = NULL;
    size_t used = 0;
    int status;

    if (rq->coding != CODING_IDENTITY) {
        decoder = decoder_create(rq->coding);
        if (!decoder) {
            dbk_fail(err, DBK_NO_MEMORY, "no memory to decode a body");
            return 503;
        }
    }
    status = decoder ? read_coded(rq, decoder, &used, err) : read_plain(rq, &used, err);
    decoder_destroy(decoder);
    rq->worker->body_used = used;
    if (status != 0)
        return status;
    rq->body = without_mark(rq->worker->body, used);
    if (rq->beacon)
        rq->lines = !begins_with(rq->body, '[') && !body_items_shared(rq->body);
    return 0;
}

int request_body(struct request *rq, struct dbk_error *err)
{
    int status;

    if (rq->match.route->body == BODY_NONE)
        return 0; /* one that comes all the same is not read: the connection closes */
    if (rq->has_length && rq->length > limit_of(rq))
        return too_large(rq, err);
    if (rq->body_taken && rq->match.route->body == BODY_OPTIONAL)
        return 0;
    status = check_type(rq, err);
    if (status == 0 && rq->has_length)
        status = hold(rq, (size_t)rq->length, err);
    if (status == 0)
        status = answer_expect(rq, err);
    if (status == 0)
        status = read_all(rq, err);
    if (status == 0)
        rq->body_taken = true;
    return status;
}
